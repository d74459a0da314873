"""The graph of a network's forward pass, as `torch.fx` sees it, in a form that can be run in parts."""

import copy
import operator
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.dropout import _DropoutNd
from torch.overrides import TorchFunctionMode

from limner.errors import LimnerError
from limner.layers.spectral import without_parametrizations
from limner.ports import Port, Ported

_OUT_OF_PLACE = {operator.iadd: operator.add, operator.isub: operator.sub, operator.imul: operator.mul, F.relu_: F.relu}
_DRAWS = {
    torch.rand, torch.randn, torch.rand_like, torch.randn_like, torch.randint, torch.randint_like, torch.randperm,
    torch.normal, torch.bernoulli, torch.poisson, torch.multinomial, F.gumbel_softmax,
}  # fmt: skip
_DRAWING_METHODS = {
    "bernoulli", "bernoulli_", "normal_", "uniform_", "random_", "exponential_", "geometric_", "log_normal_",
    "cauchy_", "multinomial",
}  # fmt: skip
_DROPOUTS = {F.dropout, F.dropout1d, F.dropout2d, F.dropout3d, F.alpha_dropout, F.feature_alpha_dropout}


class DrawsError(LimnerError):
    """A network draws random numbers by itself, so that it gives something else at each call."""

    def __init__(self, function: str, name: str) -> None:
        super().__init__(
            f"{name} draws random numbers by itself ({function}): give it a noise input, so that parts, passes and "
            "calls see the same"
        )


def trace(system: nn.Module) -> fx.GraphModule:
    """The graph of a system's forward pass; if it is `Ported`, each placeholder's `meta["port"]` is its input's.

    Raises:
        LimnerError: If it decides by looking at values, which a graph cannot hold, or draws random numbers.
    """
    name, ports = type(system).__name__, system.inputs if isinstance(system, Ported) else None
    system = copy.deepcopy(system).eval().requires_grad_(False)
    without_parametrizations(system)
    if fx.Tracer().is_leaf_module(system, ""):  # one of torch's own, which would be looked into as the root
        system = nn.Sequential(system)
    tracer = _PortTracer(ports)
    try:
        with RefusedDraws(name), _recorded_makers(tracer):
            graph = tracer.trace(system)
        _refuse_draws(graph, name)
        _refuse_training(system, graph, name)
        _out_of_place(system, graph)
        _one_hot_by_channels(graph)
        return fx.GraphModule(system, graph, class_name=name)
    except (MemoryError, LimnerError):
        raise
    except Exception as error:  # a forward pass may raise anything where it gets tensors without values
        reason = one_line(error)
        raise LimnerError(f"{name} cannot be run in tiles, for its forward pass is no fixed graph: {reason}") from None


def one_line(error: Exception) -> str:
    """What an error says, short and without line breaks."""
    return " ".join(str(error).split())[:160] or type(error).__name__


class _PortTracer(fx.Tracer):
    """Makes one placeholder for each declared input, also where `forward` takes any number of them."""

    def __init__(self, ports: tuple[Port, ...] | None) -> None:
        super().__init__()
        self.ports = ports

    def create_args_for_root(
        self, root_fn: Any, is_module: bool, concrete_args: Any = None
    ) -> tuple[Callable[..., Any], list[Any]]:
        """The system and a stand-in for each input."""
        if self.ports is None:
            return super().create_args_for_root(root_fn, is_module, concrete_args)
        given: list[Any] = [self.root]
        for number, port in enumerate(self.ports):
            given.append(self.create_proxy("placeholder", f"input_{number}", (), {}))
            given[-1].node.meta["port"] = port
        return root_fn, given


_MAKERS = ("ones", "zeros", "full", "arange", "linspace", "empty", "eye", "rand", "randn", "randint")
"""Functions of torch that make a tensor of a size, and that by themselves take no stand-in for one."""


@contextmanager
def _recorded_makers(tracer: fx.Tracer) -> Iterator[None]:
    """Record calls of these functions, for a while, if a size is not known."""

    def recorded(function: Any) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            several = [*args, *kwargs.values()]
            parts = [part for one in several for part in (one if isinstance(one, tuple | list) else [one])]
            if any(isinstance(part, fx.Proxy) for part in parts):
                return tracer.create_proxy("call_function", function, args, kwargs)
            return function(*args, **kwargs)

        return call

    before = {name: getattr(torch, name) for name in _MAKERS}
    try:
        for name, function in before.items():
            setattr(torch, name, recorded(function))
        yield
    finally:
        for name, function in before.items():
            setattr(torch, name, function)


