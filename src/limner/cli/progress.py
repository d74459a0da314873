"""Progress bars on standard error, where it is a terminal; silence elsewhere."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from limner.cli.printing import one_line

if TYPE_CHECKING:
    from limner.loops.step_report import StepReport

_listener: ContextVar[Callable[[float], None]] = ContextVar("listener", default=lambda share: None)


@contextmanager
def told_of_progress(listener: Callable[[float], None]) -> Iterator[None]:
    """Let a program that runs a command see what its bars show.

    Args:
        listener: Called in the command's thread with the share that is done, in [0, 1].
    """
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


class Told:
    """A watcher of training that tells the same listener."""

    def start(self, step: int) -> None:
        """Nothing is to be opened."""

    def step(self, report: "StepReport") -> None:
        """Tell how far it is."""
        _listener.get()(report.share)

    def close(self) -> None:
        """Nothing is open."""


class Bars:
    """Bars with counts and the time left, which are there inside `with` and go away when it ends."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        self.bars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
            redirect_stdout=sys.stdout.isatty(),  # else lines meant for a file or a pipe would end on the terminal
        )

    def __enter__(self) -> Self:
        self.bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bars.stop()


class FileBars(Bars):
    """One bar for the files, one for the tiles or frames of the present file."""

    def __init__(self, num_files: int) -> None:
        super().__init__()
        self._num_files, self._num_done = num_files, 0
        self._files = self.bars.add_task("files", total=num_files, visible=num_files > 1)
        self._parts = self.bars.add_task("", total=None)

    def next_file(self, name: str) -> None:
        """A file begins."""
        self.bars.reset(self._parts, description=one_line(name), total=None)

    def file_done(self) -> None:
        """A file has ended, well or not."""
        self.bars.advance(self._files)
        self._num_done += 1
        _listener.get()(self._num_done / max(1, self._num_files))

    def part_done(self, done: int, total: int) -> None:
        """So many tiles, strips or frames are done."""
        self.bars.update(self._parts, completed=done, total=total)
        _listener.get()(min(1.0, (self._num_done + done / max(1, total)) / max(1, self._num_files)))


class StepBar(Bars):
    """One bar; the steps tell how many there are."""

    def __init__(self) -> None:
        super().__init__()
        self._steps = self.bars.add_task("", total=None)

    def step(self, done: int, total: int, text: str = "") -> None:
        """So many steps of so many are done; this was the last."""
        self.bars.update(self._steps, completed=done, total=total, description=text)
        _listener.get()(done / max(1, total))
