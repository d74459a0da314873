"""Training through `limner.layers.winograd`: the same convolutions with gradients, where they are faster that way."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from limner.layers import nnpack, winograd
from limner.layers.plain_convolution import Convolution, Padding, gradients

_LARGE = 2**12  # pixels, from which on a picture is worth a call of its own


def fits(given: Convolution) -> bool:
    """Whether a convolution is one that is faster this way on this processor."""
    return given.dtype == torch.float32 and _fits(given.x, given.weight, given.padding)


def convolve(given: Convolution) -> Tensor:
    """(n, k, H, W) in the layout of the picture, with gradients; call it where `fits` holds."""
    made: Tensor = _Function.apply(*given.cast(), given.padding)  # type: ignore[no-untyped-call]  # torch has no types
    return made


class _Function(torch.autograd.Function):
    """A 3x3 convolution with stride 1: forward and to the picture by Winograd's way, to the weights by oneDNN.

    A gradient that is itself to be differentiated is a plain one.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, padding: Padding) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.padding, ctx.bias_sizes = padding, None if bias is None else list(bias.shape)
        return _convolved(x, weight.contiguous(), bias, padding)

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        needed = list(ctx.needs_input_grad[:3])
        turned = (2 - ctx.padding[0], 2 - ctx.padding[1])
        to_picture = None
        flipped = weight.flip(2, 3).transpose(0, 1)
        if needed[0] and not torch.is_grad_enabled() and _fits(upstream[0], flipped, turned):
            to_picture, needed[0] = _convolved(upstream[0], flipped.contiguous(), None, turned), False
        plain = gradients(upstream[0], x, weight, ctx.bias_sizes, ctx.padding, needed)
        return (plain[0] if to_picture is None else to_picture), plain[1], plain[2], None


def _convolved(x: Tensor, weight: Tensor, bias: Tensor | None, padding: Padding) -> Tensor:
    """In the layout of `x`; small pictures of a batch lie below each other, with rows of zeros between them."""
    layout = torch.contiguous_format if x.is_contiguous() else torch.channels_last
    if len(x) == 1 or x.shape[2] * x.shape[3] >= _LARGE:
        return nnpack.convolve(x, weight, bias, padding, None, layout)
    (number, channels, height, width), rows = x.shape, padding[0]
    apart = F.pad(x, (0, 0, 0, rows)).transpose(0, 1).reshape(1, channels, -1, width)
    below = F.pad(apart, (0, 0, 0, 2 - 2 * rows))  # so that the result has as many rows as all pictures
    made = nnpack.convolve(below, weight, bias, padding).view(len(weight), number, height + rows, -1)
    return made[:, :, : height + 2 * rows - 2].transpose(0, 1).contiguous(memory_format=layout)


def _fits(x: Tensor, weight: Tensor, padding: Padding) -> bool:
    number, channels, height, width = x.shape
    return winograd.fits(weight, padding, (1, channels, number * (height + padding[0]), width))
