"""A network as a graph of operators that can be run on parts of a picture, read off the network itself.

Each node of the traced network becomes one of three kinds: spatial (a picture or feature map, run part by part), whole
(a statistic over a whole feature map, which needs a pass of its own), or plain (everything else: computed once).
"""

import copy
import operator
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from limner.errors import LimnerError
from limner.runtime.norms import ChannelNorm
from limner.runtime.operators import (
    POINTWISE,
    Axes,
    convolution_axes,
    interpolation_axes,
    padding_axes,
    pool_axes,
    shuffle_axes,
    transposed_axes,
    unshuffle_axes,
)
from limner.runtime.prepared import Prepared
from limner.runtime.shapes import POINTWISE_FUNCTIONS, POINTWISE_METHODS, Shapes

_ACTIVATIONS = (
    nn.ReLU, nn.LeakyReLU, nn.PReLU, nn.ELU, nn.GELU, nn.SiLU, nn.Sigmoid, nn.Tanh, nn.Hardtanh, nn.ReLU6, nn.Softplus,
    nn.Identity, nn.Dropout, nn.Dropout2d,
)  # fmt: skip
_PADS = (nn.ReflectionPad2d, nn.ReplicationPad2d, nn.ZeroPad2d, nn.ConstantPad2d)
_REDUCTIONS = {"mean", "var", "std", "sum"}


@dataclass
class Operator:
    """A spatial node: how to run it on parts of its inputs, and which parts these are."""

    node: fx.Node
    size: tuple[int, int]
    inputs: tuple[fx.Node, ...] = ()
    axes: Axes = POINTWISE
    normalises: bool = False
    """Whether it needs the statistics of its input first."""


@dataclass
class Traced:
    """A network read for pictures of one size."""

    module: fx.GraphModule
    operators: dict[fx.Node, Operator] = field(default_factory=dict)
    shapes: dict[fx.Node, tuple[int, ...]] = field(default_factory=dict)
    dtypes: dict[fx.Node, torch.dtype] = field(default_factory=dict)
    plain: dict[fx.Node, Any] = field(default_factory=dict)
    """Values that do not depend on any picture's pixels: sizes, numbers."""
    wholes: dict[fx.Node, fx.Node] = field(default_factory=dict)
    """Statistics over whole feature maps -> the spatial node that they are of."""
    output: fx.Node | None = None

    def submodule(self, node: fx.Node) -> nn.Module:
        """The module that a `call_module` node calls."""
        return self.module.get_submodule(str(node.target))


def trace(system: nn.Module) -> fx.GraphModule:
    """The graph of a system's forward pass.

    Raises:
        LimnerError: If it decides by looking at values, which a graph cannot hold.
    """
    system = copy.deepcopy(system).eval().requires_grad_(False)
    if fx.Tracer().is_leaf_module(system, ""):  # one of torch's own, which would be looked into as the root
        system = nn.Sequential(system)
    try:
        graph = fx.Tracer().trace(system)
        _out_of_place(system, graph)
        return fx.GraphModule(system, graph)
    except (fx.proxy.TraceError, TypeError) as error:
        reason = " ".join(str(error).split())[:160]
        name = type(system).__name__
        raise LimnerError(f"{name} cannot be run in tiles, for its forward pass is no fixed graph: {reason}") from None


_OUT_OF_PLACE = {operator.iadd: operator.add, operator.isub: operator.sub, operator.imul: operator.mul, F.relu_: F.relu}


def _out_of_place(system: nn.Module, graph: fx.Graph) -> None:
    """Turn operators that overwrite their input into ones that do not; later readers of the input read the result."""
    for node in graph.nodes:
        overwrites = bool(node.kwargs.get("inplace"))
        if node.op == "call_module":
            module = system.get_submodule(str(node.target))
            overwrites = bool(getattr(module, "inplace", False))
            if overwrites:
                module.inplace = False  # type: ignore[assignment]
        elif node.op == "call_method" and str(node.target).endswith("_"):
            overwrites, node.target = True, str(node.target).rstrip("_")
        elif node.target in _OUT_OF_PLACE:
            overwrites, node.target = True, _OUT_OF_PLACE[node.target]
        if overwrites:
            node.kwargs = {key: value for key, value in node.kwargs.items() if key != "inplace"}
            node.all_input_nodes[0].replace_all_uses_with(node, delete_user_cb=lambda user, node=node: user > node)


