"""What can be seen on the pictures that a system makes: all alike, other colours, a pattern of checks."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from jaxtyping import Float
from torch import Tensor

from limner.metrics.grid_peaks import grid_peak

_ALIKE = 0.1  # of the differences between real pictures
_SMALLEST = 1e-3  # difference between real pictures that others are compared with
_COLLAPSED = (
    "if that lasts, begin anew with more pictures or another --seed, a lower --lr, or where the system has them "
    "game.kind=hinge and game.r1=10"
)
_DRIFTED, _WORSE = 0.15, 0.1  # of a mean colour, from the real one, and from the best of the run
_BRIGHT = (
    "lower --lr of the generator, or go back to an earlier weight file; more pictures in a batch hold colours steadier"
)
_PERIODS = (8, 4, 2)  # pixels, that layers of stride 2 leave; a longer one has shorter ones in it
_STANDS_OUT = 8.0  # times as far as in real pictures
_CHECKED = (
    "a layer that enlarges by strides leaves it: where the system has it, pass --set upsampling=resize, or train for "
    "longer"
)
_IN_A_ROW = 3
_FIRST = 500  # steps, before which networks are still too fresh for colours and patterns


class Pictures(NamedTuple):
    """A batch of pictures that a system makes, and real ones, both in [0, 1]."""

    made: Float[Tensor, "n c h w"]
    real: Float[Tensor, "m k H W"]


class Look(Protocol):
    """Looks at the pictures of a step."""

    def __call__(self, step: int, pictures: Pictures) -> str | None:
        """A line for people, or nothing."""


def difference(images: Float[Tensor, "n c h w"]) -> float:
    """The mean absolute difference between two of some pictures; 0 of one alone.

    >>> import torch
    >>> difference(torch.tensor([0.0, 0.5, 1.0]).view(3, 1, 1, 1))
    0.667
    """
    pairs = [(images[place + 1 :] - images[place]).abs().flatten() for place in range(len(images) - 1)]
    values = [float(one.mean()) * len(one) for one in pairs]
    return sum(values) / max(1, sum(len(one) for one in pairs))


class _InARow:
    """Whether something has held so many times one after the other, told at the last of these."""

    def __init__(self, times: int) -> None:
        self.times, self.count, self.since = times, 0, 0

    def __call__(self, holds: bool, step: int) -> bool:
        if holds and not self.count:
            self.since = step
        self.count = self.count + 1 if holds else 0
        return self.count == self.times


class AllAlike:
    """Pictures that differ by less than a tenth of what real ones do, in two looks one after the other."""

    def __init__(self) -> None:
        self._held = _InARow(2)  # fresh networks make gray pictures

    def __call__(self, step: int, pictures: Pictures) -> str | None:
        """What is seen."""
        made, real = difference(pictures.made), difference(pictures.real)
        if not self._held(real > _SMALLEST and made < _ALIKE * real, step):
            return None
        return (
            f"step {step}: pictures that are made differ by {made / real:.0%} of what real ones do, all look alike "
            f"since step {self._held.since}: {_COLLAPSED}"
        )


class ColourDrift:
    """A mean colour that has left that of real pictures, which it has been nearer to."""

    def __init__(self) -> None:
        self._held = _InARow(_IN_A_ROW)
        self._best = float("inf")

    def __call__(self, step: int, pictures: Pictures) -> str | None:
        """What is seen."""
        made, real = pictures
        if made.shape[1] != real.shape[1]:
            return None
        off = made.mean((0, 2, 3)) - real.mean((0, 2, 3))
        apart = float(off.abs().max())
        chance = 2 * float(real.mean((2, 3)).std(0, correction=0).max()) / len(made) ** 0.5
        self._best = min(self._best, apart)
        if not self._held(step > _FIRST and apart > max(_DRIFTED + chance, self._best + _WORSE), step):
            return None
        channel = int(off.abs().argmax())
        name = ("red", "green", "blue", "alpha")[channel] if made.shape[1] > 1 else "light"
        how = "more" if off[channel] > 0 else "less"
        return (
            f"step {step}: pictures that are made have {apart:.2f} {how} {name} than real ones since step "
            f"{self._held.since}, and had {self._best:.2f}: {_BRIGHT}"
        )


class Checks:
    """A pattern that repeats every 2, 4 or 8 pixels, as networks leave it that enlarge by strides."""

    def __init__(self, periods: Sequence[int] = _PERIODS) -> None:
        self.periods = periods
        self._held = {period: _InARow(_IN_A_ROW) for period in periods}

    def __call__(self, step: int, pictures: Pictures) -> str | None:
        """What is seen."""
        made, real = pictures
        if made.shape[1] not in (1, 3) or real.shape[1] not in (1, 3):
            return None
        is_found = False
        for period in self.periods:
            if min(*made.shape[-2:], *real.shape[-2:]) < 16 * period:
                continue
            of_made, of_real = (float(grid_peak(one.expand(-1, 3, -1, -1), period).median()) for one in (made, real))
            stands_out = step > _FIRST and not is_found and of_made > _STANDS_OUT * max(1.0, of_real)
            is_found = is_found or stands_out
            if self._held[period](stands_out, step):
                times, since = of_made / max(1.0, of_real), self._held[period].since
                return (
                    f"step {step}: pictures that are made repeat every {period} pixels since step {since}, {times:.0f} "
                    f"times as much as real ones: {_CHECKED}"
                )
        return None
