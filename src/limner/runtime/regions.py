"""Which part of every feature map is needed for parts of some, found backwards through the graph."""

from collections.abc import Collection, Mapping

from torch import fx

from limner.runtime.operators import Region
from limner.runtime.traced import Traced


def nodes_of(traced: Traced) -> list[fx.Node]:
    """All that is computed, in order."""
    return [node for node in traced.module.graph.nodes if node.op != "output"]


def wanted_regions(
    traced: Traced, targets: Mapping[fx.Node, Region], stored: Collection[fx.Node]
) -> dict[fx.Node, Region]:
    """Which part of every feature map is needed for the targets, if some are stored."""
    wanted = dict(targets)
    for node in reversed(nodes_of(traced)):
        if node in wanted and node not in stored:
            one = traced.operators[node]
            for source in one.inputs:
                need = one.axes.needs(wanted[node], traced.operators[source].size)
                wanted[source] = wanted[source].hull(need) if source in wanted else need
    return wanted
