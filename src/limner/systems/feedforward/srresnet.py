"""SRResNet: sixteen residual blocks at low resolution, enlarged by sub-pixel convolution at the end.

Ledig et al., "Photo-realistic single image super-resolution using a generative adversarial network", CVPR 2017,
arXiv:1609.04802 (figure 4 and section 2; this is its network trained with the mean squared error alone).
Differs from the paper: `SRRESNET_MODERN` is ours. Norm, activation and output have other choices for the networks of
others, which `limner import` reads.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from limner.config import Config
from limner.data.pairs import Pair
from limner.loops.fit import FitConfig
from limner.loops.optimizers import OptimizerConfig
from limner.loops.presets import modern_fit
from limner.ports import PHOTO, Port
from limner.types import Forward, Image, Progress, Turn


class SRResNetConfig(Config):
    """The generator of figure 4."""

    scale: Literal[2, 3, 4, 8] = Field(4, description="r in the paper")
    num_blocks: int = Field(16, ge=0, description="residual blocks, B in the paper")
    channels: int = Field(64, ge=1)
    skip: bool = Field(False, description="paint on the bilinearly enlarged picture (ours)")
    norm: Literal["batch", "instance"] = Field("batch", description="the paper's is batch")
    activation: Literal["prelu", "leaky"] = Field("prelu", description="the paper's is prelu; leaky: 0.2 below 0")
    output: Literal["signed", "tanh", "unit"] = Field(
        "signed", description="what the last layer gives: in [-1, 1] as in the paper, that by tanh, or in [0, 1]"
    )


SRRESNET_2017 = SRResNetConfig()
# Ours: less than half of the work; what need not learn to copy its picture learns sooner what that lacks.
SRRESNET_MODERN = SRResNetConfig(num_blocks=8, channels=48, skip=True)

FIT_2017 = FitConfig(  # section 3.2: 10^6 steps at 1e-4, batches of 16 crops of 96x96
    steps=1_000_000,
    batch_size=16,
    optimizer=OptimizerConfig(kind="adam", learning_rate=1e-4),
)
FIT_MODERN = modern_fit(200_000, 4, 5e-4, clip_norm=4.0)  # ours


class ResidualBlock(nn.Module):
    """x + BN(conv(PReLU(BN(conv(x)))))."""

    def __init__(self, config: SRResNetConfig) -> None:
        super().__init__()
        channels = config.channels
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            _norm(config),
            _activation(config),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            _norm(config),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, h, w) -> (n, c, h, w)."""
        return x + self.body(x)


def _norm(config: SRResNetConfig) -> nn.Module:
    if config.norm == "instance":
        return nn.InstanceNorm2d(config.channels, affine=True)
    return nn.BatchNorm2d(config.channels)


def _activation(config: SRResNetConfig) -> nn.Module:
    return nn.PReLU() if config.activation == "prelu" else nn.LeakyReLU(0.2)


def sub_pixel(config: SRResNetConfig, factor: int) -> nn.Sequential:
    """Enlarge by `factor`: a convolution to factor^2 times the channels, then pixel shuffle (Shi et al. 2016)."""
    return nn.Sequential(
        nn.Conv2d(config.channels, config.channels * factor**2, 3, padding=1),
        nn.PixelShuffle(factor),
        _activation(config),
    )


class SRResNet(nn.Module):
    """RGB in, RGB out, `config.scale` times as large."""

    inputs = (PHOTO,)
    needs_whole = False
    """Whether `enlarge` must be given a whole picture, not its parts."""

    def __init__(self, config: SRResNetConfig = SRRESNET_2017) -> None:
        super().__init__()
        self.config = config
        self.scales = (config.scale,)
        self.outputs = (Port("result", "photo", scale=config.scale),)
        channels = config.channels
        self.head = nn.Sequential(nn.Conv2d(3, channels, 9, padding=4), _activation(config))
        self.blocks = nn.Sequential(*(ResidualBlock(config) for _ in range(config.num_blocks)))
        self.middle = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            _norm(config),
        )
        self.upsample = nn.Sequential(*(sub_pixel(config, factor) for factor in self._factors))
        self.tail = nn.Conv2d(channels, 3, 9, padding=4)
        if config.skip:
            self.tail.weight.data.mul_(0.1)  # training begins near the bilinear enlargement

    @property
    def _factors(self) -> list[int]:
        return [3] if self.config.scale == 3 else [2] * int(math.log2(self.config.scale))

    @property
    def players(self) -> Mapping[str, nn.Module]:
        """One: the whole network."""
        return {"generator": self}

    def forward(self, image: Image) -> Float[Tensor, "n 3 H W"]:
        """RGB in [0, 1] -> RGB about [0, 1], not clipped; the paper's network gives [-1, 1] (section 3.2)."""
        first = self.head(image)  # (n, c, h, w)
        deep = first + self.middle(self.blocks(first))
        painted = self.tail(self.upsample(deep))  # (n, 3, scale h, scale w)
        if self.config.skip:
            return painted + F.interpolate(image, scale_factor=float(self.config.scale), mode="bilinear")
        if self.config.output == "unit":
            return painted
        return ((torch.tanh(painted) if self.config.output == "tanh" else painted) + 1) / 2

    def turns(self, batch: Pair, progress: Progress) -> Iterator[Turn]:
        """The pixel-wise mean squared error of equation 4, of pictures in [-1, 1] (section 3.2)."""
        yield Turn("generator", {"mse": F.mse_loss(2 * self(batch.source).float(), 2 * batch.target)})

    def enlarge(self, image: Image, scale: int, run: Forward | None = None) -> Float[Tensor, "n 3 H W"]:
        """Enlarge an RGB picture; `run` stands for `forward` where given."""
        assert scale == self.config.scale
        return (run or self)(image).clamp(0, 1)