class RefusedDraws(TorchFunctionMode):
    """A context in which torch's functions that draw random numbers are refused to a network of a name.

    Raises:
        DrawsError: When one is called.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Call the function, if it draws nothing."""
        kwargs = kwargs or {}
        if _draws(func, args, kwargs):
            raise DrawsError(func.__name__, self.name)
        return func(*args, **kwargs)


def _draws(function: Any, args: Any, kwargs: Any) -> bool:
    if function in _DROPOUTS:
        return bool(kwargs.get("training", args[2] if len(args) > 2 else True)) and _rate(args, kwargs) != 0
    name = getattr(function, "__name__", "")
    is_method = name in _DRAWING_METHODS and function is getattr(torch.Tensor, name)
    return is_method or function in _DRAWS


def _rate(args: Any, kwargs: Any) -> Any:
    return kwargs.get("p", args[1] if len(args) > 1 else 0.5)


def _refuse_draws(graph: fx.Graph, name: str) -> None:
    """What is called of a stand-in goes past the context."""
    for node in graph.nodes:
        is_method = node.op == "call_method" and node.target in _DRAWING_METHODS
        if is_method or (node.op == "call_function" and _draws(node.target, node.args, node.kwargs)):
            raise DrawsError(node.target if is_method else node.target.__name__, name)


def _refuse_training(system: nn.Module, graph: fx.Graph, name: str) -> None:
    """Of modules that `forward` itself puts into training mode, where they do something else than what is read here."""
    for node in graph.nodes:
        module = system.get_submodule(str(node.target)) if node.op == "call_module" else None
        if module is None or not module.training:
            continue
        kind = type(module).__name__
        if isinstance(module, _DropoutNd) and module.p:
            raise DrawsError(kind, name)
        if isinstance(module, _NormBase) and module.running_mean is not None:
            raise LimnerError(
                f"{name} puts {node.target} ({kind}) into training mode in its forward pass: give it "
                "track_running_stats=False, so that it takes the statistics of its input in any mode"
            )


def _out_of_place(system: nn.Module, graph: fx.Graph) -> None:
    """Turn operators that overwrite their input into ones that do not; later readers of the input read the result."""
    for node in graph.nodes:
        overwrites = bool(node.kwargs.get("inplace"))
        if node.op == "call_module":
            module = system.get_submodule(str(node.target))
            overwrites = bool(getattr(module, "inplace", False))
            if overwrites:
                module.inplace = False  # type: ignore[assignment]
        elif node.op == "call_method" and str(node.target).endswith("_") and not str(node.target).endswith("__"):
            overwrites, node.target = True, str(node.target).rstrip("_")
        elif node.target in _OUT_OF_PLACE:
            overwrites, node.target = True, _OUT_OF_PLACE[node.target]
        if overwrites:
            node.kwargs = {key: value for key, value in node.kwargs.items() if key != "inplace"}
            node.all_input_nodes[0].replace_all_uses_with(node, delete_user_cb=lambda user, node=node: user > node)


def one_hot_channels(labels: Tensor, num_classes: int) -> Tensor:
    """(n, h, w) numbers of classes -> (n, classes, h, w), 1 in the channel of each place's class."""
    return F.one_hot(labels, num_classes).permute(0, 3, 1, 2)


_TO_CHANNELS = {
    ("permute", (0, 3, 1, 2)), ("permute", ((0, 3, 1, 2),)), ("movedim", (-1, 1)), ("movedim", (3, 1)),
}  # fmt: skip


def _one_hot_by_channels(graph: fx.Graph) -> None:
    """Join one-hot numbers of a label map with the permutation that brings them to the channels."""
    for node in [node for node in graph.nodes if node.target is F.one_hot]:
        (reader,) = node.users if len(node.users) == 1 else (None,)
        if reader is None or reader.op not in ("call_method", "call_function"):
            continue
        name = reader.target if reader.op == "call_method" else reader.target.__name__
        if (name, tuple(reader.args[1:])) in _TO_CHANNELS:
            with graph.inserting_before(reader):
                joined = graph.call_function(one_hot_channels, node.args, node.kwargs)
            reader.replace_all_uses_with(joined)
            graph.erase_node(reader)
            graph.erase_node(node)
