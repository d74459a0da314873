"""Convolutions as oneDNN likes them: weights laid out once for a size, the activation after them fused into them.

3x3 convolutions, and wide ones that make the picture, go to NNPACK where that is faster.
"""

import functools
import math
from collections import OrderedDict
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limner.layers import nnpack, winograd
from limner.processor import fourier_pays, winograd_pays
from limner.runtime.operators import Axes, convolution_axes, transposed_axes
from limner.runtime.prepared import apply_activation, operations_per_pixel

_PICTURE_CHANNELS = 4  # a convolution to so few channels makes the picture itself, whose sum with others needs float32
_LANES = 16  # oneDNN computes so many output channels at a time, needed or not
_WIDE = 5  # columns of a kernel from which on sharing the lanes among neighbouring pixels pays


_ANY_SIDE = 2**16  # pixels: where Winograd's way pays at all, it pays there
_KEPT, _LARGE = 4, 2**22  # sizes that weights are kept laid out for, and bytes of weights from which on one is


class PackedWeights:
    """The weights of a convolution, laid out by oneDNN for the size of what they meet; the last few sizes are kept.

    Which layout oneDNN computes with depends on that size, and weights in another are laid out anew at every call.
    Where a picture is 2x2, and the weights are 512x512x4x4, that takes hundreds of times as long as the convolution.

    Args of the constructor:
        weight: As the convolution has it.
        lay_out: One of oneDNN's, given the weights and the size (n, c, h, w) of the input.
    """

    def __init__(self, weight: Tensor, lay_out: Callable[[Tensor, list[int]], Tensor]) -> None:
        self.weight, self._lay_out = weight, lay_out
        self._kept: OrderedDict[torch.Size, Tensor] = OrderedDict()

    def for_input(self, x: Tensor) -> Tensor:
        """The weights as oneDNN wants them for an input (n, c, h, w)."""
        laid_out = self._kept.pop(x.shape, None)
        if laid_out is None:
            laid_out = self._lay_out(self.weight, list(x.shape))
        self._kept[x.shape] = laid_out
        if len(self._kept) > (1 if self.weight.nbytes > _LARGE else _KEPT):
            self._kept.popitem(last=False)
        return laid_out


