"""Gradients that explode or vanish, told while there is still a run to be saved."""

import statistics
from collections import defaultdict, deque
from collections.abc import Callable

from limner.loops.step_report import GRADIENTS_EVERY, StepReport

_MEMORY, _LEAST = 50, 10  # looks that make what is usual: as many at most, and at least
_EXPLODED, _VANISHED = 100.0, 1e-4  # times what is usual
_IN_A_ROW = 3
_SMALLER = (
    "a loss that is not finite may follow: lower --lr, or pass --set fit.clip.kind=norm or --set "
    "fit.schedule.warmup_steps=500"
)
_LARGER = (
    "it learns nothing any more: raise --lr if that lasts, and begin anew with another --seed if it has just begun"
)


class GradientWatch:
    """Tells when the gradient of a player has become far larger or smaller than it was, and since when.

    Larger is a hundred times the median of the last 500 steps, smaller a ten thousandth of it or 0, in three looks one
    after the other. Each is told once, and again only after it has gone away.

    Args of the constructor:
        tell: What is called with a line for people.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        self.tell = tell
        self._usual: defaultdict[str, deque[float]] = defaultdict(lambda: deque(maxlen=_MEMORY))
        self._unusual: defaultdict[tuple[str, str], int] = defaultdict(int)

    def start(self, step: int) -> None:
        """A run that goes on is looked at anew."""
        self._usual.clear()
        self._unusual.clear()

    def step(self, report: StepReport) -> None:
        """Look at the norms where there are some."""
        for player, norm in report.gradients.items():
            self._look_at(player, float(norm), report.step)

    def close(self) -> None:
        """Nothing is open."""

    def _look_at(self, player: str, norm: float, step: int) -> None:
        known = self._usual[player]
        usual = statistics.median(known) if len(known) >= _LEAST else None
        larger = usual is not None and norm > _EXPLODED * usual > 0
        smaller = norm <= _VANISHED * (usual or 0.0)
        if not larger and not smaller:
            known.append(norm)
        for kind, holds, advice in (("larger", larger, _SMALLER), ("smaller", smaller, _LARGER)):
            count = self._unusual[player, kind] = self._unusual[player, kind] + 1 if holds else 0
            if count == _IN_A_ROW:
                since = step - (_IN_A_ROW - 1) * GRADIENTS_EVERY
                what = f"{norm:.3g}, and was {usual:.3g} before" if usual else f"{norm:.3g}"
                self.tell(f"step {step}: the gradient of {player} is far {kind} since step {since} ({what}): {advice}")
