"""What is told of a run while it goes on: to who watches it, and in its folder."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, cast, runtime_checkable

from torch import Tensor, nn

from limner.data.sampler import batches
from limner.data.source import TrainingData
from limner.loops.fit import Watcher
from limner.loops.game_watch import Differences, GameWatch, difference
from limner.runtime.probes import ports_of, results_of
from limner.tasks.draw_inputs import with_drawn

NOTES_FILE = "notes.txt"
"""In the folder of a run, a line for each note."""

_PICTURES = 8  # that are compared


@runtime_checkable
class Telling(Protocol):
    """A watcher that tells people more than how far a run has come."""

    def tell(self, text: str) -> None:
        """Say a line."""


def game_watch(system: nn.Module, samples: TrainingData, run: Path, watchers: Sequence[Watcher]) -> list[Watcher]:
    """What watches a game, and tells each of `watchers` that tells people; nothing for a system of one player."""
    players = cast(Mapping[str, nn.Module], system.players)
    if len(players) < 2:
        return []

    def tell(text: str) -> None:
        with (run / NOTES_FILE).open("a", encoding="utf-8") as file:
            file.write(f"{text}\n")
        for watcher in watchers:
            if isinstance(watcher, Telling):
                watcher.tell(text)

    return [GameWatch(_differences(samples), tell)]


def _differences(samples: TrainingData) -> Callable[[nn.Module], Differences]:
    """Between the pictures of one fixed batch, and between what a system makes of it."""
    batch = next(batches(samples, min(_PICTURES, len(samples)), seed=0))
    real = [part for part in batch if part.dim() == 4][-1]  # of a pair the target

    def measure(system: nn.Module) -> Differences:
        device = next(system.parameters()).device
        given: tuple[Tensor, ...] = tuple(one.to(device) for one in batch.inputs)
        inputs = with_drawn(ports_of(system).inputs, given, number=len(real))
        made: Any = results_of(system(*(one.to(device) for one in inputs)))[0]
        return Differences(difference(made.float()), difference(real))

    return measure
