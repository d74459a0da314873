"""The work of `limner weights`."""

from pathlib import Path
from types import TracebackType
from typing import Self

from limner.cli.commands.weights import FetchOptions, ListOptions
from limner.cli.printing import mebibytes, print_json
from limner.cli.progress import bars
from limner.features.fetch import PUBLISHED, fetch, fetched_folder, find_published


def fetch_weights(options: FetchOptions) -> None:
    """Fetch one file, and print its path.

    Raises:
        LimnerError: If there is none of this name, or it cannot be fetched.
    """
    with ByteProgress(find_published(options.name).file_name) as progress:
        path = fetch(options.name, options.to, bar=progress)
    print(path)


def list_weights(options: ListOptions) -> None:
    """Print what can be fetched, and what is there."""
    folder = fetched_folder()
    described = [
        {"name": name, **published._asdict(), "path": _kept(folder / published.file_name, published.size)}
        for name, published in PUBLISHED.items()
    ]
    if options.as_json:
        print_json(described)
        return
    for name, published in PUBLISHED.items():
        kept = _kept(folder / published.file_name, published.size)
        print(f"{name}: {published.holds}, {mebibytes(published.size)}, {published.licence}")
        print(f"  {kept or f'not here: limner weights fetch {name}'}")


def _kept(path: Path, size: int) -> Path | None:
    """The path, if the whole file is there; whether it is the right one, fetching finds out."""
    return path if path.is_file() and path.stat().st_size == size else None


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
