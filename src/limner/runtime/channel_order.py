"""Which maps of a prepared network lie in channels first, in which convolutions by Winograd's way read and write.

All others read and write channels last. Maps that are added to each other, or are what a norm or an activation makes of
one another, share an order; it is that of most convolutions that write or read one of them, for each other one has to
turn its map around.
"""

import operator
from collections.abc import Iterable

import torch
import torch.nn.functional as F
from torch import fx, nn

from limner.runtime.norms import ChannelNorm
from limner.runtime.packed import PackedConvolution
from limner.runtime.rewrite import called, modules

_MODULES = (nn.ReflectionPad2d, nn.ReplicationPad2d, nn.ZeroPad2d, nn.PReLU, nn.ReLU, nn.Dropout, ChannelNorm)
_FUNCTIONS = (operator.add, operator.iadd, operator.mul, torch.add, torch.mul, F.relu)
"""What is as fast in either order, and gives the order that it is given."""


def order_channels(module: fx.GraphModule) -> None:
    """Have each convolution write the order that its map is read in, in place."""
    packed = dict(modules(module, PackedConvolution))
    for maps in _sharing(module):
        writers = [packed[node] for node in maps if node in packed]
        first = _votes(module, maps, packed) > 0
        for writer in writers:
            writer.writes_channels_first = first


def _votes(module: fx.GraphModule, maps: set[fx.Node], packed: dict[fx.Node, PackedConvolution]) -> int:
    """By how many more of those that write or read some maps want channels first; what is in either order has none."""
    readers = [user for node in maps for user in node.users]
    concerned = [node for node in [*maps, *readers] if not _is_in_any_order(module, node)]
    return sum(1 if node in packed and packed[node].can_be_nnpack else -1 for node in concerned)


def _sharing(module: fx.GraphModule) -> Iterable[set[fx.Node]]:
    """All maps of a network, in sets that share an order."""
    sets = {node: {node} for node in module.graph.nodes if node.op not in ("get_attr", "output")}
    for node in sets:
        for given in node.all_input_nodes if _is_in_any_order(module, node) else ():
            if given in sets and sets[given] is not sets[node]:
                sets[node] |= sets[given]
                sets.update(dict.fromkeys(sets[given], sets[node]))
    return {id(maps): maps for maps in sets.values()}.values()


def _is_in_any_order(module: fx.GraphModule, node: fx.Node) -> bool:
    return isinstance(called(module, node), _MODULES) or (node.op == "call_function" and node.target in _FUNCTIONS)