def read(module: fx.GraphModule, *sizes: tuple[int, ...]) -> Traced:
    """Read a traced network for inputs of the given shapes.

    Raises:
        LimnerError: If it holds an operator that cannot be run in parts exactly; the message names it.
    """
    shapes = Shapes(module)
    dtype = next((parameter.dtype for parameter in module.parameters()), torch.float32)
    shapes.run(*(torch.empty(size, device="meta", dtype=dtype) for size in sizes))
    traced = Traced(module)
    spatial: set[fx.Node] = set()
    for node in module.graph.nodes:
        value = shapes.seen[node]
        if isinstance(value, Tensor):
            traced.shapes[node], traced.dtypes[node] = tuple(value.shape), value.dtype
        sources = [source for source in node.all_input_nodes if source in spatial]
        if node.op == "output":
            (traced.output,) = node.args
        elif node.op == "placeholder" and isinstance(value, Tensor) and value.dim() == 4:
            spatial.add(node)
            traced.operators[node] = Operator(node, _size(value))
        elif not isinstance(value, Tensor):
            traced.plain[node] = value
        elif sources:
            _read_spatial(traced, node, value, sources, spatial)
    if traced.output not in traced.operators:
        raise LimnerError("only a network whose output is one picture or feature map can be run in tiles")
    return traced


def _size(value: Tensor) -> tuple[int, int]:
    return int(value.shape[-2]), int(value.shape[-1])


def _read_spatial(traced: Traced, node: fx.Node, value: Tensor, sources: list[fx.Node], spatial: set[fx.Node]) -> None:
    if is_reduction(traced, node):
        traced.wholes[node] = sources[0]
        return
    axes = _axes(traced, node)
    traced.operators[node] = Operator(node, _size(value), tuple(sources), axes, is_norm(traced, node))
    spatial.add(node)


def is_norm(traced: Traced, node: fx.Node) -> bool:
    """Whether the node normalises by statistics of its whole input."""
    if node.op != "call_module":
        return node.op == "call_function" and node.target is F.instance_norm
    module = traced.submodule(node)
    if isinstance(module, nn.InstanceNorm2d | nn.BatchNorm2d):
        return module.running_mean is None
    return isinstance(module, nn.GroupNorm | ChannelNorm)


def is_reduction(traced: Traced, node: fx.Node) -> bool:
    """Whether the node is a mean, variance, deviation or sum over both axes of a feature map, or a global pooling."""
    if node.op == "call_module":
        module = traced.submodule(node)
        return isinstance(module, nn.AdaptiveAvgPool2d) and _is_one(module.output_size)
    if node.op == "call_function" and node.target is F.adaptive_avg_pool2d:
        return _is_one(node.args[1])
    if node.op == "call_method":
        name = str(node.target)
    else:
        name = (
            getattr(node.target, "__name__", "") if node.target in (torch.mean, torch.var, torch.std, torch.sum) else ""
        )
    if name not in _REDUCTIONS:
        return False
    dims = sorted(dim % 4 for dim in reduced_dims(node))
    if dims != [2, 3]:
        raise LimnerError(f"{node.name} reduces over {dims}: only both axes of a feature map, (2, 3), can be tiled")
    return True


def reduced_dims(node: fx.Node) -> tuple[int, ...]:
    """The dimensions that a reduction runs over."""
    dims: Any = node.kwargs.get("dim", node.args[1] if len(node.args) > 1 else (0, 1, 2, 3))
    return tuple(dims) if isinstance(dims, tuple | list) else (dims,)


def _is_one(size: Any) -> bool:
    return size in (1, (1, 1), [1, 1])


def _axes(traced: Traced, node: fx.Node) -> Axes:
    found: Axes | None = None
    if node.op == "call_module":
        found = _module_axes(traced.submodule(node), traced, node)
    elif node.op == "call_method" and node.target in POINTWISE_METHODS:
        found = POINTWISE
    elif node.op == "call_function":
        found = _function_axes(traced, node)
    if found is None:
        what = (
            type(traced.submodule(node)).__name__
            if node.op == "call_module"
            else getattr(node.target, "__name__", node.target)
        )
        raise LimnerError(f"{node.name} ({what}) cannot be run in tiles exactly: run the picture whole (tile=None)")
    return found


