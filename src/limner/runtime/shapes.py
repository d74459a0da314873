"""The shapes of all values of a network, without computing any of them."""

import copy
import functools
import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from limner.errors import LimnerError
from limner.runtime.operators import pair
from limner.runtime.prepared import Prepared
from limner.runtime.tracing import one_hot_channels

POINTWISE_FUNCTIONS = {
    operator.add, operator.sub, operator.mul, operator.truediv, operator.neg, operator.pow,
    torch.add, torch.sub, torch.mul, torch.div, torch.neg, torch.pow, torch.relu, torch.sigmoid, torch.tanh,
    torch.clamp, torch.exp, torch.log, torch.sqrt, torch.rsqrt, torch.square, torch.abs, torch.lerp, torch.sin,
    torch.cos, torch.where, torch.prelu, torch.maximum, torch.minimum, torch.addcmul, torch.addcdiv,
    F.relu, F.relu6, F.leaky_relu, F.elu, F.selu, F.gelu, F.silu, F.mish, F.sigmoid, F.logsigmoid, F.hardsigmoid,
    F.hardswish, F.hardtanh, F.tanh, F.prelu, F.dropout, F.dropout2d, F.softplus, F.softsign,
}  # fmt: skip
POINTWISE_METHODS = {
    "add", "sub", "mul", "div", "neg", "pow", "relu", "sigmoid", "tanh", "clamp", "exp", "log", "sqrt", "rsqrt",
    "square", "abs", "float", "to", "type_as", "contiguous", "detach", "clone", "lerp", "sin", "cos", "maximum",
    "minimum", "addcmul", "addcdiv", "double", "half", "long", "int", "bool", "round", "floor", "ceil", "sign",
}  # fmt: skip
TELLING = {
    operator.eq, operator.ne, operator.gt, operator.ge, operator.lt, operator.le, operator.and_, operator.or_,
    operator.invert, operator.floordiv, operator.mod, torch.eq, torch.ne, torch.gt, torch.ge, torch.lt, torch.le,
    torch.logical_and, torch.logical_or, torch.logical_not, torch.round, torch.floor, torch.ceil, torch.sign,
    torch.masked_fill, "eq", "ne", "gt", "ge", "lt", "le", "logical_and", "logical_or", "logical_not", "masked_fill",
}  # fmt: skip
"""Pointwise functions and methods whose result has a type of its own."""
LIKE = {torch.ones_like, torch.zeros_like, torch.full_like}
CONSTRUCTORS = {torch.ones: 1.0, torch.zeros: 0.0, torch.full: None}
"""What makes a map of one number: that number, if it is no argument."""
FILLED = {"new_ones": 1.0, "new_zeros": 0.0, "new_full": None}
_TYPED = {"float", "to", "type_as", "double", "half", "long", "int", "bool"}


class Shapes(fx.Interpreter):
    """Runs the graph on tensors without data, and keeps what comes out of every node."""

    def __init__(self, module: fx.GraphModule) -> None:
        super().__init__(module)
        self.extra_traceback = False
        self.seen: dict[fx.Node, Any] = {}
        held = [*module.parameters(), *module.buffers()]
        self._without_data = {id(value): value.to("meta") for value in held}

    def run_node(self, n: fx.Node) -> Any:
        """Keep every node's value."""
        self.seen[n] = super().run_node(n)
        return self.seen[n]

    def call_module(self, target: Any, args: Any, kwargs: Any) -> Any:
        """Run a copy of the module that has no data either."""
        module = self.fetch_attr(target)
        if isinstance(module, nn.PixelShuffle | nn.PixelUnshuffle):
            return _shuffled(args[0], module)
        if isinstance(module, nn.ReflectionPad2d | nn.ReplicationPad2d | nn.ZeroPad2d | nn.ConstantPad2d):
            return _padded(args[0], module.padding)
        if isinstance(module, nn.Upsample) and args[0].dim() == 4:
            return _interpolated(args[0], module.size, module.scale_factor)
        if isinstance(module, nn.MaxUnpool2d):
            return _unpooled(args[0], args[1], module.kernel_size, module.stride, module.padding, **kwargs)
        if isinstance(module, Prepared):
            return torch.empty(module.output_shape(tuple(args[0].shape)), dtype=module.dtype, device="meta")
        return copy.deepcopy(module, dict(self._without_data))(*args, **kwargs)

    def call_function(self, target: Any, args: Any, kwargs: Any) -> Any:
        """Run the function, but for some: without data, torch would import its compiler for these, for a second."""
        if target in POINTWISE_FUNCTIONS and target is not torch.where and _tensors(args, kwargs):
            return _combined(args, kwargs)
        if target in (F.pixel_shuffle, F.pixel_unshuffle):
            kind = nn.PixelShuffle if target is F.pixel_shuffle else nn.PixelUnshuffle
            return _shuffled(args[0], kind(*args[1:], **kwargs))
        if target in (F.one_hot, one_hot_channels):
            return _one_hot(target, *args, **kwargs)
        if target is F.interpolate and args[0].dim() == 4:
            return _interpolated(*args, **kwargs)
        if target is F.max_unpool2d:
            return _unpooled(*args, **kwargs)
        if target is F.pad and args[0].dim() == 4 and len(pads := kwargs.get("pad") or args[1]) <= 4:
            return _padded(args[0], (*pads, 0, 0)[:4])
        if target is torch.cat and (args[1:] or [kwargs.get("dim", 0)])[0] == 1:
            return _concatenated(args[0])
        return super().call_function(target, args, kwargs)

    def call_method(self, target: Any, args: Any, kwargs: Any) -> Any:
        """The same of methods."""
        plain = target in POINTWISE_METHODS and target not in _TYPED
        if plain and _tensors(args, kwargs):
            return _combined(args, kwargs)
        return super().call_method(target, args, kwargs)

    def get_attr(self, target: Any, args: Any, kwargs: Any) -> Any:
        """A parameter without its data."""
        value = super().get_attr(target, args, kwargs)
        return value.to("meta") if isinstance(value, Tensor) else value


