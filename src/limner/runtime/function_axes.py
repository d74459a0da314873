"""How functions and methods of tensors are run on parts of a picture."""

import operator
from functools import partial
from types import SimpleNamespace
from typing import Any

import torch
import torch.nn.functional as F
from torch import fx

from limner.runtime.module_axes import (
    adaptive_reading,
    max_pool_reading,
    plain_mode,
    resizing_reading,
    unpool_reading,
)
from limner.runtime.operators import (
    POINTWISE,
    convolution_axes,
    pad_of_crop,
    padding_axes,
    pool_axes,
    shuffle_axes,
    transposed_axes,
    unshuffle_axes,
)
from limner.runtime.shapes import LIKE, POINTWISE_FUNCTIONS, POINTWISE_METHODS, TELLING
from limner.runtime.traced import Reading, Traced
from limner.runtime.tracing import one_hot_channels

_ALONG = {
    "softmax": 1, "log_softmax": 1, "logsumexp": 1, "argmax": 1, "argmin": 1, "amax": 1, "amin": 1, "max": 1, "min": 1,
    "mean": 1, "sum": 1, "var": 1, "std": 1, "prod": 1, "any": 1, "all": 1, "cumsum": 1, "sort": 1, "squeeze": 1,
    "unsqueeze": 1, "scatter": 1, "gather": 1, "index_select": 1, "unbind": 1, "glu": 1, "cat": 1, "concat": 1,
    "stack": 1, "chunk": 2, "split": 2, "normalize": 2, "cosine_similarity": 2, "topk": 2,
}  # fmt: skip
"""What runs along dimensions, and which argument names them."""
_UNNAMED = {"normalize": 1, "cosine_similarity": 1, "cat": 0, "concat": 0, "stack": 0, "chunk": 0, "split": 0}
"""Along which it runs where none is named; the others then run along all, or the last."""
_ADDING = {"unsqueeze", "stack"}  # whose dimension is one of the result
_POOL = ("input", "kernel_size", "stride", "padding")
_MAX_POOL = (*_POOL, "dilation", "ceil_mode", "return_indices")
_CONVOLUTION = ("input", "weight", "bias", "stride", "padding", "dilation", "groups")
_TRANSPOSED = ("input", "weight", "bias", "stride", "padding", "output_padding", "groups", "dilation")
_INTERPOLATION = ("input", "size", "scale_factor", "mode", "align_corners", "recompute_scale_factor", "antialias")


def method_reading(traced: Traced, node: fx.Node) -> Reading | None:
    """How a call of a method is run on parts; None if it cannot be exactly."""
    if node.target in POINTWISE_METHODS or node.target in TELLING:
        return Reading(POINTWISE)
    if node.target in ("view", "reshape"):
        return _reshaping(traced, node)
    return _along(traced, node, str(node.target))


def function_reading(traced: Traced, node: fx.Node) -> Reading | None:
    """How a call of a function is run on parts; None if it cannot be exactly.

    Raises:
        LimnerError: The same, where there is more to say.
    """
    target: Any = node.target
    if target in POINTWISE_FUNCTIONS or target in TELLING or target in LIKE or target is F.instance_norm:
        return Reading(POINTWISE)
    if target is one_hot_channels or (target is getattr and node.args[1] in ("values", "indices")):
        return Reading(POINTWISE)
    if target is operator.getitem:
        return _indexed(traced, node)
    if target is torch.reshape:
        return _reshaping(traced, node)
    name = getattr(target, "__name__", "")
    if target in (getattr(torch, name, None), getattr(F, name, None)) and name in _ALONG:
        return _along(traced, node, name)
    return _pooling(traced, node) or _resizing(traced, node) or _convolution(traced, node)


def _along(traced: Traced, node: fx.Node, name: str) -> Reading | None:
    """Of what runs along channels, at each place by itself."""
    if name not in _ALONG:
        return None
    if name in ("max", "min") and len(node.args) > 1 and isinstance(node.args[1], fx.Node):
        return Reading(POINTWISE) if node.args[1] in traced.shapes else None
    number = len(traced.shapes[node.all_input_nodes[0]]) + (name in _ADDING)
    dims = dims_along(traced, node, _ALONG[name], number, _UNNAMED.get(name))
    return Reading(POINTWISE) if dims and max(dims) < number - 2 else None


def dims_along(traced: Traced, node: fx.Node, position: int, number: int, unnamed: int | None = None) -> list[int]:
    """The dimensions that a node runs along, of `number`; none if it does not say.

    Args:
        traced: What is known already.
        node: A call.
        position: Of the argument that names them.
        number: Of all dimensions.
        unnamed: The one that is meant where none is named.
    """
    names = [f"argument {number}" for number in range(position)]
    arguments = {"dim": unnamed} | traced.arguments(node, *names, "dim")
    dims = arguments.get("axis", arguments["dim"])
    several = dims if isinstance(dims, tuple | list) else [] if dims is None else [dims]
    return sorted(int(dim) % number for dim in several)


