"""Networks that grow while they learn: from small pictures to large ones, a level at a time.

Karras, Aila, Laine and Lehtinen, "Progressive growing of GANs for improved quality, stability, and variation", ICLR
2018, arXiv:1710.10196, section 2 and figure 2.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from limner.config import Config
from limner.types import Progress

LEAST_SIDE = 4
"""Of the first map, in pixels: that of level 0; each other level has twice the side."""


class Growth(NamedTuple):
    """How far networks have grown."""

    level: int
    """Of the largest maps."""
    shown: float
    """Of that level, in [0, 1]; the rest of the picture is of the level below."""

    def of_levels(self, number: int) -> Float[Tensor, " l"]:
        """How much of each level stands before the one below.

        >>> Growth(1, 0.25).of_levels(3)
        tensor([1.0000, 0.2500, 0.0000])
        """
        levels = torch.arange(number)
        return (levels < self.level).float() + self.shown * (levels == self.level)

    def seen(self, real: Float[Tensor, "n c h w"], levels: int) -> Float[Tensor, "n c h2 w2"]:
        """Real pictures as large as the networks have grown; while a level fades in, so does its detail."""
        for _ in range(levels - 1 - self.level):
            real = halved(real)
        return real if self.shown == 1 else torch.lerp(doubled(halved(real)), real, self.shown)


class GrowthConfig(Config):
    """Levels are trained and the next ones faded in in turn, as long each; the last one is trained to the end."""

    first_side: int = Field(8, ge=LEAST_SIDE, description="of the pictures that it begins with, in pixels")
    phase_share: float = Field(
        0.024,
        ge=0,
        description="of the run, to train a level, and as much to fade in the next: 600,000 of 25 million pictures; "
        "0: no growth",
    )

    def at(self, progress: Progress, sides: list[int]) -> Growth:
        """How far networks of these sides have grown when a step begins."""
        last = len(sides) - 1
        if not self.phase_share:
            return Growth(last, 1.0)
        first, phases = sides.index(self.first_side), progress.share / self.phase_share
        grown = min(int((phases + 1) / 2), last - first)
        return Growth(first + grown, min(1.0, phases - 2 * grown + 1) if grown else 1.0)


def doubled(image: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h2 w2"]:
    """Each pixel four times."""
    return F.interpolate(image, scale_factor=2.0, mode="nearest")


def halved(image: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h2 w2"]:
    """The mean of each four pixels."""
    return F.avg_pool2d(image, 2)
