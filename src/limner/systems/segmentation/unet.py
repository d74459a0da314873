"""U-Net: what each pixel belongs to, by a contracting path, an expanding one, and copies from one to the other.

Ronneberger, Fischer and Brox, "U-Net: convolutional networks for biomedical image segmentation", MICCAI 2015,
arXiv:1505.04597, figure 1 and sections 2 and 3. `forward` mirrors the picture at its borders (figure 2), so that the
classes of all its pixels come out; `paths` is figure 1 alone.
Differs from the paper: the `MODERN` network is ours. `range` and the upsampling `corners` are for the networks of
milesial/Pytorch-UNet, which `limner import` reads.
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
from limner.loops.fit import FitConfig
from limner.loops.optimizers import OptimizerConfig
from limner.loops.presets import modern_fit
from limner.losses.segmentation import soft_dice, weighted_cross_entropy
from limner.ports import Port
from limner.types import Progress, Turn


class UNetConfig(Config):
    """The network of figure 1."""

    in_channels: int = Field(1, ge=1, description="of the picture; the data tell")
    num_classes: int = Field(2, ge=2, description="the data tell")
    class_names: tuple[str, ...] = Field((), description="the data tell")
    class_colors: tuple[tuple[int, int, int], ...] = Field((), description="by which results show them; the data tell")
    border: int = Field(
        0, ge=0, description="pixels that objects grow over the last class, which is their outline; the data tell"
    )
    channels: int = Field(64, ge=1, description="of the first layers; each scale has twice as many")
    depth: int = Field(4, ge=1, description="times that the sides are halved")
    valid: bool = Field(True, description="convolutions give what they see whole; False pads, and is ours")
    norm: Literal["none", "batch"] = Field("none", description="after each convolution; batch is ours")
    residual: bool = Field(False, description="each two convolutions add to what they are given; ours")
    upsampling: Operator | Literal["corners"] = Field(
        "transposed",
        description="the 2x2 up-convolution, or another operator; corners: bilinear from corner to corner, without "
        "weights, for which each scale gives half of its channels to the next",
    )
    range: Literal["signed", "unit"] = Field("signed", description="what the first layer takes: [-1, 1] or [0, 1]")
    skips: bool = Field(True, description="the copies from the contracting path")
    dropout: float = Field(0.5, ge=0, lt=1, description="at the end of the contracting path (section 3.1)")
    dice_weight: float = Field(0.0, ge=0, description="of 1 - the soft Dice coefficient; not in the paper")


UNET_2015 = UNetConfig()
MODERN = UNetConfig(channels=16, valid=False, norm="batch", dropout=0.1, dice_weight=0.3)
"""Ours: a sixteenth of the weights, for CPUs."""

FIT_2015 = FitConfig(  # section 3: a batch of one large tile, momentum 0.99; the rate is that of the authors' release
    steps=60_000,
    batch_size=1,
    optimizer=OptimizerConfig(kind="sgd", learning_rate=1e-3, momentum=0.99),
)
FIT_MODERN = modern_fit(20_000, 4, 2e-3, clip_norm=1.0)


def side_after(side: int, config: UNetConfig) -> int | None:
    """The side of what figure 1 gives, in pixels; None if a pool would see an odd side, or nothing is left.

    >>> side_after(572, UNET_2015)
    388
    """
    lost = 4 if config.valid else 0
    for _ in range(config.depth):
        side -= lost
        if side < 2 or side % 2:
            return None
        side //= 2
    side -= lost
    for _ in range(config.depth):
        side = 2 * side - lost
    return side if side > 0 else None


class UNet(nn.Module):
    """A picture in, the logits of the classes of its pixels out."""

    needs_whole = False

    def __init__(self, config: UNetConfig = UNET_2015) -> None:
        super().__init__()
        self.config = config
        widths = [config.channels * 2**number for number in range(config.depth + 1)]
        thin = config.upsampling == "corners"
        deep = [*widths[:-1], widths[-1] // 2] if thin else widths
        before = [config.in_channels, *widths[:-1]]
        self.downs = nn.ModuleList(Twice(*pair, config) for pair in zip(before, deep, strict=True))
        self.ups = nn.ModuleList(_up(config, width) for width in reversed(widths[:-1]))
        copies = 2 if config.skips else 1
        self.joins = nn.ModuleList(
            Twice(copies * width, width // 2 if thin and number else width, config, middle=width)
            for number, width in reversed(list(enumerate(widths[:-1])))
        )
        self.dropout = nn.Dropout(config.dropout)
        self.last = nn.Conv2d(widths[0], config.num_classes, 1)
        self.apply(_begin)

    @property
    def inputs(self) -> tuple[Port, ...]:
        """A picture whose sides are multiples of the deepest layer's pixels, and large enough to be mirrored."""
        multiple = 2**self.config.depth
        least = max(self.margin + 1, 2 * multiple)
        return (Port("image", "photo", self.config.in_channels, multiple=multiple, least=least),)

    @property
    def outputs(self) -> tuple[Port, ...]:
        """The logits, as large as the picture."""
        return (Port("classes", "logits", self.config.num_classes),)

    @property
    def players(self) -> Mapping[str, nn.Module]:
        """One: the whole network."""
        return {"network": self}

    @property
    def margin(self) -> int:
        """Pixels that `forward` mirrors beyond each border, so that the valid convolutions have something to see."""
        if not self.config.valid:
            return 0
        side = 2 ** (self.config.depth + 3)
        margin = 1
        while (out := side_after(side + 2 * margin, self.config)) is None or out < side:
            margin += 1
        return margin

    def forward(self, image: Float[Tensor, "n c h w"]) -> Float[Tensor, "n k h w"]:
        """A picture in [0, 1] -> the logits of its pixels."""
        if not self.config.valid:
            return self.paths(image)
        side = 2 ** (self.config.depth + 3)
        given = side_after(side + 2 * self.margin, self.config)
        assert given is not None
        return cut(self.paths(F.pad(image, [self.margin] * 4, mode="reflect")), (given - side) // 2)

    def paths(self, image: Float[Tensor, "n c h w"]) -> Float[Tensor, "n k H W"]:
        """Figure 1: down, and up again; with valid convolutions 572 pixels a side give 388."""
        x, seen = self.downs[0](image if self.config.range == "unit" else 2 * image - 1), list[Tensor]()
        for down in self.downs[1:]:
            seen.append(x)
            x = down(F.max_pool2d(x, 2))  # (n, 2^i channels, h/2^i, w/2^i) less its borders
        x = self.dropout(x)
        margin = 4 if self.config.valid else 0
        for up, join in zip(self.ups, self.joins, strict=True):
            x, copy = up(x), seen.pop()
            x = join(torch.cat([cut(copy, margin), x], 1) if self.config.skips else x)
            margin = 2 * margin + 8 if self.config.valid else 0  # each scale above loses four pixels, twice
        logits: Tensor = self.last(x)
        return logits

    def turns(self, batch: Segmented, progress: Progress) -> Iterator[Turn]:
        """The weighted cross entropy of section 3, over the pixels that the paths give; ours also the Dice loss."""
        logits = self.paths(batch.image).float()
        margin = (batch.label.shape[-1] - logits.shape[-1]) // 2
        labels, weight = cut(batch.label, margin), cut(batch.weight, margin)
        losses = {"cross_entropy": weighted_cross_entropy(logits, labels, weight)}
        if self.config.dice_weight:
            losses["dice"] = self.config.dice_weight * (1 - soft_dice(logits, labels, weight > 0))
        yield Turn("network", losses)


class Twice(nn.Module):
    """Two 3x3 convolutions, each with its norm and a ReLU."""

    def __init__(self, in_channels: int, out_channels: int, config: UNetConfig, *, middle: int | None = None) -> None:
        super().__init__()
        between = middle or out_channels
        self.layers = nn.Sequential(
            *_convolution(in_channels, between, config), *_convolution(between, out_channels, config)
        )
        self.shortcut = nn.Conv2d(in_channels, out_channels, 1) if config.residual else None
        self.margin = 2 if config.valid else 0

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, h, w) -> (n, d, h, w), or four pixels less a side without padding."""
        result: Tensor = self.layers(x)
        return result if self.shortcut is None else result + cut(self.shortcut(x), self.margin)


def _up(config: UNetConfig, width: int) -> nn.Module:
    if config.upsampling == "corners":
        return nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
    return upsampling(config.upsampling, 2 * width, width)


def _convolution(in_channels: int, out_channels: int, config: UNetConfig) -> list[nn.Module]:
    normed = config.norm == "batch"
    convolution = nn.Conv2d(in_channels, out_channels, 3, padding=0 if config.valid else 1, bias=not normed)
    return [convolution, *([nn.BatchNorm2d(out_channels)] if normed else []), nn.ReLU(inplace=True)]


def _begin(module: nn.Module) -> None:
    """Section 3: weights from N(0, sqrt(2 / N)), N the values that go into one that comes out."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def cut(image: Tensor, margin: int) -> Tensor:
    """A picture without so many pixels at each border: figure 1's crop.

    >>> cut(torch.arange(9.0).view(1, 1, 3, 3), 1)
    tensor([[[[4.]]]])
    """
    return image[..., margin:-margin, margin:-margin] if margin else image
