"""Training through `limner.layers.winograd`: the same convolutions with gradients, where they are faster that way."""

from typing import Any, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

from limner.layers import winograd

Padding: TypeAlias = tuple[int, int]


class _Convolution(torch.autograd.Function):
    """A 3x3 convolution with stride 1: forward and to the picture by Winograd's way, to the weights by oneDNN.

    A gradient that is itself to be differentiated is a plain one.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, padding: Padding) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.padding, ctx.bias_sizes = padding, None if bias is None else list(bias.shape)
        return _convolved(x, weight.contiguous(), bias, padding)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        gradient, needed = gradients[0], list(ctx.needs_input_grad[:3])
        turned = (2 - ctx.padding[0], 2 - ctx.padding[1])
        to_picture = None
        flipped = weight.flip(2, 3).transpose(0, 1)
        if needed[0] and not torch.is_grad_enabled() and _fits(gradient, flipped, turned):
            to_picture, needed[0] = _convolved(gradient, flipped.contiguous(), None, turned), False
        windows = (ctx.bias_sizes, [1, 1], list(ctx.padding), [1, 1], False, [0, 0], 1)
        plain = (
            torch.ops.aten.convolution_backward(gradient, x, weight, *windows, needed) if any(needed) else [None] * 3
        )
        return (plain[0] if to_picture is None else to_picture), plain[1], plain[2], None


def _convolved(x: Tensor, weight: Tensor, bias: Tensor | None, padding: Padding) -> Tensor:
    """In the layout of `x`; pictures of a batch lie below each other, with rows of zeros between them."""
    layout = torch.contiguous_format if x.is_contiguous() else torch.channels_last
    if len(x) == 1:
        return winograd.convolve(x, weight, bias, padding, None, layout)
    (number, channels, height, width), rows = x.shape, padding[0]
    apart = F.pad(x, (0, 0, 0, rows)).transpose(0, 1).reshape(1, channels, -1, width)
    below = F.pad(apart, (0, 0, 0, 2 - 2 * rows))  # so that the result has as many rows as all pictures
    made = winograd.convolve(below, weight, bias, padding).view(len(weight), number, height + rows, -1)
    return made[:, :, : height + 2 * rows - 2].transpose(0, 1).contiguous(memory_format=layout)


def _fits(x: Tensor, weight: Tensor, padding: Padding) -> bool:
    number, channels, height, width = x.shape
    return winograd.fits(weight, padding, (1, channels, number * (height + padding[0]), width))


class WinogradConvolutions(TorchFunctionMode):
    """A block in which convolutions in float32 that are faster by Winograd's way are computed so, with gradients."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Every function of torch that is called in the block."""
        kwargs = kwargs or {}
        if func is F.conv2d and (given := _filtering(*args, **kwargs)):
            return _Convolution.apply(*given)  # type: ignore[no-untyped-call]  # torch has no types for it
        return func(*args, **kwargs)


def _filtering(
    input: Tensor,  # torch's own name, by which it may be given
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> tuple[Tensor, Tensor, Tensor | None, Padding] | None:
    """What `_Convolution` takes of the arguments of `F.conv2d`; None where that is to be called."""
    plain = all(_pair(value) == (1, 1) for value in (stride, dilation)) and groups == 1 and not isinstance(padding, str)
    floats = input.dtype == weight.dtype == torch.float32 and not torch.is_autocast_enabled(input.device.type)
    if not plain or not floats or input.dim() != 4 or input.device.type != "cpu":
        return None
    sides = _pair(padding)
    return (input, weight, bias, sides) if _fits(input, weight, sides) else None


def _pair(value: Any) -> Any:
    """For rows and columns."""
    return tuple(value) if isinstance(value, tuple | list) else (value, value)
