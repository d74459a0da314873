"""Pictures of any size in bounded memory, exactly: a network run part by part equals the network run whole.

For each part of the output, the parts of all feature maps that make it are found backwards through the graph, then
computed forwards. A statistic over a whole picture (instance norm, global pooling) is gathered in a pass of its own
before it is needed; what such a pass computes is computed again by the next one, or kept in memory or on disk.
"""

from collections.abc import Callable, Collection, Iterator

import torch
from torch import Tensor, fx, nn

from limner.errors import LimnerError
from limner.runtime.graph import Operator, Traced, read, trace
from limner.runtime.operators import Region, Span
from limner.runtime.passes import Run
from limner.runtime.plan import Plan, Stage
from limner.runtime.regions import nodes_of, wanted_regions
from limner.runtime.storage import Source


class Tiled:
    """A network, ready to be run in parts on pictures of one size.

    Raises:
        LimnerError: If the network holds an operator that cannot be run in parts exactly.
    """

    def __init__(self, system: nn.Module, *shapes: tuple[int, ...], device: torch.device | None = None) -> None:
        self.traced: Traced = read(system if isinstance(system, fx.GraphModule) else trace(system), *shapes)
        self.input_shapes, self.device = shapes, device or torch.device("cpu")
        self.nodes: list[fx.Node] = nodes_of(self.traced)
        self._ancestors: dict[fx.Node, set[fx.Node]] = {}
        for node in self.nodes:
            self._ancestors[node] = set().union(*({n} | self._ancestors[n] for n in node.all_input_nodes))
        norms = {node: one.inputs[0] for node, one in self.traced.operators.items() if one.normalises}
        self.barriers: dict[fx.Node, fx.Node] = {**norms, **self.traced.wholes}
        """What needs a statistic -> the feature map that it is of."""
        self.passes = self._passes()

    @property
    def output(self) -> Operator:
        """The node that makes the result."""
        assert self.traced.output is not None
        return self.traced.operators[self.traced.output]

    def __call__(
        self, *inputs: Tensor | Source, plan: Plan, on_part: Callable[[int, int], None] | None = None
    ) -> Tensor:
        """Run on pictures of the size that it was made for; the result is that of the network itself."""
        result: Tensor | None = None
        for region, part in self.parts(*inputs, plan=plan, on_part=on_part):
            if result is None:
                result = torch.empty(self.traced.shapes[self.output.node], dtype=part.dtype)
            rows, columns = region
            result[..., rows.start : rows.stop, columns.start : columns.stop] = part
        assert result is not None
        return result

    def parts(
        self, *inputs: Tensor | Source, plan: Plan, on_part: Callable[[int, int], None] | None = None
    ) -> Iterator[tuple[Region, Tensor]]:
        """The same, part after part, for a result that is larger than memory."""
        run = Run(self.traced, inputs, plan, self.device)
        total, done = (len(self.passes) + 1) * plan.grid.rows * plan.grid.columns, 0

        def progress() -> None:
            nonlocal done
            done += 1
            if on_part:
                on_part(done, total)

        *before, last = self.stages(plan.keep)
        for stage in before:
            run.gather(stage, progress)
        run.forget_all_but(last.stored)
        for region in plan.grid.parts(self.output.size):
            if region.rows.length and region.columns.length:
                part = run.evaluate({self.output.node: region})[self.output.node]
                yield region, (part.float() if part.dtype == torch.bfloat16 else part).cpu()
            progress()

    def num_bytes(self, node: fx.Node, part: Region | None = None) -> int:
        """Of a feature map, or a part of it."""
        n, channels, height, width = self.traced.shapes[node]
        pixels = part.rows.length * part.columns.length if part else height * width
        return n * channels * pixels * self.traced.dtypes[node].itemsize

    def _passes(self) -> list[list[fx.Node]]:
        """Which statistics are gathered in each pass over the picture: those that need no other ones first."""
        pending, passes = list(self.barriers), []
        while pending:
            blocked = set(pending)
            ready = [
                node for node in pending if not blocked & ({self.barriers[node]} | self._ancestors[self.barriers[node]])
            ]
            passes.append(ready)
            pending = [node for node in pending if node not in ready]
        return passes

    def stages(self, keep: Collection[int] = ()) -> list[Stage]:
        """The passes over the picture, if those of the given numbers keep what later ones need."""
        stages, last = [], -1
        for number in range(len(self.passes) + 1):
            stages.append(self.stage(last, number, keeps=number in keep))
            last = number if number in keep else last
        return stages

    def stage(self, last: int, number: int, *, keeps: bool) -> Stage:
        """The pass of a number, if `last` (-1: none) was the last one before it to keep what later ones need."""
        stored = self._kept_after(last, number)
        if number == len(self.passes):
            return Stage({}, (), stored)
        kept = tuple(node for node in self.frontier(number) if node not in stored) if keeps else ()
        return Stage({node: self.barriers[node] for node in self.passes[number]}, kept, stored)

    def _kept_after(self, last: int, number: int) -> frozenset[fx.Node]:
        """What pass `last` has left in store, as far as the passes from `number` on read it."""
        return self._still_needed(number, frozenset(self.frontier(last))) if last >= 0 else frozenset()

    def frontier(self, number: int) -> list[fx.Node]:
        """What has to be kept so that nothing before the statistics of a pass is computed again."""
        sources = [self.barriers[node] for node in self.passes[number]]
        past = set().union(*({node} | self._ancestors[node] for node in sources))
        return [
            node
            for node in self.nodes
            if node in past and node in self.traced.operators and node.op != "placeholder"
            if any(user not in past for user in node.users)
        ]

    def _still_needed(self, number: int, stored: frozenset[fx.Node]) -> frozenset[fx.Node]:
        """Of the stored feature maps, those that the passes from `number` on read."""
        later = [self.barriers[node] for nodes in self.passes[number:] for node in nodes]
        needed: set[fx.Node] = set()
        stack = [self.output.node, *later]
        while stack:
            node = stack.pop()
            if node not in needed:
                needed.add(node)
                stack += [] if node in stored else node.all_input_nodes
        return stored & needed


def reach(system: nn.Module, channels: int) -> int:
    """How far a pixel of the result looks: input pixels on each side of those that it lies on.

    Args:
        system: A network for pictures of `channels` channels.
        channels: Of its input.

    Raises:
        LimnerError: If it looks at the whole picture, through a statistic, or cannot be run in parts.
    """
    side = 256
    while True:
        tiled = Tiled(system, (1, channels, side, side))
        if tiled.barriers:
            raise LimnerError("every pixel of the result depends on the whole picture: there is no reach")
        height, width = tiled.output.size
        part = Region(Span(height // 2, height * 5 // 8), Span(width // 2, width * 5 // 8))
        wanted = wanted_regions(tiled.traced, {tiled.output.node: part}, ())
        rows, columns = next(region for node, region in wanted.items() if node.op == "placeholder")
        start, stop = min(rows.start, columns.start), max(rows.stop, columns.stop)
        if start > 0 and stop < side:
            return max(side // 2 - start, stop - side * 5 // 8)
        side *= 2
