"""What goes wrong in a game without an error: a discriminator that runs away, and pictures that all look alike."""

from collections.abc import Callable
from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor, nn

from limner.loops.fit import StepReport
from limner.loops.watch import aside

EVERY = 100
"""Steps between two looks at the pictures, and that a discriminator must be ahead to have run away."""

_WON = 0.01  # a loss of the discriminator: a hundredth of log 4, a fiftieth of what least squares begin with
_ALIKE = 0.1  # of the differences between real pictures
_SMALLEST = 1e-3  # difference between real pictures that others are compared with
_RUN_AWAY = (
    'so the generators learn next to nothing: slow it down, as by --set \'fit.players={{"{player}": '
    '{{"learning_rate": 5e-5}}}}\', or where the system has them by game.instance_noise=0.1 or game.r1=10'
)
_COLLAPSED = (
    "if that lasts, begin anew with more pictures or another --seed, a lower --lr, or where the system has them "
    "game.kind=hinge and game.r1=10"
)


class Differences(NamedTuple):
    """The mean absolute difference between two pictures, in [0, 1].

    Attributes:
        made: Of those that the system makes.
        real: Of those of the training data.
    """

    made: float
    real: float


def difference(images: Float[Tensor, "n c h w"]) -> float:
    """The mean absolute difference between two of some pictures; 0 of one alone.

    >>> import torch
    >>> difference(torch.tensor([0.0, 0.5, 1.0]).view(3, 1, 1, 1))
    0.667
    """
    pairs = [(images[place + 1 :] - images[place]).abs().flatten() for place in range(len(images) - 1)]
    values = [float(one.mean()) * len(one) for one in pairs]
    return sum(values) / max(1, sum(len(one) for one in pairs))


class GameWatch:
    """Tells, once for each, when a player named `discriminator` or `..._discriminator` has won and when all is alike.

    The losses of the game are those that such a player calls `adversarial` or `adversarial_...`; at 0 it has won.

    Args of the constructor:
        measure: From the system in evaluation mode to the differences between pictures.
        tell: What is called with a line for people.
    """

    def __init__(self, measure: Callable[[nn.Module], Differences], tell: Callable[[str], None]) -> None:
        self.measure, self.tell = measure, tell
        self._ahead: dict[str, int] = {}
        self._alike = 0

    def start(self, step: int) -> None:
        """A run that goes on is looked at anew."""
        self._ahead, self._alike = {}, 0

    def step(self, report: StepReport) -> None:
        """Look at the losses, and now and then at the pictures."""
        for name, loss in report.losses.items():
            player, _, kind = name.partition("/")
            if player.endswith("discriminator") and kind.startswith("adversarial"):
                self._look_at(name, player, float(loss), report.step)
        if report.step % EVERY == 0:
            with aside(report.system):
                found = self.measure(report.system)
            self._compare(found, report.step)

    def close(self) -> None:
        """Nothing is open."""

    def _look_at(self, name: str, player: str, loss: float, step: int) -> None:
        self._ahead[name] = self._ahead.get(name, 0) + 1 if 0 <= loss < _WON else 0
        if self._ahead[name] == EVERY:
            advice = _RUN_AWAY.format(player=player)
            self.tell(f"step {step}: {name} has been below {_WON} for {EVERY} steps, {advice}")

    def _compare(self, found: Differences, step: int) -> None:
        is_alike = found.real > _SMALLEST and found.made < _ALIKE * found.real
        self._alike = self._alike + 1 if is_alike else 0
        if self._alike == 2:  # fresh networks make gray pictures
            share = found.made / found.real
            self.tell(
                f"step {step}: pictures that are made differ by {share:.0%} of what real ones do, all look alike: "
                f"{_COLLAPSED}"
            )