class PackedConvolution(nn.Module):
    """A convolution with zero padding whose weights are laid out for oneDNN, and the activation after it.

    One with a wide kernel and few output channels computes several neighbouring columns at once, as channels of a
    strided convolution: the same sums, and the lanes that oneDNN would leave idle are used.

    Attributes:
        can_be_nnpack: Whether there are sizes that it is computed at by `limner.layers.nnpack`.
        writes_channels_first: Whether its result is to be in channels first, for such convolutions that read it.
    """

    def __init__(self, convolution: nn.Conv2d, activation: nn.Module | None, dtype: torch.dtype) -> None:
        super().__init__()
        self.dtype, self.groups, self.out_channels = dtype, convolution.groups, convolution.out_channels
        self.kernel_size, self.stride = list(convolution.kernel_size), list(convolution.stride)
        self.padding, self.dilation = [int(side) for side in convolution.padding], list(convolution.dilation)
        self.to_picture = convolution.out_channels <= _PICTURE_CHANNELS
        self.operations = operations_per_pixel(convolution)
        self.columns = _columns_at_once(convolution)
        self.attribute, self.scalars = _fused(activation)
        weight, bias = _side_by_side(convolution, self.columns)
        self.strides = [self.stride[0], self.stride[1] * self.columns]
        self.weights = PackedWeights(weight.to(dtype).contiguous(), self._laid_out)
        self.bias = None if bias is None else bias.to(dtype)
        self.plain_bias = None if self.bias is None else self.bias[: self.out_channels]
        self.activation, self.writes_channels_first = activation, False
        self.can_be_nnpack = _is_filtering(convolution, dtype)
        as_it_is = self.columns == 1  # then no second copy: weights may be large
        self.filter = self.weights.weight if as_it_is else convolution.weight.detach().to(dtype).contiguous()

    def _laid_out(self, weight: Tensor, size: list[int]) -> Tensor:
        windows = (self.padding, self.strides, self.dilation, self.groups)
        laid_out: Tensor = torch.ops.mkldnn._reorder_convolution_weight(weight, *windows, size)
        return laid_out

    def axes(self) -> Axes:
        """Those of the convolution."""
        return convolution_axes(self)

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """(n, k, H, W)."""
        rows, columns = (
            (side + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
            for side, padding, dilation, kernel, stride in zip(
                shape[2:], self.padding, self.dilation, self.kernel_size, self.stride, strict=True
            )
        )
        return shape[0], self.out_channels, rows, columns

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, h, w) of any floating type -> (n, k, H, W) of the packed type, or float32 if it is a picture."""
        if self.can_be_nnpack and self._is_faster_by_nnpack(x):
            return self._by_nnpack(x)
        width = self.output_shape(tuple(x.shape))[3]
        left = width % self.columns
        if left and (width < self.columns or self.padding[1]):
            result = self._convolved(F.pad(x, (0, self.columns - left)))[..., :width]
        elif left:  # the stride passes by what is left over, which is made from the last columns alone
            reach = self.kernel_size[1] + self.columns - 1
            last = self._convolved(x[..., -reach:])[..., -left:]
            result = torch.cat([self._convolved(x), last], 3)
        else:
            result = self._convolved(x)
        if self.writes_channels_first and not self.can_be_nnpack:
            result = nnpack.channels_first(result)
        return result.float() if self.to_picture else result

    def _is_faster_by_nnpack(self, x: Tensor) -> bool:
        if self.to_picture:
            return nnpack.is_ready()
        return winograd.fits(self.filter, (self.padding[0], self.padding[1]), tuple(x.shape))

    def _by_nnpack(self, x: Tensor) -> Tensor:
        padding = self.padding[0], self.padding[1]
        layout = torch.contiguous_format if self.writes_channels_first else torch.channels_last
        activate = functools.partial(apply_activation, self.activation)
        return nnpack.convolve(x.to(self.dtype), self.filter, self.plain_bias, padding, activate, layout)

    def _convolved(self, x: Tensor) -> Tensor:
        """All whole groups of columns that are computed at once."""
        x = x.to(self.dtype, memory_format=torch.channels_last)
        result: Tensor = torch.ops.mkldnn._convolution_pointwise(
            x,
            self.weights.for_input(x),
            self.bias,
            self.padding,
            self.strides,
            self.dilation,
            self.groups,
            self.attribute,
            self.scalars,
            "",
        )
        if self.columns == 1:
            return result
        n, _, height, _ = result.shape
        return result.permute(0, 2, 3, 1).reshape(n, height, -1, self.out_channels).permute(0, 3, 1, 2)


def _is_filtering(convolution: nn.Conv2d, dtype: torch.dtype) -> bool:
    """Whether a convolution, which pads with zeros, is one that may be faster by NNPACK than by oneDNN."""
    plain = all(value == 1 for value in (*convolution.stride, *convolution.dilation, convolution.groups))
    (rows, columns), pads = convolution.kernel_size, [int(side) for side in convolution.padding]
    if not plain or dtype != torch.float32 or pads[0] > rows // 2 or pads[1] > columns // 2:
        return False
    channels = convolution.in_channels, convolution.out_channels
    if (rows, columns) == (3, 3):
        return winograd_pays(*channels, _ANY_SIDE, _ANY_SIDE)
    return fourier_pays(*channels, rows, columns)


def _columns_at_once(convolution: nn.Conv2d) -> int:
    """As many as fill the lanes best, for the multiplications by zero that they bring."""
    kernel, channels = convolution.kernel_size[1], convolution.out_channels
    plain = all(value == 1 for value in (*convolution.stride, *convolution.dilation, convolution.groups))
    if not plain or channels > _PICTURE_CHANNELS or kernel < _WIDE:
        return 1

    def cost(count: int) -> float:
        return (kernel + count - 1) * math.ceil(count * channels / _LANES) / count

    return min(range(1, 2 * _LANES + 1), key=cost)


def _side_by_side(convolution: nn.Conv2d, columns: int) -> tuple[Tensor, Tensor | None]:
    """The weights of a convolution with stride (1, `columns`) whose channels are those of `columns` neighbours."""
    weight = convolution.weight.detach()
    shifted = [F.pad(weight, (column, columns - 1 - column)) for column in range(columns)]
    bias = None if convolution.bias is None else convolution.bias.detach().repeat(columns)
    return torch.cat(shifted), bias


class TransposedConvolution(nn.Module):
    """A transposed convolution whose weights are laid out for oneDNN, and the activation after it."""

    def __init__(self, convolution: nn.ConvTranspose2d, activation: nn.Module | None, dtype: torch.dtype) -> None:
        super().__init__()
        self.dtype, self.groups, self.out_channels = dtype, convolution.groups, convolution.out_channels
        self.kernel_size, self.stride = convolution.kernel_size, list(convolution.stride)
        self.padding, self.dilation = [int(side) for side in convolution.padding], list(convolution.dilation)
        self.output_padding = list(convolution.output_padding)
        self.operations = operations_per_pixel(convolution)
        self.attribute, self.scalars = _fused(activation)
        self.weights = PackedWeights(convolution.weight.detach().to(dtype), self._laid_out)
        self.bias = None if convolution.bias is None else convolution.bias.detach().to(dtype)

    def _laid_out(self, weight: Tensor, size: list[int]) -> Tensor:
        windows = (self.padding, self.output_padding, self.stride, self.dilation, self.groups)
        laid_out: Tensor = torch.ops.mkldnn._reorder_convolution_transpose_weight(weight, *windows, size)
        return laid_out

    def axes(self) -> Axes:
        """Those of the transposed convolution."""
        return transposed_axes(self)

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """(n, k, H, W)."""
        rows, columns = (
            (shape[2 + axis] - 1) * self.stride[axis]
            - 2 * self.padding[axis]
            + self.dilation[axis] * (self.kernel_size[axis] - 1)
            + self.output_padding[axis]
            + 1
            for axis in (0, 1)
        )
        return shape[0], self.out_channels, rows, columns

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, h, w) of any floating type -> (n, k, H, W) of the given type, float32 if it is a picture."""
        x = x.to(self.dtype, memory_format=torch.channels_last)
        result: Tensor = torch.ops.mkldnn._convolution_transpose_pointwise(
            x,
            self.weights.for_input(x),
            self.bias,
            self.padding,
            self.output_padding,
            self.stride,
            self.dilation,
            self.groups,
            self.attribute,
            self.scalars,
            "",
        )
        return result.float() if self.out_channels <= _PICTURE_CHANNELS else result


def _fused(activation: nn.Module | None) -> tuple[str, list[float]]:
    if activation is None:
        return "none", []
    if isinstance(activation, nn.PReLU):
        return "leaky_relu", [activation.weight.item()]
    if isinstance(activation, nn.LeakyReLU):
        return "leaky_relu", [activation.negative_slope]
    return "relu", []


def is_fusible(module: nn.Module | None) -> bool:
    """Whether a module is an activation that can be fused into the convolution before it."""
    return isinstance(module, nn.ReLU | nn.LeakyReLU) or (isinstance(module, nn.PReLU) and module.num_parameters == 1)


def is_packable(module: nn.Module) -> bool:
    """Whether a module is a convolution that `PackedConvolution` can stand for."""
    return isinstance(module, nn.Conv2d) and module.padding_mode == "zeros" and not isinstance(module.padding, str)
