"""Enlarging by two with the nearest pixel and a 3x3 convolution after it, as four 2x2 convolutions before it.

Each pixel of the result sees at most 2x2 different pixels of the small picture: the taps that read the same one are
added up. 16 multiplications for four pixels instead of 36, and no enlarged picture in between.
"""

from typing import Literal, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limner.runtime.operators import Axes, Axis
from limner.runtime.packed import PackedConvolution

Border: TypeAlias = Literal["zeros", "replicate"]

# Row phase a of the result at 2 i + a reads the small rows i - 1 + a and i + a; which of the 3 taps falls on which.
_TAPS = torch.tensor([[[1.0, 0, 0], [0, 1, 1]], [[1, 1, 0], [0, 0, 1]]])


class PhaseConvolution(nn.Module):
    """conv3x3(pad(nearest x2)), and the activation after it.

    Args of the constructor:
        convolution: 3x3 with stride 1; its own padding is not looked at.
        border: What the enlarged picture is padded with by one pixel: zeros, or its own border pixels, which is what
            a reflection comes to there too.
        activation: One that can be fused, or None.
        dtype: Of the computation.
    """

    def __init__(
        self, convolution: nn.Conv2d, border: Border, activation: nn.Module | None, dtype: torch.dtype
    ) -> None:
        super().__init__()
        self.dtype, self.border, self.out_channels = dtype, border, convolution.out_channels
        weight = torch.einsum("ari,bsj,ocij->abocrs", _TAPS, _TAPS, convolution.weight.detach().float())
        four = nn.Conv2d(convolution.in_channels, 4 * self.out_channels, 2, padding=int(border == "zeros"))
        four.weight.data = weight.reshape(four.weight.shape)
        four.bias = None if convolution.bias is None else nn.Parameter(convolution.bias.detach().float().repeat(4))
        self.four = PackedConvolution(four, activation, dtype)
        self.operations = self.four.operations / 4

    def axes(self) -> Axes:
        """Output o reads the small pixels floor((o - 1) / 2) to floor((o + 1) / 2)."""
        axis = Axis(up=2, low=-1, high=1)
        return Axes(axis, axis)

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """(n, k, 2 h, 2 w)."""
        return shape[0], self.out_channels, 2 * shape[2], 2 * shape[3]

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, h, w) of any floating type -> (n, k, 2 h, 2 w) of the given type."""
        n, _, h, w = x.shape
        padded = F.pad(x, (1, 1, 1, 1), mode="replicate") if self.border == "replicate" else x
        phases = self.four(padded)  # (n, 4 k, h + 1, w + 1)
        result = torch.empty(
            (n, self.out_channels, 2 * h, 2 * w), dtype=phases.dtype, memory_format=torch.channels_last
        )
        for number, phase in enumerate(phases.split(self.out_channels, 1)):
            row, column = divmod(number, 2)
            result[:, :, row::2, column::2] = phase[:, :, row : row + h, column : column + w]
        return result
