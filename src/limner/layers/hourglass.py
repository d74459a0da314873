"""The hourglass that paints: an encoder and a decoder with thin connections between their scales.

Ulyanov, Vedaldi and Lempitsky, "Deep image prior", CVPR 2018, arXiv:1711.10925, supplementary material, the figure of
the architecture: d_i goes down a scale, u_i up, s_i skips from one to the other.
Differs from the paper: any size goes in, not multiples of 2^scales alone, for what is enlarged is cut to the size of
its scale.
"""

from functools import partial
from typing import Literal, Self

import torch
import torch.nn.functional as F
from jaxtyping import Float
from pydantic import Field, model_validator
from torch import Tensor, nn

from limner.config import Config

_SLOPE = 0.2  # of the leaky ReLU
_LEAST = 2  # pixels that a side must have at the deepest scale, for a mean and a deviation over them


class HourglassConfig(Config):
    """Five scales of 128 channels: the network of most of the paper's figures. Lists go from fine to coarse."""

    in_channels: int = Field(32, ge=1, description="of z")
    out_channels: int = Field(3, ge=1)
    down_channels: tuple[int, ...] = Field((128,) * 5, min_length=1, description="n_d")
    up_channels: tuple[int, ...] = Field((128,) * 5, description="n_u")
    skip_channels: tuple[int, ...] = Field((4,) * 5, description="n_s; 0 is no connection")
    down_kernels: tuple[int, ...] = Field((3,) * 5, description="k_d, odd")
    up_kernels: tuple[int, ...] = Field((3,) * 5, description="k_u, odd")
    upsampling: Literal["bilinear", "nearest"] = "bilinear"
    downsampling: Literal["stride", "average"] = Field("stride", description="of the first convolution of d_i")
    padding: Literal["reflect", "zeros"] = "reflect"
    pointwise: bool = Field(True, description="whether u_i ends in a 1x1 convolution")

    @model_validator(mode="after")
    def _one_length(self) -> Self:
        lists = (self.up_channels, self.skip_channels, self.down_kernels, self.up_kernels)
        if any(len(values) != self.num_scales for values in lists):
            raise ValueError(f"channels and kernels must be given for each of {self.num_scales} scales")
        if any(kernel % 2 == 0 for kernel in self.down_kernels + self.up_kernels):
            raise ValueError("kernels must be odd")
        return self

    @property
    def num_scales(self) -> int:
        """How often it goes down."""
        return len(self.down_channels)

    @property
    def least_side(self) -> int:
        """Pixels that a side of z must have: at each scale a reflection needs more of them than it adds."""
        needed = _LEAST
        for down, up in zip(reversed(self.down_kernels), reversed(self.up_kernels), strict=True):
            needed = max(2 * max(needed, down // 2 + 1) - 1, down // 2 + 1, up // 2 + 1)
        return needed

    @property
    def values_per_pixel(self) -> float:
        """About how many values a step of the optimisation keeps for each pixel of z, by which memory is foreseen."""
        kept, above = 4.0 * self.in_channels, self.in_channels
        for i, (down, up, skip) in enumerate(
            zip(self.down_channels, self.up_channels, self.skip_channels, strict=True)
        ):
            coarser = down if i + 1 == self.num_scales else self.up_channels[i + 1]
            kept += (above + 3 * skip + coarser + 3 * (skip + coarser) + 6 * up + 7 * down / 4) / 4**i
            above = down
        return kept

    def fitting(self, side: int) -> Self:
        """The same without the coarsest scales that a picture of so many pixels a side is too small for."""
        config = self
        while config.least_side > side and config.num_scales > 1:
            fields = ("down_channels", "up_channels", "skip_channels", "down_kernels", "up_kernels")
            config = config.model_copy(update={field: getattr(config, field)[:-1] for field in fields})
        return config


THIN_SKIPS = HourglassConfig()
"""2.2 million weights."""
NO_SKIPS = HourglassConfig(skip_channels=(0,) * 5)
FULL_SKIPS = HourglassConfig(skip_channels=(128,) * 5)
"""Connections as wide as what they meet, as in a U-Net."""


class Hourglass(nn.Module):
    """z (n, k, h, w) -> a picture (n, c, h, w) in [0, 1]. Its norms know the present batch alone."""

    def __init__(self, config: HourglassConfig = THIN_SKIPS) -> None:
        super().__init__()
        self.config = config
        scales = range(config.num_scales)
        self.downs = nn.ModuleList(_down(config, i) for i in scales)
        self.skips = nn.ModuleList(_skip(config, i) for i in scales)
        self.ups = nn.ModuleList(_up(config, i) for i in scales)
        self.head = nn.Conv2d(config.up_channels[0], config.out_channels, 1)

    def forward(self, z: Float[Tensor, "n k h w"]) -> Float[Tensor, "n c h w"]:
        """Go down, and up again."""
        x, above = z, []
        for down in self.downs:
            above.append(x)
            x = down(x)  # (n, n_d, h/2^i, w/2^i), rounded up
        for i in reversed(range(len(self.ups))):
            x = self._enlarged(x, above[i])
            if self.config.skip_channels[i]:
                x = torch.cat([self.skips[i](above[i]), x], dim=1)
            x = self.ups[i](x)  # (n, n_u, h/2^i, w/2^i)
        return self.head(x).float().sigmoid()

    def _enlarged(self, x: Tensor, like: Tensor) -> Tensor:
        height, width = like.shape[-2:]
        large = F.interpolate(x, scale_factor=2, mode=self.config.upsampling)
        if large.requires_grad:
            large.register_hook(partial(_laid_out, is_last=large.is_contiguous(memory_format=torch.channels_last)))
        return large[..., :height, :width]


def _down(config: HourglassConfig, i: int) -> nn.Sequential:
    """d_i: (n, k, h, w) -> (n, n_d, h/2, w/2), rounded up."""
    channels, kernel = config.down_channels[i], config.down_kernels[i]
    halved: list[nn.Module] = [_convolution(config, _above(config, i), channels, kernel, stride=2)]
    if config.downsampling == "average":
        halved = [_convolution(config, _above(config, i), channels, kernel), nn.AvgPool2d(2, ceil_mode=True)]
    again = _convolution(config, channels, channels, kernel)
    return nn.Sequential(*halved, *_normed(channels), again, *_normed(channels))


def _skip(config: HourglassConfig, i: int) -> nn.Module:
    """s_i, a 1x1 convolution as everywhere in the paper (k_s = 1)."""
    channels = config.skip_channels[i]
    return nn.Sequential(nn.Conv2d(_above(config, i), channels, 1), *_normed(channels)) if channels else nn.Identity()


def _up(config: HourglassConfig, i: int) -> nn.Sequential:
    """u_i, after what is below has been enlarged and joined with what s_i gives."""
    channels, last = config.up_channels[i], config.num_scales - 1
    joined = config.skip_channels[i] + (config.down_channels[i] if i == last else config.up_channels[i + 1])
    layers = [_norm(joined), _convolution(config, joined, channels, config.up_kernels[i]), *_normed(channels)]
    if config.pointwise:
        layers += [nn.Conv2d(channels, channels, 1), *_normed(channels)]
    return nn.Sequential(*layers)


def _above(config: HourglassConfig, i: int) -> int:
    """Channels of what d_i and s_i are given."""
    return config.down_channels[i - 1] if i else config.in_channels


def _laid_out(gradient: Tensor, *, is_last: bool) -> Tensor:
    """In a layout of its own: as the part of a joined tensor that it is, it would take enlarging its slow way back."""
    return gradient.contiguous(memory_format=torch.channels_last if is_last else torch.contiguous_format)


def _convolution(config: HourglassConfig, in_channels: int, channels: int, kernel: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(in_channels, channels, kernel, stride, kernel // 2, padding_mode=config.padding)


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, track_running_stats=False)


def _normed(channels: int) -> list[nn.Module]:
    return [_norm(channels), nn.LeakyReLU(_SLOPE, inplace=True)]
