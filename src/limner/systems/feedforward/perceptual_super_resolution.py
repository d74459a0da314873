"""Super-resolution that is judged by what a network sees: sharp edges for a few decibels.

Johnson, Alahi, Fei-Fei, "Perceptual losses for real-time style transfer and super-resolution", ECCV 2016,
arXiv:1603.08155 (section 4.2 and the supplement's table of the network).
Differs from the paper: `MODERN` is ours; histograms are matched in red, green and blue, for the paper does not say in
which colours.
"""

import functools
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
from limner.features.vgg16 import VGG
from limner.loops.fit import FitConfig
from limner.loops.optimizers import OptimizerConfig
from limner.loops.presets import modern_fit
from limner.losses.fine import fine_loss
from limner.losses.lattice import local_lattice
from limner.losses.perceptual import feature_loss
from limner.ports import PHOTO, Port
from limner.types import Forward, Image, Progress, Turn

LAYER = "relu2_2"
"""Of VGG-16, whose activations the feature loss compares."""

_NUM_QUANTILES = 1025


class PerceptualSuperResolutionConfig(Config):
    """The network of the supplement and what it is trained for."""

    scale: Literal[2, 4, 8] = Field(4, description="f in the paper, which has 4 and 8")
    loss: Literal["feature", "pixel"] = Field("feature", description="l_feat at relu2_2, or l_pixel")
    channels: int = Field(64, ge=1, description="filters of each hidden layer")
    num_blocks: int = Field(4, ge=0, description="residual blocks")
    upsampling: Literal["transposed", "resized"] = Field(
        "transposed", description="convolutions of stride 1/2, or of pixels that were doubled first (no checkerboard)"
    )
    fine_weight: float = Field(
        0.0,
        ge=0,
        description="of patterns of two or three pixels beside the feature loss, which is blind to them; ours",
    )
    grid_weight: float = Field(
        0.0,
        ge=0,
        description="of what repeats with the network's own grid, window by window, beside what the target has: the "
        "crosshatch that the paper sees when magnified (section 4.2); ours",
    )
    shift: int = Field(
        0,
        ge=0,
        description="both pictures are moved by fewer pixels before they are compared, at random in each step, so that "
        "pooling leaves no mesh; ours",
    )
    skip: bool = Field(False, description="paint on the bilinearly enlarged picture, without tanh (ours)")
    match_histogram: bool = Field(True, description="give results the histograms of the low resolution")


FEATURE_2016 = PerceptualSuperResolutionConfig()
PIXEL_2016 = PerceptualSuperResolutionConfig(loss="pixel")
FEATURE_2016_X8 = PerceptualSuperResolutionConfig(scale=8)
PIXEL_2016_X8 = PerceptualSuperResolutionConfig(scale=8, loss="pixel")
MODERN = PerceptualSuperResolutionConfig(
    channels=48, upsampling="resized", fine_weight=1e8, grid_weight=2e9, shift=4, skip=True, match_histogram=False
)
MODERN_PIXEL = PerceptualSuperResolutionConfig(
    loss="pixel", channels=48, upsampling="resized", skip=True, match_histogram=False
)

FIT_2016 = FitConfig(  # section 4.2
    steps=200_000,
    batch_size=4,
    optimizer=OptimizerConfig(kind="adam", learning_rate=1e-3),
)
FIT_MODERN = modern_fit(100_000, 4, 5e-4)  # ours


class ResidualBlock(nn.Module):
    """x + BN(conv(ReLU(BN(conv(x))))), without a ReLU after the sum (supplement)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *normalized(nn.Conv2d(channels, channels, 3, padding=1, bias=False)),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, h, w) -> (n, c, h, w)."""
        return x + self.body(x)


def normalized(convolution: nn.Conv2d | nn.ConvTranspose2d) -> list[nn.Module]:
    """A convolution with the batch norm and the ReLU that follow all but the last."""
    return [convolution, nn.BatchNorm2d(convolution.out_channels), nn.ReLU(inplace=True)]


def doubling(channels: int, upsampling: Literal["transposed", "resized"]) -> list[nn.Module]:
    """Layers that double the sides."""
    if upsampling == "transposed":
        stride_half = nn.ConvTranspose2d(channels, channels, 3, stride=2, padding=1, output_padding=1, bias=False)
        return normalized(stride_half)
    return [nn.Upsample(scale_factor=2), *normalized(nn.Conv2d(channels, channels, 3, padding=1, bias=False))]


