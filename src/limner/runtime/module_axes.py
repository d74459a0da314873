"""How modules are run on parts of a picture."""

from typing import Any

import torch.nn.functional as F
from torch import Tensor, fx, nn

from limner.errors import LimnerError
from limner.runtime.operators import (
    POINTWISE,
    Axes,
    Axis,
    Region,
    convolution_axes,
    interpolate,
    interpolation_axes,
    padding_axes,
    pair,
    pool_axes,
    shuffle_axes,
    transposed_axes,
    unshuffle_axes,
)
from limner.runtime.prepared import Prepared
from limner.runtime.rewrite import is_alone
from limner.runtime.traced import Reading, Traced, Work

_POINTWISE = (
    nn.ReLU, nn.LeakyReLU, nn.PReLU, nn.ELU, nn.SELU, nn.CELU, nn.GELU, nn.SiLU, nn.Mish, nn.Sigmoid, nn.LogSigmoid,
    nn.Hardsigmoid, nn.Hardswish, nn.Tanh, nn.Hardtanh, nn.ReLU6, nn.Softplus, nn.Softsign, nn.Identity, nn.Dropout,
    nn.Dropout2d, nn.BatchNorm2d, nn.InstanceNorm2d, nn.GroupNorm, nn.Softmax2d, nn.LocalResponseNorm,
)  # fmt: skip
_PADS = (nn.ReflectionPad2d, nn.ReplicationPad2d, nn.ZeroPad2d, nn.ConstantPad2d)


def module_reading(traced: Traced, node: fx.Node) -> Reading | None:
    """How a call of a module is run on parts; None if it cannot be exactly.

    Raises:
        LimnerError: The same, where there is more to say.
    """
    module: Any = traced.submodule(node)
    if isinstance(module, Prepared):
        return Reading(module.axes())
    if isinstance(module, _POINTWISE) or (isinstance(module, nn.Softmax | nn.LogSoftmax) and module.dim in (1, -3)):
        return Reading(POINTWISE)
    if isinstance(module, nn.MaxPool2d):
        windows = (module.kernel_size, module.stride, module.padding, module.dilation)
        return max_pool_reading(traced, node, windows, module if module.return_indices else None)
    if isinstance(module, nn.MaxUnpool2d):
        return unpool_reading(traced, node, module.kernel_size, module.stride, module.padding)
    if isinstance(module, nn.ConvTranspose2d) and not is_alone(node):
        return _sized_transposed(traced, node, module)
    if isinstance(module, nn.AdaptiveAvgPool2d | nn.AdaptiveMaxPool2d):
        return adaptive_reading(traced, node, F.avg_pool2d if "Avg" in type(module).__name__ else F.max_pool2d)
    if isinstance(module, nn.Upsample):
        mode = plain_mode(module.mode, module.align_corners)
        return resizing_reading(traced, node, mode, is_bound=module.size is not None)
    axes = _axes(module)
    return None if axes is None else Reading(axes)


def _sized_transposed(traced: Traced, node: fx.Node, module: nn.ConvTranspose2d) -> Reading:
    """Of a transposed convolution that is told how large its result is: what is missing is added at the end."""
    bare = [
        (side - 1) * stride - 2 * padding + dilation * (kernel - 1) + 1
        for side, stride, padding, dilation, kernel in zip(
            traced.shapes[node.all_input_nodes[0]][-2:],
            *map(pair, (module.stride, module.padding, module.dilation, module.kernel_size)),
            strict=True,
        )
    ]
    extra = [side - own for side, own in zip(traced.shapes[node][-2:], bare, strict=True)]

    def run(parts: Any, _: Region) -> Tensor:
        one: Any = module
        windows = (one.stride, one.padding, extra, one.groups, one.dilation)
        return F.conv_transpose2d(parts[0], one.weight, one.bias, *windows)

    return Reading(transposed_axes(module), run, is_bound=True)


def _axes(module: nn.Module) -> Axes | None:
    if isinstance(module, nn.Conv2d):
        return convolution_axes(module)
    if isinstance(module, nn.ConvTranspose2d):
        return transposed_axes(module)
    if isinstance(module, nn.AvgPool2d):
        return pool_axes(module.kernel_size, module.stride, module.padding)
    if isinstance(module, _PADS):
        modes = {nn.ReflectionPad2d: "reflect", nn.ReplicationPad2d: "replicate"}
        return padding_axes(tuple(module.padding), modes.get(type(module), "constant"))
    if isinstance(module, nn.PixelShuffle):
        return shuffle_axes(module.upscale_factor)
    if isinstance(module, nn.PixelUnshuffle):
        return unshuffle_axes(module.downscale_factor)
    return None


