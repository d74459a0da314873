"""RRDBNet: the generator of ESRGAN, dense blocks in residual blocks in residual blocks, without a norm.

Wang et al., "ESRGAN: enhanced super-resolution generative adversarial networks", ECCV workshops 2018, arXiv:1809.00219,
section 3.1, figures 3 and 4. This is its network trained with the L1 loss alone (section 4.1), with which the game of
the paper begins; `limner import` reads what others have trained.
Differs from the paper: that enlarges by 4 alone; for 2 and 1 the picture is folded into blocks of 2x2 and 4x4 first, as
in the authors' later code. `LIGHT` is ours.
"""

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
from limner.loops.optimizers import OptimizerConfig, ScheduleConfig
from limner.loops.presets import modern_fit
from limner.ports import Port
from limner.types import Forward, Image, Progress, Turn

_SLOPE = 0.2  # of leaky ReLUs
_SCALING = 0.2  # beta of figure 4: of what a block adds
_DENSE = 5  # convolutions of a dense block
_FOLDS = {4: 1, 2: 2, 1: 4}  # sides of the blocks that become channels, by the scale


class RRDBNetConfig(Config):
    """The network of figures 3 and 4."""

    scale: Literal[1, 2, 4] = Field(4, description="that it enlarges by; 1 restores")
    num_blocks: int = Field(23, ge=0, description="residual-in-residual dense blocks")
    channels: int = Field(64, ge=1, description="of all maps between blocks")
    growth: int = Field(32, ge=1, description="channels that each convolution of a dense block adds")


ESRGAN_2018 = RRDBNetConfig()
LIGHT = RRDBNetConfig(num_blocks=3, channels=32, growth=16)
"""Ours: a thirtieth of the weights, for CPUs."""

FIT_2018 = FitConfig(  # 10^6 steps and 16 crops as in the authors' code; that the rate halves in steps is ours
    steps=1_000_000,
    batch_size=16,
    optimizer=OptimizerConfig(kind="adam", learning_rate=2e-4),
    schedule=ScheduleConfig(kind="step", every=0.2, factor=0.5),
)
FIT_MODERN = modern_fit(200_000, 4, 5e-4, clip_norm=1.0)  # ours


class DenseBlock(nn.Module):
    """Each convolution sees what the block is given and what those before it have made."""

    def __init__(self, config: RRDBNetConfig) -> None:
        super().__init__()
        widths = [config.channels + config.growth * number for number in range(_DENSE)]
        made = [config.growth] * (_DENSE - 1) + [config.channels]
        self.convolutions = nn.ModuleList(
            nn.Conv2d(before, after, 3, padding=1) for before, after in zip(widths, made, strict=True)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, h, w) -> (n, c, h, w)."""
        *inner, last = self.convolutions
        seen = x
        for convolution in inner:
            seen = torch.cat([seen, F.leaky_relu(convolution(seen), _SLOPE)], 1)
        return x + _SCALING * last(seen)


class ResidualInResidual(nn.Module):
    """Three dense blocks, and what they were given beside them."""

    def __init__(self, config: RRDBNetConfig) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*(DenseBlock(config) for _ in range(3)))

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, h, w) -> (n, c, h, w)."""
        return x + _SCALING * self.blocks(x)


class RRDBNet(Enlarger):
    """RGB in, RGB out, `config.scale` times as large."""

    def __init__(self, config: RRDBNetConfig = ESRGAN_2018) -> None:
        super().__init__(config.scale)
        self.config = config
        channels, self.fold = config.channels, _FOLDS[config.scale]
        self.head = nn.Conv2d(3 * self.fold**2, channels, 3, padding=1)
        self.blocks = nn.Sequential(*(ResidualInResidual(config) for _ in range(config.num_blocks)))
        self.middle = nn.Conv2d(channels, channels, 3, padding=1)
        self.ups = nn.ModuleList(nn.Conv2d(channels, channels, 3, padding=1) for _ in range(2))
        self.fine = nn.Conv2d(channels, channels, 3, padding=1)
        self.last = nn.Conv2d(channels, 3, 3, padding=1)

    @property
    def inputs(self) -> tuple[Port, ...]:
        """A picture that its blocks divide."""
        return (Port("image", "photo", multiple=self.fold, least=2 * self.fold),)

    def forward(self, image: Image) -> Float[Tensor, "n 3 H W"]:
        """RGB in [0, 1] -> RGB about [0, 1], not clipped."""
        first = self.head(F.pixel_unshuffle(image, self.fold) if self.fold > 1 else image)
        x = first + self.middle(self.blocks(first))
        for up in self.ups:
            x = F.leaky_relu(up(F.interpolate(x, scale_factor=2.0, mode="nearest")), _SLOPE)
        painted: Tensor = self.last(F.leaky_relu(self.fine(x), _SLOPE))
        return painted

    def turns(self, batch: Pair, progress: Progress) -> Iterator[Turn]:
        """The L1 loss, in [0, 1] units."""
        yield Turn("network", {"l1": F.l1_loss(self(batch.source).float(), batch.target)})

    def enlarge(self, image: Image, scale: int, run: Forward | None = None) -> Float[Tensor, "n 3 H W"]:
        """Enlarge an RGB picture, continued at the right and the bottom to whole blocks; `run` stands for `forward`."""
        assert scale == self.config.scale
        height, width = image.shape[-2:]
        whole = F.pad(image, (0, -width % self.fold, 0, -height % self.fold), mode="replicate")
        return (run or self)(whole)[..., : scale * height, : scale * width].clamp(0, 1)