def _reshaping(traced: Traced, node: fx.Node) -> Reading | None:
    """Of a new shape with the same rows and columns."""
    source, result = traced.shapes[node.all_input_nodes[0]], traced.shapes[node]
    if source[-2:] != result[-2:]:
        return None
    return Reading(POINTWISE, lambda parts, _: parts[0].reshape(*result[:-2], *parts[0].shape[-2:]))


def _indexed(traced: Traced, node: fx.Node) -> Reading | None:
    """Of x[...]: one of several results, some channels, or a crop, which is a negative padding."""
    index = traced.arguments(node, "input", "index")["index"]
    source = node.all_input_nodes[0]
    if isinstance(index, int) and source in traced.several:
        return Reading(POINTWISE)
    pads = pad_of_crop(index, len(traced.shapes[source]))
    return None if pads is None else Reading(padding_axes(pads, "constant"))


def _pooling(traced: Traced, node: fx.Node) -> Reading | None:
    target: Any = node.target
    if target in (F.avg_pool2d, F.adaptive_avg_pool2d):
        arguments = traced.arguments(node, *_POOL)
        if target is F.adaptive_avg_pool2d:
            return adaptive_reading(traced, node, F.avg_pool2d)
        return Reading(pool_axes(arguments["kernel_size"], arguments.get("stride"), arguments.get("padding", 0)))
    if target is F.adaptive_max_pool2d:
        return adaptive_reading(traced, node, F.max_pool2d)
    if target in (F.max_pool2d, F.max_pool2d_with_indices):
        arguments = traced.arguments(node, *_MAX_POOL)
        windows = (
            arguments["kernel_size"],
            arguments.get("stride"),
            arguments.get("padding", 0),
            arguments.get("dilation", 1),
        )
        options = {key: value for key, value in arguments.items() if key not in ("input", "return_indices")}
        pool = partial(F.max_pool2d, **options, return_indices=True) if arguments.get("return_indices") else None
        pool = partial(F.max_pool2d_with_indices, **options) if target is F.max_pool2d_with_indices else pool
        return max_pool_reading(traced, node, windows, pool)
    if target is F.max_unpool2d:
        arguments = traced.arguments(node, "input", "indices", "kernel_size", "stride", "padding", "output_size")
        return unpool_reading(
            traced, node, arguments["kernel_size"], arguments.get("stride"), arguments.get("padding", 0)
        )
    return None


def _resizing(traced: Traced, node: fx.Node) -> Reading | None:
    target: Any = node.target
    if target is F.interpolate:
        arguments, own = traced.arguments(node, *_INTERPOLATION), dict(zip(_INTERPOLATION, node.args, strict=False))
        if arguments.get("antialias"):
            return None
        size: Any = own.get("size", node.kwargs.get("size"))
        mode = plain_mode(arguments.get("mode", "nearest"), arguments.get("align_corners"))
        is_bound = size is not None and not _holds_node(size)
        return resizing_reading(traced, node, mode, is_bound=is_bound)
    if target is F.pad:
        arguments = traced.arguments(node, "input", "pad", "mode")
        return Reading(padding_axes(tuple(arguments["pad"]), arguments.get("mode", "constant")))
    if target in (F.pixel_shuffle, F.pixel_unshuffle):
        name = "upscale_factor" if target is F.pixel_shuffle else "downscale_factor"
        factor = traced.arguments(node, "input", name)[name]
        return Reading(shuffle_axes(factor) if target is F.pixel_shuffle else unshuffle_axes(factor))
    return None


def _holds_node(value: Any) -> bool:
    return isinstance(value, fx.Node) or (isinstance(value, tuple | list) and any(map(_holds_node, value)))


def _convolution(traced: Traced, node: fx.Node) -> Reading | None:
    """Of a convolution whose weights are no module's: they must come from no picture."""
    target: Any = node.target
    if target not in (F.conv2d, F.conv_transpose2d) or sum(one in traced.operators for one in node.all_input_nodes) > 1:
        return None
    names = _CONVOLUTION if target is F.conv2d else _TRANSPOSED
    plain = {"stride": 1, "padding": 0, "dilation": 1, "output_padding": 0}
    arguments = plain | traced.arguments(node, *names)
    like: Any = SimpleNamespace(**arguments, kernel_size=traced.shapes[arguments["weight"]][-2:], padding_mode="zeros")
    return Reading(convolution_axes(like) if target is F.conv2d else transposed_axes(like))
