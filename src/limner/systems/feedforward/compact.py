"""A plain chain of convolutions that enlarges in its last layer: the compact network of Real-ESRGAN.

Wang, Xie, Dong and Shan, "Real-ESRGAN: training real-world blind super-resolution with pure synthetic data", ICCV
workshops 2021, arXiv:2107.10833; the network is not in the paper but in its authors' code, as SRVGGNetCompact.
`limner import` reads what others have trained.
Differs from the code: it is trained with the L1 loss alone; `LIGHT` is ours.
"""

import itertools
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
from limner.loops.optimizers import OptimizerConfig
from limner.loops.presets import modern_fit
from limner.ports import PHOTO
from limner.types import Image, Progress, Turn


class CompactConfig(Config):
    """The chain."""

    scale: Literal[1, 2, 3, 4] = Field(4, description="that it enlarges by; 1 restores")
    num_layers: int = Field(16, ge=0, description="convolutions between first and last")
    channels: int = Field(64, ge=1)
    activation: Literal["prelu", "relu", "leaky"] = Field("prelu", description="leaky: 0.1 below 0")


REAL_ESRGAN = CompactConfig()
LIGHT = CompactConfig(num_layers=8, channels=32)
"""Ours: a seventh of the weights, for CPUs."""

FIT_REAL_ESRGAN = FitConfig(  # of Real-ESRNet, as its authors document it
    steps=1_000_000,
    batch_size=48,
    optimizer=OptimizerConfig(kind="adam", learning_rate=2e-4),
    ema_decay=0.999,
)
FIT_MODERN = modern_fit(200_000, 4, 5e-4, clip_norm=1.0)  # ours


class Compact(Enlarger):
    """RGB in, RGB out, `config.scale` times as large."""

    inputs = (PHOTO,)

    def __init__(self, config: CompactConfig = REAL_ESRGAN) -> None:
        super().__init__(config.scale)
        self.config = config
        widths = [3, *[config.channels] * (config.num_layers + 1)]
        layers: list[nn.Module] = []
        for before, after in itertools.pairwise(widths):
            layers += [nn.Conv2d(before, after, 3, padding=1), _activation(config)]
        self.layers = nn.Sequential(*layers, nn.Conv2d(config.channels, 3 * config.scale**2, 3, padding=1))

    def forward(self, image: Image) -> Float[Tensor, "n 3 H W"]:
        """RGB in [0, 1] -> RGB about [0, 1], not clipped: what is learnt, on the picture of larger pixels."""
        painted = F.pixel_shuffle(self.layers(image), self.config.scale)
        return painted + F.interpolate(image, scale_factor=float(self.config.scale), mode="nearest")

    def turns(self, batch: Pair, progress: Progress) -> Iterator[Turn]:
        """The L1 loss, in [0, 1] units."""
        yield Turn("network", {"l1": F.l1_loss(self(batch.source).float(), batch.target)})


def _activation(config: CompactConfig) -> nn.Module:
    if config.activation == "prelu":
        return nn.PReLU(config.channels)
    return nn.ReLU() if config.activation == "relu" else nn.LeakyReLU(0.1)
