"""Pictures of any size in bounded memory, exactly: a network run part by part equals the network run whole.

For each part of the output, the parts of all feature maps that make it are found backwards through the graph, then
computed forwards. A statistic over a whole picture (instance norm, global pooling) is gathered in a pass of its own
before it is needed; what such a pass computes is computed again by the next one, or kept in memory or on disk.
"""

import math
from collections.abc import Collection, Iterator
from typing import Any

import torch
from torch import Tensor, fx, nn

from limner.errors import LimnerError
from limner.runtime.graph import read
from limner.runtime.operators import Region, Span
from limner.runtime.passes import Run
from limner.runtime.plan import Plan, Stage
from limner.runtime.regions import nodes_of, wanted_regions
from limner.runtime.storage import Source
from limner.runtime.traced import Operator, Traced
from limner.runtime.tracing import trace
from limner.types import OnProgress


class Tiled:
    """A network, ready to be run in parts on inputs of one size.

    Args of the constructor:
        system: If it is `Ported`, each input has the type and the meaning of its port; else each is floating, and a
            picture if it has four dimensions.
        shapes: Of the inputs, in order.
        device: On which it runs; None is the CPU.

    Raises:
        LimnerError: If the network does not take such inputs, or holds an operator that cannot be run in parts exactly.
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
        """The node that makes the first result that is a picture."""
        return self.traced.spatial_results[0]

    def __call__(self, *inputs: Tensor | Source, plan: Plan, on_part: OnProgress | None = None) -> Any:
        """Run on inputs of the sizes that it was made for; the result is that of the network: a tensor, or a tuple."""
        run, results = Run(self.traced, inputs, plan, self.device), self.traced.results
        made: dict[fx.Node, Tensor] = {}
        for pieces in self._pieces(run, on_part):
            for node, (region, part) in pieces.items():
                if node not in made:
                    made[node] = torch.empty(self.traced.shapes[node], dtype=part.dtype)
                rows, columns = region
                made[node][..., rows.start : rows.stop, columns.start : columns.stop] = part
        several = tuple(made[node] if node in made else _handed_out(run.value(node)) for node in results)
        return several if self.traced.gives_several else several[0]

    def parts(
        self, *inputs: Tensor | Source, plan: Plan, on_part: OnProgress | None = None
    ) -> Iterator[tuple[Region, Tensor]]:
        """The same, part after part, of a network that gives one picture, which may be larger than memory.

        Raises:
            LimnerError: If it gives more.
        """
        if self.traced.gives_several:
            names = f"{len(self.traced.results)} results"
            raise LimnerError(f"a network that gives {names} cannot be run in strips: allow more memory")
        for pieces in self._pieces(Run(self.traced, inputs, plan, self.device), on_part):
            yield from pieces.values()

    def _pieces(self, run: Run, on_part: OnProgress | None) -> Iterator[dict[fx.Node, tuple[Region, Tensor]]]:
        """Of each result that is a picture the part that lies there, place after place."""
        grid = run.plan.grid
        total, done = (len(self.passes) + 1) * grid.rows * grid.columns, 0

        def progress() -> None:
            nonlocal done
            done += 1
            if on_part:
                on_part(done, total)

        *before, last = self.stages(run.plan.keep)
        for stage in before:
            run.gather(stage, progress)
        run.forget_all_but(last.stored)
        results = self.traced.spatial_results
        for regions in zip(*(grid.parts(one.size) for one in results), strict=True):
            wanted = {
                one.node: at for one, at in zip(results, regions, strict=True) if at.rows.length * at.columns.length
            }
            if wanted:
                made = run.evaluate(wanted)
                yield {node: (at, _handed_out(made[node])) for node, at in wanted.items()}
            progress()

    def num_bytes(self, node: fx.Node, part: Region | None = None) -> int:
        """Of a feature map, or a part of it."""
        *leading, height, width = self.traced.shapes[node]
        pixels = part.rows.length * part.columns.length if part else height * width
        return math.prod(leading) * pixels * self.traced.dtypes[node].itemsize

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
            node for node in self.nodes if node in past and self._can_be_kept(node) and self._is_read_beyond(node, past)
        ]

    def _can_be_kept(self, node: fx.Node) -> bool:
        """Whether it is one feature map that others have made."""
        is_one = len(self.traced.shapes.get(node, ())) == 4 and node not in self.traced.several
        return is_one and node in self.traced.operators and bool(self.traced.operators[node].inputs)

    def _is_read_beyond(self, node: fx.Node, past: set[fx.Node]) -> bool:
        """Whether something beyond reads it, or what cannot be kept itself and is made of it."""
        made = (user for user in node.users if user in self.traced.operators and not self._can_be_kept(user))
        return any(user not in past for user in node.users) or any(self._is_read_beyond(user, past) for user in made)

    def _still_needed(self, number: int, stored: frozenset[fx.Node]) -> frozenset[fx.Node]:
        """Of the stored feature maps, those that the passes from `number` on read."""
        later = [self.barriers[node] for nodes in self.passes[number:] for node in nodes]
        needed: set[fx.Node] = set()
        stack = [*self.traced.results, *later]
        while stack:
            node = stack.pop()
            if node not in needed:
                needed.add(node)
                stack += [] if node in stored else node.all_input_nodes
        return stored & needed


def _handed_out(result: Tensor) -> Tensor:
    """Float32 for bfloat16, on the CPU."""
    return (result.float() if result.dtype == torch.bfloat16 else result).cpu()


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
