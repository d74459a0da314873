"""What those who watch a training get to see."""

from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

from torch import Tensor, nn

GRADIENTS_EVERY = 10
"""Steps between two norms of gradients."""


class StepReport(NamedTuple):
    """What watchers get after each step."""

    step: int
    share: float  # of the whole run, in [0, 1]
    seconds: float  # trained so far, over all resumptions
    samples: int  # seen in this step
    losses: Mapping[str, Tensor]  # "player/loss" -> scalar, the mean over this step's turns and micro-batches
    learning_rates: Mapping[str, float]
    give_system: Callable[[], nn.Module]  # see `system`
    gradients: Mapping[str, Tensor] = {}  # player -> the norm of its gradient before it is clipped, every tenth step

    @property
    def system(self) -> nn.Module:
        """The averaged one where there is an average; gathered when it is asked for, where it is shared out."""
        return self.give_system()


class Watcher(Protocol):
    """Sees every step of a run."""

    def start(self, step: int) -> None:
        """The run begins, or goes on, after `step` steps."""

    def step(self, report: StepReport) -> None:
        """A step has been made."""

    def close(self) -> None:
        """The run ends, for whatever reason."""