def max_pool_reading(traced: Traced, node: fx.Node, windows: tuple[Any, Any, Any, Any], pool: Any) -> Reading:
    """Of a max pooling; `pool` runs it where it also gives the places, which are then those in the whole map."""
    axes = pool_axes(*windows)
    if pool is None:
        return Reading(axes)
    kernel, stride = pair(windows[0]), pair(windows[1] or windows[0])
    if kernel == stride and pair(windows[2]) == (0, 0) and pair(windows[3]) == (1, 1):
        traced.pooled[node] = kernel
    width = traced.shapes[node.all_input_nodes[0]][-1]

    def run(parts: Any, at: Region) -> tuple[Tensor, Tensor]:
        values, places = pool(parts[0])
        across = parts[0].shape[-1]
        rows, columns = places // across + at.rows.start, places % across + at.columns.start
        return values, rows * width + columns

    return Reading(axes, run)


def unpool_reading(traced: Traced, node: fx.Node, kernel: Any, stride: Any, padding: Any) -> Reading:
    """Of a max unpooling by the places of a max pooling, where every window has its own part of the result.

    Raises:
        LimnerError: If windows overlap, or the places are not those of a pooling with the same windows.
    """
    windows, source = pair(kernel), node.all_input_nodes[0]
    places = [one.all_input_nodes[0] for one in node.all_input_nodes[1:]]
    expected = tuple(side * window for side, window in zip(traced.shapes[source][-2:], windows, strict=True))
    same = [traced.pooled.get(pool) for pool in places] == [windows] and pair(stride or kernel) == windows
    if not same or pair(padding) != (0, 0) or traced.shapes[node][-2:] != expected:
        raise LimnerError(
            f"{node.name} cannot be run in tiles: max unpooling needs the places of a max pooling whose windows do "
            "not overlap and fill the map: run the picture whole (tile=None)"
        )

    def run(parts: Any, at: Region) -> Tensor:
        x, where = parts
        rows = where // expected[1] - at.rows.start * windows[0]
        columns = where % expected[1] - at.columns.start * windows[1]
        return F.max_unpool2d(x, rows * (x.shape[-1] * windows[1]) + columns, windows)

    return Reading(Axes(Axis(up=windows[0]), Axis(up=windows[1])), run)


def adaptive_reading(traced: Traced, node: fx.Node, pool: Any) -> Reading:
    """Of a pooling to a size: windows of the whole factors by which that is smaller."""
    factors = [down for up, down in ratios(traced, node) if up == 1]
    if len(factors) < 2:
        raise LimnerError(f"{node.name} enlarges by pooling, which cannot be tiled: run the picture whole (tile=None)")
    return Reading(pool_axes(tuple(factors), None, 0), lambda parts, _: pool(parts[0], tuple(factors)), is_bound=True)


def resizing_reading(traced: Traced, node: fx.Node, mode: str, *, is_bound: bool) -> Reading:
    """Of an interpolation by whole factors."""
    factors = ratios(traced, node)
    axes = interpolation_axes(mode, factors)
    run: Work = lambda parts, _: interpolate(parts[0], mode, factors)  # noqa: E731
    return Reading(axes, run, is_bound)


def plain_mode(mode: str, align_corners: bool | None) -> str:
    """The mode of an interpolation, in which aligned corners are one of their own."""
    return f"{mode}, align_corners=True" if align_corners else mode


def ratios(traced: Traced, node: fx.Node) -> tuple[tuple[int, int], tuple[int, int]]:
    """By which whole factors a node enlarges and shrinks rows, and columns.

    Raises:
        LimnerError: If a factor is not whole.
    """
    source, result = traced.shapes[node.all_input_nodes[0]][-2:], traced.shapes[node][-2:]
    if any(max(sides) % min(sides) for sides in zip(source, result, strict=True)):
        before, after = (f"{sides[0]}x{sides[1]}" for sides in (source, result))
        raise LimnerError(f"{node.name} resizes {before} to {after}: only whole factors can be tiled exactly")
    rows, columns = (
        (after // before, 1) if after >= before else (1, before // after)
        for before, after in zip(source, result, strict=True)
    )
    return rows, columns
