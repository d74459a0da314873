"""Watching a run: progress on the terminal, logs in CSV and TensorBoard, grids of samples."""

import csv
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import torch
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from torch import Tensor, nn

from limner.errors import LimnerError
from limner.files.atomic import atomic_path
from limner.files.space import telling_no_space
from limner.loops.checkpoint import random_state, restore_random_state, seed_everything
from limner.loops.step_report import StepReport

_SEED = 0  # of sample sheets
_LONGEST = 20.0  # seconds between two rows of a log, where a step does not take longer


class Terminal:
    """A progress bar with losses, samples per second and the time left; plain lines where there is no terminal."""

    def __init__(self, console: Console | None = None, every: float = 0.5, every_line: float = 30.0) -> None:
        self.console = console or Console(stderr=True)
        self.every = every if self.console.is_terminal else every_line
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._shown, self._seen, self._since = float("-inf"), 0, time.monotonic()

    def start(self, step: int) -> None:
        """Show the bar."""
        self._since = time.monotonic()
        if self.console.is_terminal:
            columns = (TaskProgressColumn(), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
            self._bar = Progress(TextColumn("{task.description}", markup=False), *columns, console=self.console)
            self._bar.start()
            self._task = self._bar.add_task(f"step {step}", total=1.0)

    def step(self, report: StepReport) -> None:
        """Refresh, every now and then."""
        now = time.monotonic()
        self._seen += report.samples
        if now - self._shown < self.every and report.share < 1:
            return
        throughput = self._seen / max(now - self._since, 1e-9)
        self._shown, self._seen, self._since = now, 0, now
        losses = "  ".join(f"{name} {report.losses[full].item():.3g}" for full, name in _short(report.losses).items())
        text = f"step {report.step}  {losses}  {throughput:.1f} samples/s"
        if self._bar and self._task is not None:
            self._bar.update(self._task, completed=report.share, description=text)
        else:
            left = report.seconds * (1 / report.share - 1) if report.share else 0.0
            line = f"{text}  {report.share:.1%}  {left / 60:.0f} min left"
            self.console.print(line, highlight=False, markup=False, soft_wrap=True)

    def tell(self, text: str) -> None:
        """Say what its user should know of the run."""
        self.console.print(f"note: {text}", highlight=False, markup=False, soft_wrap=True)

    def close(self) -> None:
        """Take the bar away."""
        if self._bar:
            self._bar.stop()


def _short(names: Collection[str]) -> dict[str, str]:
    """Each "player/loss" -> the loss alone, or both where several players lower a loss of that name."""
    losses = [name.rpartition("/")[2] for name in names]
    pairs = zip(names, losses, strict=True)
    return {name: name.replace("/", " ") if losses.count(loss) > 1 else loss for name, loss in pairs}


class CsvLog:
    """One row every `every` steps in `path`, one every 20 seconds at least, and one of the last step.

    A resumed run drops the rows that it makes again.

    A loss that first appears in a later step (a lazy regularisation) adds a column, empty in the rows before.
    """

    def __init__(self, path: Path, every: int = 50) -> None:
        self.path, self.every = path, every
        self._columns: list[str] = []
        self._file: TextIO | None = None
        self._written: float | None = None  # at how many seconds of the run

    def start(self, step: int) -> None:
        """Keep the rows up to `step`."""
        self._written = None if step else 0.0
        self.path.parent.mkdir(parents=True, exist_ok=True)
        rows = self._read() if step and self.path.is_file() else []
        self._rewrite([row for row in rows if (row["step"] or "").isdigit() and int(row["step"]) <= step])

    def step(self, report: StepReport) -> None:
        """Write a row when it is time."""
        if self._written is None:
            self._written = report.seconds
        is_due = not report.step % self.every or report.seconds - self._written > _LONGEST or report.share >= 1
        if not is_due or not self._file:
            return
        self._written = report.seconds
        rates = {f"{player}/learning_rate": rate for player, rate in report.learning_rates.items()}
        row = {"step": report.step, "seconds": round(report.seconds, 2)} | _numbers(report.losses) | rates
        if new := [name for name in row if name not in self._columns]:
            rows = self._read()
            self._columns += new
            self._rewrite(rows)
        with telling_no_space(self.path):
            csv.DictWriter(self._file, self._columns).writerow(row)
            self._file.flush()

    def close(self) -> None:
        """Close the file."""
        file, self._file = self._file, None
        if file:
            with telling_no_space(self.path):
                file.close()

    def _read(self) -> list[dict[str, str]]:
        """The whole rows of the file: a killed process may have left half a one."""
        with self.path.open(newline="") as file:
            reader = csv.DictReader(file)
            self._columns = list(reader.fieldnames or [])
            return [row for row in reader if None not in row and None not in row.values()]

    def _rewrite(self, rows: list[dict[str, str]]) -> None:
        self.close()
        with atomic_path(self.path) as temporary, temporary.open("w", newline="") as file:
            writer = csv.DictWriter(file, self._columns)
            if self._columns:
                writer.writeheader()
            writer.writerows(rows)
        self._file = self.path.open("a", newline="")


class TensorBoardLog:
    """Losses and learning rates as TensorBoard scalars in `folder`."""

    def __init__(self, folder: Path, every: int = 50) -> None:
        """Look for tensorboard; the log is opened when the run starts.

        Raises:
            LimnerError: If tensorboard is not installed.
        """
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            raise LimnerError(
                "a TensorBoard log needs the train extra: pip install '.[train]' in the folder of Limner"
            ) from None
        self._open: Callable[..., Any] = SummaryWriter
        self.folder, self.every = folder, every
        self._writer: Any = None

    def start(self, step: int) -> None:
        """Go on after `step`; what an earlier run logged beyond it is hidden."""
        self._writer = self._open(str(self.folder), purge_step=step + 1)

    def step(self, report: StepReport) -> None:
        """Log when it is time."""
        if report.step % self.every:
            return
        with telling_no_space(self.folder / "events"):
            for name, value in _numbers(report.losses).items():
                self._writer.add_scalar(f"loss/{name}", value, report.step)
            for player, rate in report.learning_rates.items():
                self._writer.add_scalar(f"learning_rate/{player}", rate, report.step)

    def close(self) -> None:
        """Flush and close."""
        if self._writer:
            with telling_no_space(self.folder / "events"):
                self._writer.close()


class SampleGrid:
    """Calls `draw(system, path)` every `seconds` of training, to write a picture of what the system does by now.

    The system is in evaluation mode, without gradients. The global random numbers begin with the same seed each time,
    so that only what has been learnt makes two pictures differ. What `draw` does to them is undone: training goes the
    same way whether anybody watches or not.
    """

    def __init__(self, folder: Path, draw: Callable[[nn.Module, Path], None], seconds: float = 300.0) -> None:
        self.folder, self.draw, self.seconds = folder, draw, seconds
        self._next = 0.0

    def start(self, step: int) -> None:
        """Make the folder."""
        self.folder.mkdir(parents=True, exist_ok=True)

    def step(self, report: StepReport) -> None:
        """Draw when it is time."""
        if report.seconds >= self._next or report.share >= 1:
            self._next = report.seconds + self.seconds
            self.folder.mkdir(exist_ok=True)  # somebody may have tidied up
            with aside(report.system):
                self.draw(report.system, self._place(report.step))

    def close(self) -> None:
        """Nothing is open."""

    def _place(self, step: int) -> Path:
        return self.folder / f"step-{step:07d}.png"


class Preview(SampleGrid):
    """The same in one file, which each picture replaces."""

    def __init__(self, path: Path, draw: Callable[[nn.Module, Path], None], seconds: float) -> None:
        super().__init__(path.parent, draw, seconds)
        self.path = path

    def _place(self, step: int) -> Path:
        return self.path


@contextmanager
def aside(system: nn.Module) -> Iterator[None]:
    """A system in evaluation mode, without gradients, with random numbers of its own; all is as before in the end."""
    modes, randomness = [(module, module.training) for module in system.modules()], random_state()
    system.eval()
    seed_everything(_SEED)
    try:
        with torch.no_grad():
            yield
    finally:
        for module, training in modes:
            module.training = training
        restore_random_state(randomness)


def _numbers(losses: Mapping[str, Tensor]) -> dict[str, float]:
    return {name: float(f"{loss.item():.6g}") for name, loss in losses.items()}
