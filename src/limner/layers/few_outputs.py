"""Training through wide convolutions to few channels, as those that make the picture: the same sums, sooner.

A processor computes 8 or 16 output channels of a convolution at a time, needed or not, and a picture has 3. So each
row of the kernel is given channels of its own, which read the same row of the picture, and whose results are added up
where they belong: a 9x9 convolution to 3 channels is one of 1x9 to 27, and sums of maps that are shifted by rows.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from limner.layers.plain_convolution import Convolution, Padding, gradients

_FEW, _MANY, _ROWS = 4, 16, 5  # channels that are made at most, and read at least; rows of a kernel at least
_PIXELS = 2**10  # of what is made, at least


def fits(given: Convolution) -> bool:
    """Whether a convolution is one that is faster this way; any class of processor computes channels side by side."""
    x, weight = given.x, given.weight
    out_channels, in_channels, rows, columns = weight.shape
    small = out_channels <= _FEW and in_channels >= _MANY and min(rows, columns) >= _ROWS
    floats = given.dtype in (torch.float32, torch.bfloat16)
    return small and floats and len(x) * x.shape[2] * x.shape[3] >= _PIXELS


def convolve(given: Convolution) -> Tensor:
    """(n, k, H, W) in the layout of the picture, with gradients; call it where `fits` holds."""
    made: Tensor = _Function.apply(*given.cast(), given.padding)  # type: ignore[no-untyped-call]  # torch has no types
    return made


class _Function(torch.autograd.Function):
    """Such a convolution. A gradient that is itself to be differentiated is a plain one."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, padding: Padding) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.padding, ctx.bias_sizes = padding, None if bias is None else list(bias.shape)
        channels, rows = weight.shape[0], weight.shape[2]
        maps = F.conv2d(x, _by_rows(weight, x), padding=padding).contiguous()
        height = maps.shape[2] - rows + 1
        made = maps[:, :channels, :height].float()
        made = made.clone() if made.dtype == maps.dtype else made
        for row in range(1, rows):
            made += maps[:, row * channels : (row + 1) * channels, row : row + height]
        if bias is not None:
            made += bias.view(-1, 1, 1)
        return made.to(maps.dtype, memory_format=_layout(x))

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        needed = ctx.needs_input_grad[:3]
        if torch.is_grad_enabled():
            return *gradients(upstream[0], x, weight, ctx.bias_sizes, ctx.padding, needed), None
        to_bias = upstream[0].sum((0, 2, 3), dtype=torch.float32).to(weight.dtype) if needed[2] else None
        wanted = (needed[0], needed[1], False)
        maps = _shifted(upstream[0], weight.shape[2]).contiguous(memory_format=_layout(x))
        to_picture, to_rows, _ = gradients(maps, x, _by_rows(weight, x), None, ctx.padding, wanted)
        return to_picture, _from_rows(to_rows, weight), to_bias, None


def _layout(x: Tensor) -> torch.memory_format:
    return torch.contiguous_format if x.is_contiguous() else torch.channels_last


def _by_rows(weight: Tensor, x: Tensor) -> Tensor:
    """Weights (k, c, h, w) -> (h k, c, 1, w), in the layout of the picture that they meet."""
    _, in_channels, _, columns = weight.shape
    rows = weight.permute(2, 0, 1, 3).reshape(-1, in_channels, 1, columns)
    return rows.contiguous(memory_format=_layout(x))


def _from_rows(rows: Tensor | None, weight: Tensor) -> Tensor | None:
    """Back again, of what is like these weights."""
    if rows is None:
        return None
    out_channels, in_channels, height, columns = weight.shape
    return rows.reshape(height, out_channels, in_channels, columns).permute(1, 2, 0, 3)


def _shifted(upstream: Tensor, rows: int) -> Tensor:
    """(n, k, h, w) -> (n, rows k, h + rows - 1, w): what each row of a kernel has given where it read."""
    number, channels, height, width = upstream.shape
    maps = upstream.new_zeros(number, rows * channels, height + rows - 1, width)
    for row in range(rows):
        maps[:, row * channels : (row + 1) * channels, row : row + height] = upstream
    return maps
