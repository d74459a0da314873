"""What is told of a run while it goes on: to who watches it, and in its folder."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, cast, runtime_checkable

from torch import Tensor, nn

from limner.data.sampler import batches
from limner.data.source import TrainingData
from limner.errors import TrainingStopped
from limner.loops.game_watch import GameWatch
from limner.loops.gradient_watch import GradientWatch
from limner.loops.picture_looks import Pictures
from limner.loops.step_report import StepReport, Watcher
from limner.runtime.probes import ports_of, results_of
from limner.tasks.draw_inputs import with_drawn
from limner.training.overfitting import OverfittingWatch

NOTES_FILE = "notes.txt"
"""In the folder of a run, a line for each note."""

_PICTURES = 8  # that are compared


@runtime_checkable
class Telling(Protocol):
    """A watcher that tells people more than how far a run has come."""

    def tell(self, text: str) -> None:
        """Say a line."""


def health_watch(system: nn.Module, samples: TrainingData, run: Path, tell: Callable[[str], None]) -> list[Watcher]:
    """What tells of a run that goes wrong without an error.

    Args:
        system: What is trained.
        samples: What it learns from.
        run: Its folder.
        tell: What is called with a line for people.
    """
    players = cast(Mapping[str, nn.Module], system.players)
    games = [GameWatch(_pictures(samples), tell)] if len(players) > 1 else []
    return [GradientWatch(tell), OverfittingWatch(run, tell), *games]


@contextmanager
def noting_why_it_stopped(run: Path) -> Iterator[None]:
    """Add to the notes of a run why it could not go on."""
    try:
        yield
    except TrainingStopped as error:
        note_writer(run, [])(str(error))
        raise


def note_writer(run: Path, watchers: Sequence[Watcher]) -> Callable[[str], None]:
    """What tells a line to those of `watchers` that tell people, and adds it to the notes of a run."""

    def tell(text: str) -> None:
        with (run / NOTES_FILE).open("a", encoding="utf-8") as file:
            file.write(f"{text}\n")
        for watcher in watchers:
            if isinstance(watcher, Telling):
                watcher.tell(text)

    return tell


class Told:
    """Tells some lines once a run has been accepted."""

    def __init__(self, lines: Sequence[str], tell: Callable[[str], None]) -> None:
        self.lines, self.tell = lines, tell

    def start(self, step: int) -> None:
        """Tell them."""
        for line in self.lines:
            self.tell(line)

    def step(self, report: StepReport) -> None:
        """Nothing more is said."""

    def close(self) -> None:
        """Nothing is open."""


def _pictures(samples: TrainingData) -> Callable[[nn.Module], Pictures]:
    """One fixed batch, and what a system makes of it."""
    batch = next(batches(samples, min(_PICTURES, len(samples)), seed=0))
    real = [part for part in batch if part.dim() == 4][-1]  # of a pair the target

    def draw(system: nn.Module) -> Pictures:
        device = next(system.parameters()).device
        given: tuple[Tensor, ...] = tuple(one.to(device) for one in batch.inputs)
        inputs = with_drawn(ports_of(system).inputs, given, number=len(real))
        made: Any = results_of(system(*(one.to(device) for one in inputs)))[0]
        return Pictures(made.float().cpu(), real)

    return draw
