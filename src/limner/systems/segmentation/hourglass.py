"""Hourglass networks: what each pixel belongs to, from one resolution, from a bottleneck, and with copies beside it.

The three steps that lead to U-Net: a network that keeps its resolution; one that pools and unpools, after Noh, Hong and
Han, "Learning deconvolution network for semantic segmentation", ICCV 2015, arXiv:1505.04366, whose max unpooling puts
each value back where its pool found it; and the same with copies from the way down, as in Ronneberger et al. 2015,
arXiv:1505.04597. The encoder is plain, or of residual blocks after He et al. 2016, arXiv:1512.03385, figure 2.
Differs from the papers: widths are ours, so that each step takes about 70,000 multiplications a pixel.
"""

from collections.abc import Iterator, Mapping
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from limner.config import Config
from limner.data.segmented import Segmented
from limner.layers.upsampling import Operator, upsampling
from limner.loops.presets import modern_fit
from limner.losses.segmentation import weighted_cross_entropy
from limner.ops.unpool import max_unpool
from limner.ports import Port
from limner.types import Progress, Turn


class HourglassNetConfig(Config):
    """The network, of one of the three steps."""

    in_channels: int = Field(1, ge=1, description="of the picture; the data tell")
    num_classes: int = Field(2, ge=2, description="the data tell")
    class_names: tuple[str, ...] = Field((), description="the data tell")
    class_colors: tuple[tuple[int, int, int], ...] = Field((), description="by which results show them; the data tell")
    border: int = Field(
        0, ge=0, description="pixels that objects grow over the last class, which is their outline; the data tell"
    )
    channels: int = Field(24, ge=1, description="of the first scale; each has twice as many as the one above")
    depth: int = Field(3, ge=0, description="times that the sides are halved; 0 keeps the resolution")
    blocks: int = Field(1, ge=1, description="blocks of two convolutions on each scale, on the way down")
    residual: bool = Field(False, description="blocks add to what they are given, basically as a ResNet's do")
    unpooling: Operator | Literal["max"] = Field(
        "max", description="max puts values where the pool of the same scale found them; or an operator without a pool"
    )
    skips: bool = Field(False, description="copies from the way down beside what comes up")


SAME_RESOLUTION = HourglassNetConfig(channels=32, depth=0, blocks=4)
HOURGLASS = HourglassNetConfig()
HOURGLASS_SKIPS = HourglassNetConfig(skips=True)
"""The three steps."""

HOURGLASS_RESNET = HourglassNetConfig(blocks=2, residual=True, skips=True)
"""The third with an encoder that is basically a ResNet."""

FIT = modern_fit(20_000, 4, 2e-3, clip_norm=1.0)


class HourglassNet(nn.Module):
    """A picture in, the logits of the classes of its pixels out."""

    def __init__(self, config: HourglassNetConfig = HOURGLASS) -> None:
        super().__init__()
        self.config = config
        widths = [config.channels * 2**number for number in range(config.depth + 1)]
        before = [config.in_channels, *widths[:-1]]
        self.downs = nn.ModuleList(
            nn.Sequential(Block(one, width, config), *(Block(width, width, config) for _ in range(config.blocks - 1)))
            for one, width in zip(before, widths, strict=True)
        )
        self.ups = nn.ModuleList(_up(config, 2 * width, width) for width in reversed(widths[:-1]))
        copies = 2 if config.skips else 1
        self.joins = nn.ModuleList(Block(copies * width, width, config) for width in reversed(widths[:-1]))
        self.last = nn.Conv2d(config.channels, config.num_classes, 1)

    @property
    def inputs(self) -> tuple[Port, ...]:
        """A picture whose sides are multiples of the deepest scale's pixels."""
        multiple = 2**self.config.depth
        return (Port("image", "photo", self.config.in_channels, multiple=multiple, least=2 * multiple),)

    @property
    def outputs(self) -> tuple[Port, ...]:
        """The logits, as large as the picture."""
        return (Port("classes", "logits", self.config.num_classes),)

    @property
    def players(self) -> Mapping[str, nn.Module]:
        """One: the whole network."""
        return {"network": self}

    def forward(self, image: Float[Tensor, "n c h w"]) -> Float[Tensor, "n k h w"]:
        """A picture in [0, 1] -> the logits of its pixels."""
        x, seen, places = self.downs[0](2 * image - 1), list[Tensor](), list[Tensor]()
        for down in self.downs[1:]:
            seen.append(x)
            x, place = F.max_pool2d(x, 2, return_indices=True)
            places.append(place)
            x = down(x)
        for up, join in zip(self.ups, self.joins, strict=True):
            place, copy = places.pop(), seen.pop()
            x = max_unpool(up(x), place) if self.config.unpooling == "max" else up(x)
            x = join(torch.cat([copy, x], 1) if self.config.skips else x)
        logits: Tensor = self.last(x)
        return logits

    def turns(self, batch: Segmented, progress: Progress) -> Iterator[Turn]:
        """The cross entropy of the soft-max, weighted as the data say."""
        logits = self(batch.image).float()
        yield Turn("network", {"cross_entropy": weighted_cross_entropy(logits, batch.label, batch.weight)})


def _up(config: HourglassNetConfig, in_channels: int, out_channels: int) -> nn.Module:
    """What brings a scale to the channels of the one above, and, but for max unpooling, to its size."""
    if config.unpooling == "max":
        return nn.Conv2d(in_channels, out_channels, 1)
    return upsampling(config.unpooling, in_channels, out_channels)


class Block(nn.Module):
    """Two 3x3 convolutions with batch norms; a residual one adds to what it is given, by a 1x1 where widths differ."""

    def __init__(self, in_channels: int, out_channels: int, config: HourglassNetConfig) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
            nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
        )
        self.shortcut: nn.Module | None = None
        if config.residual:
            widen = nn.Conv2d(in_channels, out_channels, 1, bias=False)
            self.shortcut = nn.Identity() if in_channels == out_channels else widen

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, h, w) -> (n, d, h, w)."""
        result = self.layers(x)
        return F.relu(result if self.shortcut is None else result + self.shortcut(x))
