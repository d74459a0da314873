"""Overfitting: pictures that are kept from training come out worse, while those that are learnt come out better."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from limner.loops.step_report import StepReport
from limner.training.validation import VALIDATION_FILE, Figure, read_validation

_IN_A_ROW = 3  # measurements that are worse than the best
_WORSE = 0.1  # of all that has been gained
_BETTER = 0.98  # of the loss of training at the best measurement
_SHARE = 0.02  # of a step in the mean of losses
_ADVICE = (
    "it learns its pictures by heart: add pictures, or changes of them (data.* of the system), or train again with "
    "--steps {step}"
)


def overfitting(rows: Sequence[Mapping[str, Any]], losses: Mapping[int, float]) -> str | None:
    """What measurements say beside the losses of training; None where nothing is wrong.

    Args:
        rows: As `read_validation` gives them.
        losses: From some steps to the loss of training there.
    """
    series: dict[str, list[tuple[int, Figure]]] = {}
    for row in rows:
        for figure in row["figures"]:
            series.setdefault(figure.name, []).append((row["step"], figure))
    for name, measured in series.items():
        sign = 1 if measured[0][1].more_is_better else -1
        best = max(range(len(measured)), key=lambda place: sign * measured[place][1].value)
        gained = abs(measured[best][1].value - measured[0][1].value)
        later = measured[best + 1 :]
        lost = [sign * (measured[best][1].value - figure.value) for _, figure in later[-_IN_A_ROW:]]
        if len(lost) == _IN_A_ROW and min(lost) > _WORSE * gained and _is_lower(losses, measured[best][0]):
            step, value = measured[best][0], measured[best][1].value
            return (
                f"step {later[-1][0]}: {name} on pictures kept from training is {later[-1][1].value:.4g}, and was "
                f"{value:.4g} at step {step}, since when it has become worse while the loss of training fell: "
                f"{_ADVICE.format(step=step)}"
            )
    return None


def _is_lower(losses: Mapping[int, float], step: int) -> bool:
    """Whether the loss of training is lower than it was at a step."""
    before = [loss for at, loss in losses.items() if at <= step]
    return bool(before) and list(losses.values())[-1] < _BETTER * before[-1]


def learning_loss(losses: Mapping[str, float]) -> float:
    """What of the losses of a step says how well its pictures are learnt: all but those of a game."""
    return sum(
        loss
        for name, loss in losses.items()
        if not name.partition("/")[0].endswith("discriminator") and not name.partition("/")[2].startswith("adversarial")
    )


class OverfittingWatch:
    """Tells, once, that a run overfits; stands after what measures it.

    Args of the constructor:
        run: Its folder.
        tell: What is called with a line for people.
    """

    def __init__(self, run: Path, tell: Callable[[str], None]) -> None:
        self.run, self.tell = run, tell
        self._mean: float | None = None
        self._measured: tuple[int, int] | None = None
        self._losses: dict[int, float] = {}
        self._is_told = False

    def start(self, step: int) -> None:
        """Of a run that goes on what was measured before is known, and its losses are not."""
        self._measured = self._state()

    def step(self, report: StepReport) -> None:
        """Look when something has been measured."""
        now = learning_loss({name: float(loss) for name, loss in report.losses.items()})
        self._mean = now if self._mean is None else self._mean + _SHARE * (now - self._mean)
        if (state := self._state()) == self._measured:
            return
        self._measured = state
        self._losses[report.step] = self._mean
        if not self._is_told and (line := overfitting(read_validation(self.run), self._losses)):
            self._is_told = True
            self.tell(line)

    def close(self) -> None:
        """Nothing is open."""

    def _state(self) -> tuple[int, int] | None:
        try:
            found = (self.run / VALIDATION_FILE).stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size
