"""The bar of `limner weights fetch`."""

from types import TracebackType
from typing import Self

from limner.cli.progress import bars


class ByteProgress:
    """One bar over the bytes of a download, as pooch drives it."""

    def __init__(self, name: str) -> None:
        self._bars = bars()
        self._task = self._bars.add_task(name, total=None)

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    @property
    def total(self) -> int:
        """Bytes that are to come; 0 if that is not known."""
        return int(self._bars.tasks[0].total or 0)

    @total.setter
    def total(self, size: int) -> None:
        self._bars.update(self._task, total=size or None)

    def update(self, count: int) -> None:
        """So many bytes more have come."""
        self._bars.advance(self._task, count)

    def reset(self) -> None:
        """Begin again."""
        self._bars.update(self._task, completed=0)

    def close(self) -> None:
        """All have come; the bar goes away with the context."""
