"""EDSR: residual blocks without batch norm at low resolution, enlarged by sub-pixel convolution at the end.

Lim, Son, Kim, Nah, Lee, "Enhanced deep residual networks for single image super-resolution", CVPR workshops 2017,
arXiv:1707.02921 (figure 2c, table 1 and section 3). The geometric self-ensemble of section 3.3 is left out.
Differs from the paper: pictures are in [0, 1], not [0, 255]; the `LIGHT` networks are ours.
"""

import math
from collections.abc import Iterator
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from limner.config import Config
from limner.data.pairs import Pair
from limner.layers.enlarger import Enlarger
from limner.loops.fit import FitConfig
from limner.loops.optimizers import ClipConfig, OptimizerConfig, ScheduleConfig
from limner.ops.color import luminance
from limner.ports import PHOTO
from limner.types import Image, Progress, Turn

_MEAN = (0.4488, 0.4371, 0.4040)
"""Of the R, G and B of DIV2K's training pictures, in [0, 1]; section 4.2 takes it away."""


class EDSRConfig(Config):
    """The network of figure 3; without more it is the baseline of table 1 at x2."""

    scale: Literal[2, 3, 4] = 2
    num_blocks: int = Field(16, ge=0, description="residual blocks, B in the paper")
    channels: int = Field(64, ge=1, description="F in the paper")
    residual_scale: float = Field(1.0, gt=0, description="what blocks add is multiplied by this (section 3.1)")
    direct: bool = Field(False, description="colours straight from low resolution: one sub-pixel convolution (ours)")
    skip: bool = Field(False, description="paint on the enlarged picture: cubic, a = -0.75 (ours)")
    luminance_weight: float = Field(0.0, ge=0, description="of the L1 loss of luminance, beside that of RGB (ours)")


BASELINE_2017 = EDSRConfig()
EDSR_2017 = EDSRConfig(num_blocks=32, channels=256, residual_scale=0.1)
LIGHT = EDSRConfig(num_blocks=6, channels=48, direct=True, skip=True, luminance_weight=1.0)
"""Ours: a fifth of the baseline's weights, for CPUs."""

FIT_2017 = FitConfig(  # section 4.2: 16 crops of 48x48, Adam at 1e-4, halved every 200,000 updates
    steps=1_000_000,
    batch_size=16,
    optimizer=OptimizerConfig(kind="adam", learning_rate=1e-4),
    schedule=ScheduleConfig(kind="step", every=0.2, factor=0.5),
)
FIT_LIGHT = FitConfig(  # ours, for an hour of one core
    steps=200_000,
    batch_size=16,
    optimizer=OptimizerConfig(kind="adam", learning_rate=1e-3),
    schedule=ScheduleConfig(kind="cosine", warmup_steps=200),
    clip=ClipConfig(kind="norm", threshold=1.0),
    precision="bfloat16",
    ema_decay=0.999,
)
FIT_PHOTO = FIT_LIGHT.model_copy(  # begins with a trained network
    update={"optimizer": OptimizerConfig(kind="adam", learning_rate=5e-4)}
)


class ResidualBlock(nn.Module):
    """x + scale conv(ReLU(conv(x)))."""

    def __init__(self, channels: int, scale: float) -> None:
        super().__init__()
        self.scale = scale
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels, channels, 3, padding=1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, h, w) -> (n, c, h, w)."""
        change = self.body(x)
        return x + (change if self.scale == 1 else self.scale * change)


def sub_pixel(in_channels: int, out_channels: int, factor: int) -> nn.Sequential:
    """Enlarge by `factor`: a convolution to factor^2 times the channels, then pixel shuffle (Shi et al. 2016)."""
    return nn.Sequential(nn.Conv2d(in_channels, out_channels * factor**2, 3, padding=1), nn.PixelShuffle(factor))


class EDSR(Enlarger):
    """RGB in, RGB out, `config.scale` times as large."""

    inputs = (PHOTO,)

    mean: Tensor

    def __init__(self, config: EDSRConfig = BASELINE_2017) -> None:
        super().__init__(config.scale)
        self.config = config
        channels = config.channels
        self.register_buffer("mean", torch.tensor(_MEAN)[None, :, None, None], persistent=False)
        self.head = nn.Conv2d(3, channels, 3, padding=1)
        self.blocks = nn.Sequential(*(ResidualBlock(channels, config.residual_scale) for _ in range(config.num_blocks)))
        self.middle = nn.Conv2d(channels, channels, 3, padding=1)
        self.upsample = self._upsampling()
        if config.skip:
            painting = self.upsample[0 if config.direct else -1]
            assert isinstance(painting, nn.Conv2d)
            painting.weight.data.mul_(0.1)  # training begins near the cubic enlargement

    def _upsampling(self) -> nn.Sequential:
        scale, channels = self.config.scale, self.config.channels
        if self.config.direct:
            return sub_pixel(channels, 3, scale)
        factors = [3] if scale == 3 else [2] * int(math.log2(scale))
        enlarging = [sub_pixel(channels, channels, factor) for factor in factors]
        return nn.Sequential(*enlarging, nn.Conv2d(channels, 3, 3, padding=1))

    def forward(self, image: Image) -> Float[Tensor, "n 3 H W"]:
        """RGB in [0, 1] -> RGB about [0, 1], not clipped."""
        first = self.head(image - self.mean)  # (n, c, h, w)
        painted = self.upsample(first + self.middle(self.blocks(first)))  # (n, 3, scale h, scale w)
        if self.config.skip:
            return painted + F.interpolate(image, scale_factor=float(self.config.scale), mode="bicubic")
        return painted + self.mean

    def turns(self, batch: Pair, progress: Progress) -> Iterator[Turn]:
        """The mean absolute error of section 3.2, in [0, 1] units; ours also that of the luminance alone."""
        result, weight = self(batch.source).float(), self.config.luminance_weight
        losses = {"l1": F.l1_loss(result, batch.target)}
        if weight:
            losses["luminance"] = weight * F.l1_loss(luminance(result), luminance(batch.target))
        yield Turn("network", losses)