def _module_axes(module: nn.Module, traced: Traced, node: fx.Node) -> Axes | None:
    if isinstance(module, Prepared):
        return module.axes()
    if isinstance(module, (*_ACTIVATIONS, nn.BatchNorm2d, nn.InstanceNorm2d, nn.GroupNorm)):
        return POINTWISE
    if isinstance(module, nn.Conv2d):
        return convolution_axes(module)
    if isinstance(module, nn.ConvTranspose2d):
        return transposed_axes(module)
    if isinstance(module, nn.MaxPool2d):
        return pool_axes(module.kernel_size, module.stride, module.padding, module.dilation)
    if isinstance(module, nn.AvgPool2d):
        return pool_axes(module.kernel_size, module.stride, module.padding)
    if isinstance(module, _PADS):
        modes = {nn.ReflectionPad2d: "reflect", nn.ReplicationPad2d: "replicate"}
        return padding_axes(tuple(module.padding), modes.get(type(module), "constant"))
    if isinstance(module, nn.PixelShuffle):
        return shuffle_axes(module.upscale_factor)
    if isinstance(module, nn.PixelUnshuffle):
        return unshuffle_axes(module.downscale_factor)
    if isinstance(module, nn.Upsample):
        return interpolation_axes(_plain_mode(module.mode, module.align_corners), whole_factors(traced, node))
    return None


def _function_axes(traced: Traced, node: fx.Node) -> Axes | None:
    target: Any = node.target
    arguments: Any = fx.node.map_arg((node.args, node.kwargs), lambda n: traced.plain.get(n, n))
    args, kwargs = arguments
    if target in POINTWISE_FUNCTIONS or target is F.instance_norm:
        return POINTWISE
    if target is torch.cat:
        dim = kwargs.get("dim", args[1] if len(args) > 1 else 0)
        return POINTWISE if dim in (1, -3) else None
    if target is F.pad:
        mode = kwargs.get("mode", args[2] if len(args) > 2 else "constant")
        return padding_axes(tuple(kwargs.get("pad", args[1] if len(args) > 1 else ())), mode)
    if target is F.pixel_shuffle:
        return shuffle_axes(args[1])
    if target is F.pixel_unshuffle:
        return unshuffle_axes(args[1])
    if target is F.interpolate:
        mode = kwargs.get("mode", args[3] if len(args) > 3 else "nearest")
        return interpolation_axes(_plain_mode(mode, kwargs.get("align_corners")), whole_factors(traced, node))
    if target is operator.getitem:
        return _slice_axes(args[1])
    if target in (F.max_pool2d, F.avg_pool2d):
        names = ("kernel", "stride", "padding", *(["dilation"] if target is F.max_pool2d else []))
        given: dict[str, Any] = dict(zip(names, args[1:], strict=False))
        given |= {"kernel" if key == "kernel_size" else key: value for key, value in kwargs.items()}
        return pool_axes(given["kernel"], given.get("stride"), given.get("padding", 0), given.get("dilation", 1))
    return None


def _plain_mode(mode: str, align_corners: bool | None) -> str:
    return f"{mode}, align_corners=True" if align_corners else mode


def whole_factors(traced: Traced, node: fx.Node) -> tuple[int, int]:
    """By which whole factors an interpolation enlarges.

    Raises:
        LimnerError: If the factors are not whole.
    """
    source, result = traced.shapes[node.all_input_nodes[0]][-2:], traced.shapes[node][-2:]
    if any(after % before for before, after in zip(source, result, strict=True)):
        raise LimnerError(f"{node.name} resizes {source} to {result}: only whole factors can be tiled exactly")
    return result[0] // source[0], result[1] // source[1]


def _slice_axes(index: Any) -> Axes | None:
    """Of x[..., a:b, c:d] with channels untouched: a crop is a negative padding."""
    parts = index if isinstance(index, tuple) else (index,)
    if Ellipsis in parts:
        place = parts.index(Ellipsis)
        parts = (*parts[:place], *[slice(None)] * (5 - len(parts)), *parts[place + 1 :])
    parts = (*parts, *[slice(None)] * (4 - len(parts)))
    if len(parts) != 4 or any(not isinstance(part, slice) or part.step not in (None, 1) for part in parts[2:]):
        return None
    starts = [part.start or 0 for part in parts[2:]]
    if any(not isinstance(start, int) or start < 0 for start in starts) or any(
        part != slice(None) for part in parts[:1]
    ):
        return None
    ends = [part.stop if isinstance(part.stop, int) and part.stop < 0 else 0 for part in parts[2:]]
    return padding_axes((-starts[1], ends[1], -starts[0], ends[0]), "constant")
