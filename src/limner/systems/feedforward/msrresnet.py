"""MSRResNet: SRResNet as the authors of ESRGAN simplified it, without norms, on a bilinear skip.

Wang et al., "ESRGAN: enhanced super-resolution generative adversarial networks", ECCV workshops 2018, arXiv:1809.00219,
section 3.1, takes batch norm away from the SRResNet of Ledig et al. 2017, arXiv:1609.04802; the rest is that of the
network MSRResNet in the authors' code, BasicSR. `limner import` reads what others have trained.
Differs from the code: the rate falls once and along one cosine; `LIGHT` is ours.
"""

import math
from collections.abc import Iterator
from typing import Literal

import torch.nn.functional as F
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from limner.config import Config
from limner.data.pairs import Pair
from limner.layers.enlarger import Enlarger
from limner.loops.fit import FitConfig
from limner.loops.optimizers import OptimizerConfig, ScheduleConfig
from limner.loops.presets import modern_fit
from limner.ports import PHOTO
from limner.types import Image, Progress, Turn

_SLOPE = 0.1  # of leaky ReLUs


class MSRResNetConfig(Config):
    """The network of BasicSR."""

    scale: Literal[2, 3, 4] = Field(4, description="that it enlarges by")
    num_blocks: int = Field(16, ge=0, description="residual blocks")
    channels: int = Field(64, ge=1)
    leaky_ups: bool = Field(True, description="leaky ReLUs after pixel shuffles; MMagic's version has none")


BASICSR = MSRResNetConfig()
LIGHT = MSRResNetConfig(num_blocks=6, channels=32)
"""Ours: an eighth of the weights, for CPUs."""

FIT_BASICSR = FitConfig(  # the code's settings for x4, whose cosine begins anew every 250,000 steps
    steps=1_000_000,
    batch_size=16,
    optimizer=OptimizerConfig(kind="adam", learning_rate=2e-4, betas=(0.9, 0.99)),
    schedule=ScheduleConfig(kind="cosine"),
    ema_decay=0.999,
)
FIT_MODERN = modern_fit(200_000, 4, 5e-4, clip_norm=1.0)  # ours


class ResidualBlock(nn.Module):
    """x + conv(ReLU(conv(x)))."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first, self.second = (nn.Conv2d(channels, channels, 3, padding=1) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, h, w) -> (n, c, h, w)."""
        return x + self.second(F.relu(self.first(x)))


class MSRResNet(Enlarger):
    """RGB in, RGB out, `config.scale` times as large."""

    inputs = (PHOTO,)

    def __init__(self, config: MSRResNetConfig = BASICSR) -> None:
        super().__init__(config.scale)
        self.config = config
        channels = config.channels
        self._factors = [3] if config.scale == 3 else [2] * int(math.log2(config.scale))
        self.head = nn.Conv2d(3, channels, 3, padding=1)
        self.blocks = nn.Sequential(*(ResidualBlock(channels) for _ in range(config.num_blocks)))
        self.ups = nn.ModuleList(nn.Conv2d(channels, channels * factor**2, 3, padding=1) for factor in self._factors)
        self.fine = nn.Conv2d(channels, channels, 3, padding=1)
        self.last = nn.Conv2d(channels, 3, 3, padding=1)

    def forward(self, image: Image) -> Float[Tensor, "n 3 H W"]:
        """RGB in [0, 1] -> RGB about [0, 1], not clipped."""
        x = self.blocks(F.leaky_relu(self.head(image), _SLOPE))
        for up, factor in zip(self.ups, self._factors, strict=True):
            x = F.pixel_shuffle(up(x), factor)
            x = F.leaky_relu(x, _SLOPE) if self.config.leaky_ups else x
        painted = self.last(F.leaky_relu(self.fine(x), _SLOPE))
        return painted + F.interpolate(image, scale_factor=float(self.config.scale), mode="bilinear")

    def turns(self, batch: Pair, progress: Progress) -> Iterator[Turn]:
        """The L1 loss, in [0, 1] units."""
        yield Turn("network", {"l1": F.l1_loss(self(batch.source).float(), batch.target)})
