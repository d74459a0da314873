"""A network as a graph of operators that can be run on parts of a picture, read off the network itself.

Each node of the traced network becomes one of three kinds: spatial (a picture or feature map, run part by part), whole
(a statistic over a whole feature map, which needs a pass of its own), or plain (everything else: computed once).
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from limner.errors import LimnerError
from limner.ports import Port
from limner.runtime.function_axes import dims_along, function_reading, method_reading
from limner.runtime.module_axes import module_reading
from limner.runtime.norms import ChannelNorm
from limner.runtime.operators import POINTWISE, pair
from limner.runtime.shapes import CONSTRUCTORS, FILLED, Shapes
from limner.runtime.traced import Operator, Reading, Traced, tensors_in
from limner.runtime.tracing import one_line

_REDUCTIONS = {"mean", "var", "std", "sum"}
_SPREADING = {"expand", "expand_as", "repeat", "broadcast_to"}
_PER_CHANNEL = {torch.prelu, F.prelu, F.instance_norm, F.conv2d, F.conv_transpose2d}
"""Whose further arguments are no maps that lie under the first one."""


def read(module: fx.GraphModule, *sizes: tuple[int, ...]) -> Traced:
    """Read a traced network for inputs of the given shapes.

    Raises:
        LimnerError: If it does not take them, or holds an operator that cannot be run in parts exactly; the message
            names it.
    """
    shapes, traced, name = Shapes(module), Traced(module), type(module).__name__
    try:
        shapes.run(*_without_data(module, sizes, name))
        for node in module.graph.nodes:
            _read_node(traced, node, shapes.seen[node])
    except (MemoryError, LimnerError):
        raise
    except Exception as error:  # operators may raise anything
        sides = " and ".join("x".join(map(str, size)) for size in sizes)
        raise LimnerError(f"{name} cannot be run in tiles for an input of {sides}: {one_line(error)}") from None
    if not any(node.op == "placeholder" and node in traced.operators for node in module.graph.nodes):
        raise LimnerError(f"{name} cannot be run in tiles: there is no picture among its inputs, so run it whole")
    if not traced.spatial_results:
        raise LimnerError(f"{name} cannot be run in tiles: only a network that gives a picture or feature map can")
    return traced


def _without_data(module: fx.GraphModule, sizes: tuple[tuple[int, ...], ...], name: str) -> list[Tensor]:
    """Inputs that have nothing but a shape and a type."""
    ports = [node.meta.get("port") for node in module.graph.nodes if node.op == "placeholder"]
    if len(ports) != len(sizes):
        names = " and ".join(port.name if isinstance(port, Port) else "an input" for port in ports)
        raise LimnerError(f"{name} is given {names}, got {_counted(len(sizes))}: give it one for each")
    own = next((one.dtype for one in module.parameters() if one.is_floating_point()), torch.float32)
    kinds = [port.dtype if port and not port.dtype.is_floating_point else own for port in ports]
    return [torch.empty(size, device="meta", dtype=kind) for size, kind in zip(sizes, kinds, strict=True)]


def _counted(number: int) -> str:
    return f"{number} input{'' if number == 1 else 's'}"


def _read_node(traced: Traced, node: fx.Node, value: Any) -> None:
    sources = [source for source in node.all_input_nodes if source in traced.operators]
    found = tensors_in(value)
    if node.op == "output":
        _read_results(traced, node.args[0])
        return
    if not isinstance(value, Tensor) and found:
        traced.several.add(node)
    if found:
        traced.shapes[node], traced.dtypes[node] = tuple(found[0].shape), found[0].dtype
    if not found:
        traced.plain[node] = value
    elif node.op == "placeholder":
        port = node.meta.get("port")
        if port.spatial if port else found[0].dim() == 4:
            traced.operators[node] = Operator(node, _size(found[0]))
    elif _is_spread(traced, node, value):
        traced.operators[node] = Operator(node, _size(value), is_spread=True)
    elif sources:
        _read_spatial(traced, node, found[0], sources)


def _size(value: Tensor) -> tuple[int, int]:
    return int(value.shape[-2]), int(value.shape[-1])


def _read_results(traced: Traced, results: Any) -> None:
    traced.gives_several = isinstance(results, tuple | list)
    several = tuple(results) if traced.gives_several else (results,)
    if not all(isinstance(node, fx.Node) and node in traced.shapes for node in several):
        raise LimnerError("only a network that gives a tensor or a tuple of tensors can be run in tiles")
    traced.results = several


def _is_spread(traced: Traced, node: fx.Node, value: Any) -> bool:
    """Whether the node is the same at every place: made of one number for each channel, or of none."""
    if not isinstance(value, Tensor) or value.dim() < 3 or _size(value) == (1, 1):
        return False
    if node.target in CONSTRUCTORS or (node.op == "call_method" and node.target in FILLED):
        return True
    enlarges = node.target is F.interpolate or isinstance(
        traced.submodule(node) if node.op == "call_module" else None, nn.Upsample
    )
    if not enlarges and not (node.op == "call_method" and node.target in _SPREADING):
        return False
    source = node.all_input_nodes[0]
    return source not in traced.operators and traced.shapes[source][-2:] == (1, 1)


def _read_spatial(traced: Traced, node: fx.Node, value: Tensor, sources: list[fx.Node]) -> None:
    if is_reduction(traced, node):
        traced.wholes[node] = sources[0]
        return
    reading = _reading(traced, node)
    if reading.axes == POINTWISE and node.op != "call_module" and node.target not in _PER_CHANNEL:
        sources += _fixed_maps(traced, node, value)
    traced.operators[node] = Operator(node, _size(value), tuple(sources), reading, is_norm(traced, node))


def _fixed_maps(traced: Traced, node: fx.Node, value: Tensor) -> list[fx.Node]:
    """The inputs of a node that lie under its pictures place by place, though no picture has made them."""
    found = [source for source in node.all_input_nodes if source in traced.shapes and source not in traced.operators]
    sizes = {source: pair(((1, 1) + traced.shapes[source])[-2:]) for source in found}
    found = [source for source in found if sizes[source] != (1, 1)]
    for source in found:
        if any(side not in (1, whole) for side, whole in zip(sizes[source], _size(value), strict=True)):
            raise LimnerError(f"{node.name} ({traced.called(node)}) cannot be run in tiles exactly: {_RUN_WHOLE}")
        traced.operators[source] = Operator(source, sizes[source], is_fixed=True)
    return found


_RUN_WHOLE = "run the picture whole (tile=None)"


def _reading(traced: Traced, node: fx.Node) -> Reading:
    if node.op == "call_module":
        found = module_reading(traced, node)
    elif node.op == "call_method":
        found = method_reading(traced, node)
    else:
        found = function_reading(traced, node)
    if found is None:
        raise LimnerError(f"{node.name} ({traced.called(node)}) cannot be run in tiles exactly: {_RUN_WHOLE}")
    return found


def is_norm(traced: Traced, node: fx.Node) -> bool:
    """Whether the node normalises by statistics of its whole input."""
    if node.op != "call_module":
        return node.op == "call_function" and node.target is F.instance_norm
    module = traced.submodule(node)
    if isinstance(module, nn.InstanceNorm2d | nn.BatchNorm2d):
        return module.running_mean is None
    return isinstance(module, nn.GroupNorm | ChannelNorm)


def is_reduction(traced: Traced, node: fx.Node) -> bool:
    """Whether the node is a mean, variance, deviation or sum over both axes of a feature map, or a global pooling.

    Raises:
        LimnerError: If it runs over one of the axes alone, or over both and more.
    """
    if node.op == "call_module":
        module = traced.submodule(node)
        return isinstance(module, nn.AdaptiveAvgPool2d) and _is_one(module.output_size)
    if node.target is F.adaptive_avg_pool2d:
        return _is_one(traced.arguments(node, "input", "output_size")["output_size"])
    if node.op == "call_method":
        name = str(node.target)
    else:
        reductions = (torch.mean, torch.var, torch.std, torch.sum)
        name = getattr(node.target, "__name__", "") if node.target in reductions else ""
    if name not in _REDUCTIONS:
        return False
    number = len(traced.shapes[node.all_input_nodes[0]])
    dims = dims_along(traced, node, 1, number)
    if dims and max(dims) < number - 2:
        return False  # over channels, at each place by itself
    if dims != [number - 2, number - 1]:
        raise LimnerError(
            f"{node.name} reduces over {dims or 'all'}: only both axes of a feature map, (2, 3), can be tiled"
        )
    return True


def _is_one(size: Any) -> bool:
    return size in (1, (1, 1), [1, 1]) or tuple(size if isinstance(size, tuple | list) else ()) == (1, 1)
