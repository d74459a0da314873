"""Which models enlarge by a factor: one, or one after another, and how far beyond it they go."""

import itertools
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from limner.arguments import check_number
from limner.errors import LimnerError

MOST = 16
"""The largest factor: four times, and four times again."""

BEST = {2: "edsr-x2", 3: "edsr-x3", 4: "edsr-x4"}
"""The embedded models that `auto` means, by scale: those of the highest PSNR on Set5 by `sr-y-shave`."""
PHOTO = {2: "photo-x2"}
"""What `photo` begins with: it mends blur, noise and JPEG."""
FAMILIES: Mapping[str, Mapping[int, str]] = {"auto": BEST, "photo": PHOTO}


class Passes(NamedTuple):
    """Models that enlarge one after the other, and by how much in all."""

    models: tuple[str, ...]
    scale: int


def passes(family: str, factor: float) -> Passes:
    """What of a family enlarges by the factor, or by the least more; one model rather than two.

    The second of two is one of `auto`, for the first one's result is clean.

    >>> passes("auto", 4).models, passes("auto", 1.5), passes("photo", 6).models
    (('edsr-x4',), Passes(models=('edsr-x2',), scale=2), ('photo-x2', 'edsr-x3'))

    Raises:
        LimnerError: If the factor is not above 1, or above what the family can.
    """
    check_factor(factor)
    first = FAMILIES[family]
    found: dict[int, tuple[str, ...]] = {scale: (name,) for scale, name in first.items()}
    for one, two in itertools.product(first, BEST):
        found.setdefault(one * two, (first[one], BEST[two]))
    scale = next_larger(family, sorted(found), factor)
    return Passes(found[scale], scale)


def next_larger(model: str, scales: Sequence[int], factor: float) -> int:
    """The least of a model's own scales that is not below the factor.

    Raises:
        LimnerError: If there is none.
    """
    check_factor(factor)
    enough = [scale for scale in scales if scale >= factor]
    if not enough:
        raise LimnerError(
            f"{model} enlarges by up to {max(scales)}, got {factor:g}: ask for a smaller scale or another model"
        )
    return min(enough)


def check_factor(factor: float) -> None:
    """Refuse what no model enlarges by.

    Raises:
        LimnerError: If it is not above 1, or above 16.
    """
    check_number("scale", factor, "1.5 makes 100 pixels 150")
    if not 1 < factor <= MOST:
        raise LimnerError(f"scale must be above 1 and at most {MOST}, got {factor:g}: 1.5 makes 100 pixels 150")