class PerceptualSuperResolution(nn.Module):
    """RGB in, RGB out, `config.scale` times as large."""

    inputs = (PHOTO,)

    def __init__(self, config: PerceptualSuperResolutionConfig = FEATURE_2016) -> None:
        super().__init__()
        self.config = config
        self.scales = (config.scale,)
        self.outputs = (Port("result", "photo", scale=config.scale),)
        channels = config.channels
        self.head = nn.Sequential(*normalized(nn.Conv2d(3, channels, 9, padding=4, bias=False)))
        self.blocks = nn.Sequential(*(ResidualBlock(channels) for _ in range(config.num_blocks)))
        doublings = [doubling(channels, config.upsampling) for _ in range(int(math.log2(config.scale)))]
        self.upsample = nn.Sequential(*(layer for layers in doublings for layer in layers))
        self.tail = nn.Conv2d(channels, 3, 9, padding=4)
        if config.skip:
            self.tail.weight.data.mul_(0.1)  # training begins near the bilinear enlargement

    @property
    def needs_whole(self) -> bool:
        """Whether `enlarge` must be given a whole picture, not its parts."""
        return self.config.match_histogram

    @property
    def players(self) -> Mapping[str, nn.Module]:
        """One: the whole network."""
        return {"network": self}

    def forward(self, image: Image) -> Float[Tensor, "n 3 H W"]:
        """RGB in [0, 1] -> RGB in [0, 1]; with a skip about [0, 1], not clipped."""
        deep = self.blocks(self.head(image))  # (n, c, h, w)
        painted = self.tail(self.upsample(deep))  # (n, 3, scale h, scale w)
        if self.config.skip:
            return painted + F.interpolate(image, scale_factor=float(self.config.scale), mode="bilinear")
        return (painted.tanh() + 1) / 2

    def turns(self, batch: Pair, progress: Progress) -> Iterator[Turn]:
        """The loss of section 3.2 that the configuration names, in [0, 1] units where it is of pixels."""
        enlarged = self(batch.source).float()
        if self.config.loss == "pixel":
            yield Turn("network", {"pixel": F.mse_loss(enlarged, batch.target)})
            return
        losses = {"feature": self._feature_loss(enlarged, batch.target)}
        if self.config.fine_weight:
            losses["fine"] = self.config.fine_weight * fine_loss(enlarged, batch.target)
        if self.config.grid_weight:
            own = local_lattice(enlarged - batch.target, self.config.scale)
            losses["grid"] = self.config.grid_weight * own
        yield Turn("network", losses)

    def _feature_loss(self, enlarged: Tensor, target: Tensor) -> Tensor:
        vgg = self._loss_network.to(target.device)
        down, across = (int(torch.randint(max(1, self.config.shift), ())) for _ in range(2))  # of all samples
        enlarged, target = enlarged[..., down:, across:], target[..., down:, across:]
        with torch.no_grad():
            wanted = vgg(target)
        return feature_loss(vgg(enlarged), wanted, {LAYER: 1.0})

    @functools.cached_property
    def _loss_network(self) -> VGG:
        """Read when training begins, and no part of the weights: a property of a module is no submodule."""
        device = self.tail.weight.device
        return VGG([LAYER], precision="fast" if torch.is_autocast_enabled(device.type) else "exact", device=device)

    def enlarge(self, image: Image, scale: int, run: Forward | None = None) -> Float[Tensor, "n 3 H W"]:
        """Enlarge an RGB picture; `run` stands for `forward` where given.

        Where the configuration says so, the histograms are matched (section 4.2).
        """
        assert scale == self.config.scale
        enlarged = (run or self)(image).clamp(0, 1)
        return match_histogram(enlarged, image) if self.config.match_histogram else enlarged


def match_histogram(image: Float[Tensor, "n c H W"], like: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c H W"]:
    """Give each channel of each picture the histogram of `like`, by the rising function of its values that does it.

    The function is linear between the values of 1025 quantiles.
    """
    values, found, wanted = image.flatten(2).contiguous(), quantiles(image), quantiles(like.to(image))
    above = torch.searchsorted(found, values, right=True).clamp(1, _NUM_QUANTILES - 1)
    low, high = found.gather(2, above - 1), found.gather(2, above)
    share = ((values - low) / (high - low).clamp(min=1e-12)).clamp(0, 1)
    return torch.lerp(wanted.gather(2, above - 1), wanted.gather(2, above), share).view_as(image)


def quantiles(image: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c q"]:
    """The values that shares of 0, 1/1024, 2/1024 ... 1 of each channel's pixels lie below."""
    ordered = image.flatten(2).sort(dim=2).values
    place = torch.linspace(0, ordered.shape[2] - 1, _NUM_QUANTILES, dtype=torch.float64, device=image.device)
    before = place.long().clamp(max=max(ordered.shape[2] - 2, 0))
    after = (before + 1).clamp(max=ordered.shape[2] - 1)
    return torch.lerp(ordered[..., before], ordered[..., after], (place - before).to(image)).contiguous()
