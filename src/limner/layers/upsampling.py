"""Ways to make a map twice as large inside a network.

The operators are those of the lectures on segmentation: fixed ones (nearest, bed of nails, bilinear), learnt ones
(transposed convolution: Zeiler et al. 2010; sub-pixel: Shi et al. 2016, arXiv:1609.05158), and resizing before a
convolution (Odena, Dumoulin and Olah 2016, doi:10.23915/distill.00003).
"""

from typing import Literal, TypeAlias

import torch.nn.functional as F
from torch import Tensor, nn

from limner.ops.unpool import nails

Operator: TypeAlias = Literal["transposed", "nearest", "bilinear", "bed_of_nails", "sub_pixel", "resize"]
"""
| name | what it does |
|---|---|
| transposed | a 2x2 transposed convolution of stride 2: U-Net's up-convolution |
| nearest | each value four times, then a 1x1 convolution |
| bilinear | between the values, then a 1x1 convolution |
| bed_of_nails | the value at the upper left and zeros, then a 3x3 convolution |
| sub_pixel | a 3x3 convolution to four times the channels, which become pixels |
| resize | each value four times, then a 3x3 convolution |
"""


class Twofold(nn.Module):
    """Twice as large by interpolation."""

    def __init__(self, kind: Literal["nearest", "bilinear"]) -> None:
        super().__init__()
        self.kind = kind

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, h, w) -> (n, c, 2h, 2w)."""
        return F.interpolate(x, scale_factor=2.0, mode=self.kind)


class Nails(nn.Module):
    """Twice as large by a bed of nails: a convolution of a fixed kernel, so that it can be run in parts."""

    kernel: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.register_buffer("kernel", nails(channels), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, h, w) -> (n, c, 2h, 2w)."""
        return F.conv_transpose2d(x, self.kernel, stride=2, groups=self.channels)


def upsampling(operator: Operator, in_channels: int, out_channels: int) -> nn.Module:
    """(n, c, h, w) -> (n, d, 2h, 2w), with weights that are learnt."""
    if operator == "transposed":
        return nn.ConvTranspose2d(in_channels, out_channels, 2, stride=2)
    if operator == "sub_pixel":
        return nn.Sequential(nn.Conv2d(in_channels, 4 * out_channels, 3, padding=1), nn.PixelShuffle(2))
    if operator == "resize":
        return nn.Sequential(Twofold("nearest"), nn.Conv2d(in_channels, out_channels, 3, padding=1))
    if operator == "bed_of_nails":
        return nn.Sequential(Nails(in_channels), nn.Conv2d(in_channels, out_channels, 3, padding=1))
    return nn.Sequential(Twofold(operator), nn.Conv2d(in_channels, out_channels, 1))
