"""Progress bars on standard error, where it is a terminal; silence elsewhere."""

import sys
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


def bars() -> Progress:
    """Bars with counts and the time left, which go away when they are done."""
    console = Console(stderr=True)
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(
        TextColumn("{task.description}", markup=False),
        *columns,
        console=console,
        transient=True,
        disable=not console.is_terminal,
        redirect_stdout=sys.stdout.isatty(),  # else lines meant for a file or a pipe would end on the terminal
    )


class FileProgress:
    """One bar for the files, one for the tiles or frames of the present file."""

    def __init__(self, num_files: int) -> None:
        self._bars = bars()
        self._files = self._bars.add_task("files", total=num_files, visible=num_files > 1)
        self._tiles = self._bars.add_task("", total=None)

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def next_file(self, name: str) -> None:
        """A file begins."""
        self._bars.reset(self._tiles, description=name, total=None)

    def file_done(self) -> None:
        """A file has ended, well or not."""
        self._bars.advance(self._files)

    def tile(self, done: int, total: int) -> None:
        """A tile, or a frame of a video, is done."""
        self._bars.update(self._tiles, completed=done, total=total)


class StepProgress:
    """One bar; the steps tell how many there are."""

    def __init__(self) -> None:
        self._bars = bars()
        self._task = self._bars.add_task("", total=None)

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def step(self, done: int, total: int, text: str) -> None:
        """So many steps of so many are done; this was the last."""
        self._bars.update(self._task, completed=done, total=total, description=text)
