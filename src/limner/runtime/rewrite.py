"""Looking at the graph of a network and changing it."""

import collections
from typing import Any

import torch.nn.functional as F
from torch import fx, nn


def modules(module: fx.GraphModule, kind: type[nn.Module]) -> list[tuple[fx.Node, Any]]:
    """The calls of modules of a kind, but for those that are called more than once or whose weights others read."""
    calls = collections.Counter(node.target for node in module.graph.nodes if node.op == "call_module")
    read = {str(node.target).rpartition(".")[0] for node in module.graph.nodes if node.op == "get_attr"}
    alone = {target for target, number in calls.items() if number == 1} - read
    found = ((node, called(module, node)) for node in module.graph.nodes if node.target in alone)
    return [(node, one) for node, one in found if isinstance(one, kind)]


def called(module: fx.GraphModule, node: fx.Node | None) -> nn.Module | None:
    """The module that a node calls, if it calls one."""
    return module.get_submodule(str(node.target)) if node is not None and node.op == "call_module" else None


def only_reader(node: fx.Node) -> fx.Node | None:
    """The one node that reads this one; None if there are none or more."""
    return next(iter(node.users)) if len(node.users) == 1 else None


def is_alone(node: fx.Node) -> bool:
    """Whether a module is called with one input and nothing else, such as the size of its result."""
    return len(node.args) == 1 and not node.kwargs


def skip(module: fx.GraphModule, node: fx.Node, instead: fx.Node) -> None:
    """Take a node out; its readers read `instead`."""
    node.replace_all_uses_with(instead)
    module.graph.erase_node(node)


def insert_module(module: fx.GraphModule, before: fx.Node, name: str, one: nn.Module) -> None:
    """Have a new module read the first input of `before`, which then reads the new one."""
    module.add_submodule(name, one)
    with module.graph.inserting_before(before):
        made = module.graph.call_module(name, (before.all_input_nodes[0],))
    before.replace_input_with(before.all_input_nodes[0], made)


def is_doubling(module: fx.GraphModule, node: fx.Node) -> bool:
    """Whether a node enlarges by exactly two with the nearest pixel."""
    one = called(module, node)
    if isinstance(one, nn.Upsample):
        factor, size, mode = one.scale_factor, one.size, one.mode
    elif node.op == "call_function" and node.target is F.interpolate and len(node.args) == 1:
        factor, size, mode = (node.kwargs.get(key) for key in ("scale_factor", "size", "mode"))  # type: ignore[assignment]
        mode = mode or "nearest"
    else:
        return False
    return size is None and mode == "nearest" and factor in (2, 2.0, (2, 2), (2.0, 2.0))
