"""What goes wrong in a game without an error: a discriminator that runs away, and what can be seen on its pictures."""

from collections.abc import Callable, Sequence

from torch import nn

from limner.loops.picture_looks import AllAlike, Checks, ColourDrift, Look, Pictures
from limner.loops.step_report import StepReport
from limner.loops.watch import aside

EVERY = 100
"""Steps between two looks at the pictures, and that a discriminator must be ahead to have run away."""

_WON = 0.01  # a loss of the discriminator: a hundredth of log 4, a fiftieth of what least squares begin with
_RUN_AWAY = (
    'so the generators learn next to nothing: slow it down, as by --set \'fit.players={{"{player}": '
    '{{"learning_rate": 5e-5}}}}\', or where the system has them by game.instance_noise=0.1 or game.r1=10'
)


class GameWatch:
    """Tells, once for each, when a player named `discriminator` or `..._discriminator` has won, and what looks see.

    The losses of the game are those that such a player calls `adversarial` or `adversarial_...`; at 0 it has won.

    Args of the constructor:
        draw: From the system in evaluation mode to pictures that it makes, and real ones.
        tell: What is called with a line for people.
        looks: At the pictures; None takes all.
    """

    def __init__(
        self,
        draw: Callable[[nn.Module], Pictures],
        tell: Callable[[str], None],
        looks: Sequence[type[Look]] | None = None,
    ) -> None:
        self.draw, self.tell = draw, tell
        self._kinds = (AllAlike, ColourDrift, Checks) if looks is None else looks
        self._ahead: dict[str, int] = {}
        self._looks: list[Look] = []

    def start(self, step: int) -> None:
        """A run that goes on is looked at anew."""
        self._ahead, self._looks = {}, [kind() for kind in self._kinds]

    def step(self, report: StepReport) -> None:
        """Look at the losses, and now and then at the pictures."""
        for name, loss in report.losses.items():
            player, _, kind = name.partition("/")
            if player.endswith("discriminator") and kind.startswith("adversarial"):
                self._look_at(name, player, float(loss), report.step)
        if report.step % EVERY == 0:
            with aside(report.system):
                pictures = self.draw(report.system)
            for line in [look(report.step, pictures) for look in self._looks]:
                if line:
                    self.tell(line)

    def close(self) -> None:
        """Nothing is open."""

    def _look_at(self, name: str, player: str, loss: float, step: int) -> None:
        self._ahead[name] = self._ahead.get(name, 0) + 1 if 0 <= loss < _WON else 0
        if self._ahead[name] == EVERY:
            advice = _RUN_AWAY.format(player=player)
            self.tell(f"step {step}: {name} has been below {_WON} for {EVERY} steps, {advice}")