def _concatenated(parts: Sequence[Tensor]) -> Tensor:
    """Of feature maps beside each other as channels of one."""
    first = parts[0]
    if any(part.shape[2:] != first.shape[2:] for part in parts):
        raise LimnerError(
            f"torch.cat is given maps of different sizes, {' and '.join(str(tuple(x.shape)) for x in parts)}"
        )
    return first.new_empty(first.shape[0], sum(part.shape[1] for part in parts), *first.shape[2:])


def _shuffled(x: Tensor, module: nn.PixelShuffle | nn.PixelUnshuffle) -> Tensor:
    """What a pixel shuffle of `x`, which has no data, would have as its shape."""
    n, channels, height, width = x.shape
    if isinstance(module, nn.PixelShuffle):
        factor = module.upscale_factor
        return x.new_empty(n, channels // factor**2, height * factor, width * factor)
    factor = module.downscale_factor
    return x.new_empty(n, channels * factor**2, height // factor, width // factor)


def _tensors(args: Any, kwargs: Any) -> list[Tensor]:
    return [value for value in (*args, *kwargs.values()) if isinstance(value, Tensor)]


def _combined(args: Any, kwargs: Any) -> Tensor:
    """What a pointwise operator would give, as a tensor without data."""
    tensors = _tensors(args, kwargs)
    dtype = functools.reduce(torch.promote_types, (one.dtype for one in tensors if one.dim() or len(tensors) == 1))
    return torch.empty(np.broadcast_shapes(*(one.shape for one in tensors)), dtype=dtype, device="meta")


def _padded(x: Tensor, pads: tuple[int, ...]) -> Tensor:
    left, right, top, bottom = pads
    return x.new_empty(*x.shape[:2], x.shape[2] + top + bottom, x.shape[3] + left + right)


def _interpolated(input: Tensor, size: Any = None, scale_factor: Any = None, *_: Any, **__: Any) -> Tensor:
    """Of a resized map; the names are those of `F.interpolate`."""
    if size is not None:
        return input.new_empty(*input.shape[:2], *pair(size))
    factors = scale_factor if isinstance(scale_factor, tuple | list) else (scale_factor, scale_factor)
    sides = (math.floor(side * float(factor)) for side, factor in zip(input.shape[2:], factors, strict=True))
    return input.new_empty(*input.shape[:2], *sides)


def _one_hot(target: Any, labels: Tensor, num_classes: int = -1) -> Tensor:
    if num_classes < 1:
        raise LimnerError("one-hot numbers need the number of classes: give F.one_hot its num_classes")
    if target is one_hot_channels:
        return labels.new_empty(len(labels), num_classes, *labels.shape[1:])
    return labels.new_empty(*labels.shape, num_classes)


def _unpooled(
    x: Tensor, _: Tensor, kernel: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> Tensor:
    """Of a max unpooling: (side - 1) * stride - 2 * padding + kernel, where no size is asked for."""
    sides = zip(x.shape[-2:], *map(pair, (kernel, stride or kernel, padding)), strict=True)
    size = [(side - 1) * step - 2 * border + window for side, window, step, border in sides]
    return x.new_empty(*x.shape[:-2], *(output_size[-2:] if output_size else size))
