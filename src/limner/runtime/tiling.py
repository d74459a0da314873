"""Pictures of any size in bounded memory, exactly: a network run part by part equals the network run whole.

For each part of the output, the parts of all feature maps that make it are found backwards through the graph, then
computed forwards. A statistic over a whole picture (instance norm, global pooling) is gathered in a pass of its own
before it is needed; what such a pass computes is computed again by the next one, or kept in memory or on disk.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, fx, nn

from limner.errors import LimnerError
from limner.runtime.graph import Operator, is_norm, read, trace, whole_factors
from limner.runtime.operators import Region, Span, crop, interpolate
from limner.runtime.statistics import Moments
from limner.runtime.storage import DiskStore, MemoryStore, Store

Spill = Literal["recompute", "memory", "disk"]


class Grid(NamedTuple):
    """Into how many rows and columns of parts every feature map is cut."""

    rows: int
    columns: int

    def parts(self, size: tuple[int, int]) -> Iterator[Region]:
        """The parts of a feature map, in order; some are empty if it is smaller than the grid."""
        for row in range(self.rows):
            for column in range(self.columns):
                yield Region(_share(size[0], row, self.rows), _share(size[1], column, self.columns))


def _share(length: int, number: int, count: int) -> Span:
    return Span(length * number // count, length * (number + 1) // count)


class Tiled:
    """A network, ready to be run in parts on pictures of one size.

    Raises:
        LimnerError: If the network holds an operator that cannot be run in parts exactly.
    """

    def __init__(self, system: nn.Module, *shapes: tuple[int, ...], device: torch.device | None = None) -> None:
        self.traced = read(system if isinstance(system, fx.GraphModule) else trace(system), *shapes)
        self.input_shapes, self.device = shapes, device or torch.device("cpu")
        self.nodes: list[fx.Node] = [node for node in self.traced.module.graph.nodes if node.op != "output"]
        self._ancestors: dict[fx.Node, set[fx.Node]] = {}
        for node in self.nodes:
            self._ancestors[node] = set().union(*({n} | self._ancestors[n] for n in node.all_input_nodes))
        norms = {node: one.inputs[0] for node, one in self.traced.operators.items() if one.normalises}
        self.barriers: dict[fx.Node, fx.Node] = {**norms, **self.traced.wholes}
        """What needs a statistic -> the feature map that it is of."""

    @property
    def output(self) -> Operator:
        """The node that makes the result."""
        assert self.traced.output is not None
        return self.traced.operators[self.traced.output]

    def __call__(
        self,
        *inputs: Tensor,
        grid: Grid,
        spill: Spill = "recompute",
        on_part: Callable[[int, int], None] | None = None,
    ) -> Tensor:
        """Run on pictures of the size that it was made for; the result is that of the network itself."""
        result: Tensor | None = None
        for region, part in self.parts(*inputs, grid=grid, spill=spill, on_part=on_part):
            if result is None:
                result = torch.empty(self.traced.shapes[self.output.node], dtype=part.dtype)
            rows, columns = region
            result[..., rows.start : rows.stop, columns.start : columns.stop] = part
        assert result is not None
        return result

    def parts(
        self,
        *inputs: Tensor,
        grid: Grid,
        spill: Spill = "recompute",
        on_part: Callable[[int, int], None] | None = None,
    ) -> Iterator[tuple[Region, Tensor]]:
        """The same, part after part, for a result that is larger than memory."""
        run = _Run(self, inputs, grid, spill)
        passes = self.passes()
        total, done = (len(passes) + 1) * grid.rows * grid.columns, 0

        def progress() -> None:
            nonlocal done
            done += 1
            if on_part:
                on_part(done, total)

        for barriers in passes:
            run.gather(barriers, progress)
        for region in grid.parts(self.output.size):
            if region.rows.length and region.columns.length:
                part = run.evaluate({self.output.node: region})[self.output.node]
                yield region, (part.float() if part.dtype == torch.bfloat16 else part).cpu()
            progress()

    def peak_bytes(self, grid: Grid) -> int:
        """About how many bytes of feature maps are held at once while a part in the middle is computed."""
        region = [*grid.parts(self.output.size)][(grid.rows // 2) * grid.columns + grid.columns // 2]
        wanted = wanted_regions(self, {self.output.node: region}, set())
        users = {node: sum(user in wanted for user in node.users) for node in wanted}
        held = peak = 0
        size = {node: self._bytes(node, part) for node, part in wanted.items()}
        for node in (node for node in self.nodes if node in wanted):
            held += size[node]
            peak = max(peak, held)
            for source in self.traced.operators[node].inputs:
                users[source] -= 1
                held -= 0 if users[source] else size[source]
        return peak

    def _bytes(self, node: fx.Node, part: Region) -> int:
        n, channels = self.traced.shapes[node][:2]
        return n * channels * part.rows.length * part.columns.length * self.traced.dtypes[node].itemsize

    def passes(self) -> list[list[fx.Node]]:
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

    def frontier(self, sources: Sequence[fx.Node]) -> list[fx.Node]:
        """What has to be kept so that nothing up to `sources` is computed again."""
        past = set().union(*({node} | self._ancestors[node] for node in sources))
        return [
            node
            for node in self.nodes
            if node in past and node in self.traced.operators and node.op != "placeholder"
            if any(user not in past for user in node.users)
        ]


class _Run:
    """One run: the statistics so far, and the feature maps that are kept."""

    def __init__(self, tiled: Tiled, inputs: Sequence[Tensor], grid: Grid, spill: Spill) -> None:
        self.tiled, self.traced, self.grid, self.spill = tiled, tiled.traced, grid, spill
        placeholders = [node for node in tiled.nodes if node.op == "placeholder"]
        self.inputs = dict(zip(placeholders, inputs, strict=True))
        for node, given in self.inputs.items():
            if tuple(given.shape) != self.traced.shapes[node]:
                raise LimnerError(f"prepared for {self.traced.shapes[node]}, got {tuple(given.shape)}: prepare it anew")
        self.moments: dict[fx.Node, Moments] = {}
        self.dtypes: dict[fx.Node, torch.dtype] = {}
        self.values: dict[fx.Node, Any] = {}
        self.stores: dict[fx.Node, Store] = {}

    def gather(self, barriers: Sequence[fx.Node], progress: Callable[[], None]) -> None:
        """One pass over the picture: the statistics that `barriers` need, and what is kept for later passes."""
        sources = {node: self.tiled.barriers[node] for node in barriers}
        kept = (
            []
            if self.spill == "recompute"
            else [n for n in self.tiled.frontier([*sources.values()]) if n not in self.stores]
        )
        wanted = list(dict.fromkeys([*sources.values(), *kept]))
        fresh: dict[fx.Node, Store] = {}
        for regions in zip(*(self.grid.parts(self.traced.operators[node].size) for node in wanted), strict=True):
            targets = {n: r for n, r in zip(wanted, regions, strict=True) if r.rows.length and r.columns.length}
            parts = self.evaluate(targets)
            for node, source in sources.items():
                if source in parts:
                    seen, self.dtypes[node] = self._moments_of(node, parts[source]), parts[source].dtype
                    self.moments[node] = self.moments[node].merge(seen) if node in self.moments else seen
            for node in kept:
                if node in parts:
                    fresh.setdefault(node, self._store(node, parts[node].dtype)).write(targets[node], parts[node])
            progress()
        self.stores |= fresh
        self._forget()

    def _store(self, node: fx.Node, dtype: torch.dtype) -> Store:
        kind = DiskStore if self.spill == "disk" and self.grid.columns == 1 else MemoryStore
        return kind(self.traced.shapes[node], dtype)

    def _forget(self) -> None:
        """Drop the feature maps that nothing will read again."""
        needed, stack = (
            set(),
            [self.tiled.output.node, *(s for b, s in self.tiled.barriers.items() if b not in self.moments)],
        )
        while stack:
            node = stack.pop()
            if node not in needed:
                needed.add(node)
                stack += [] if node in self.stores else node.all_input_nodes
        self.stores = {node: store for node, store in self.stores.items() if node in needed}

    def _moments_of(self, node: fx.Node, part: Tensor) -> Moments:
        module = self.traced.submodule(node) if node.op == "call_module" else None
        if isinstance(module, nn.GroupNorm):
            return Moments.of(part.unflatten(1, (module.num_groups, -1)), (2, 3, 4))
        return Moments.of(part, (0, 2, 3) if isinstance(module, nn.BatchNorm2d) else (2, 3))

    def evaluate(self, targets: dict[fx.Node, Region]) -> dict[fx.Node, Tensor]:
        """The parts of feature maps that are asked for, computed together."""
        wanted = wanted_regions(self.tiled, targets, self.stores)
        held: dict[fx.Node, Tensor] = {}
        users = {node: sum(user in wanted and user not in self.stores for user in node.users) for node in wanted}
        for node in self.tiled.nodes:
            if node not in wanted:
                continue
            held[node] = self._compute(node, wanted, held)
            for source in () if node in self.stores else self.traced.operators[node].inputs:
                users[source] -= 1
                if not users[source] and source not in targets:
                    del held[source]
        return {node: crop(held[node], _corner(wanted[node]), region) for node, region in targets.items()}

    def _compute(self, node: fx.Node, wanted: dict[fx.Node, Region], held: dict[fx.Node, Tensor]) -> Tensor:
        region = wanted[node]
        if node in self.stores:
            return self.stores[node].read(region).to(self.tiled.device)
        if node.op == "placeholder":
            return crop(self.inputs[node], (0, 0), region).to(self.tiled.device)
        one = self.traced.operators[node]
        given: dict[fx.Node, Tensor] = {}
        begins = (0, 0)
        for source in one.inputs:
            need = one.axes.needs(region, self.traced.operators[source].size)
            given[source] = crop(held[source], _corner(wanted[source]), need)
            begins = one.axes.starts_at(need)
        return crop(self._apply(node, given), begins, region)

    def _apply(self, node: fx.Node, given: dict[fx.Node, Tensor]) -> Tensor:
        args, kwargs = fx.node.map_arg((node.args, node.kwargs), lambda n: given[n] if n in given else self.value(n))
        if is_norm(self.traced, node):
            return self._normalise(node, next(iter(given.values())))
        module = self.traced.submodule(node) if node.op == "call_module" else None
        if isinstance(module, nn.Upsample) or node.target is torch.nn.functional.interpolate:
            mode = module.mode if isinstance(module, nn.Upsample) else kwargs.get("mode", "nearest")
            return interpolate(next(iter(given.values())), str(mode), whole_factors(self.traced, node))
        if module is not None:
            return module(*args, **kwargs)
        if node.op == "call_method":
            return getattr(args[0], str(node.target))(*args[1:], **kwargs)
        return node.target(*args, **kwargs)  # type: ignore[operator]

    def _normalise(self, node: fx.Node, x: Tensor) -> Tensor:
        """(x - mean) / sqrt(variance + eps) * weight + bias with the statistics of the whole feature map."""
        module, moments = (self.traced.submodule(node) if node.op == "call_module" else None), self.moments[node]
        weight, bias = getattr(module, "weight", None), getattr(module, "bias", None)
        mean, deviation = moments.mean, (moments.variance() + getattr(module, "eps", 1e-5)).sqrt()
        if isinstance(module, nn.GroupNorm):
            shape = (len(x), module.num_groups, x.shape[1] // module.num_groups, 1, 1)
            mean, deviation = (value.expand(shape).reshape(len(x), -1, 1, 1) for value in (mean, deviation))
        scale = (1 if weight is None else weight.double()[:, None, None]) / deviation
        shift = (0 if bias is None else bias.double()[:, None, None]) - mean * scale
        return torch.addcmul(shift.to(x), x, scale.to(x))

    def value(self, node: fx.Node) -> Any:
        """What a node that is no feature map comes to."""
        if node in self.traced.plain:
            return self.traced.plain[node]
        if node not in self.values:
            self.values[node] = self._whole(node) if node in self.traced.wholes else self._plain(node)
        return self.values[node]

    def _whole(self, node: fx.Node) -> Tensor:
        moments = self.moments[node]
        name = getattr(node.target, "__name__", str(node.target)) if node.op != "call_module" else "mean"
        correction = node.kwargs.get("correction", int(node.kwargs.get("unbiased", True)))  # type: ignore[arg-type]
        result = {
            "var": lambda: moments.variance(int(correction)),  # type: ignore[arg-type]
            "std": lambda: moments.variance(int(correction)).sqrt(),  # type: ignore[arg-type]
            "sum": lambda: moments.mean * moments.number,
        }.get(name, lambda: moments.mean)()
        keeps = node.op == "call_module" or name == "adaptive_avg_pool2d" or node.kwargs.get("keepdim", False)
        result = result.to(self.dtypes[node])
        return result if keeps else result.flatten(2).squeeze(2)

    def _plain(self, node: fx.Node) -> Any:
        if node.op == "placeholder":
            return self.inputs[node]
        if node.op == "get_attr":
            value: Any = self.traced.module
            for part in str(node.target).split("."):
                value = getattr(value, part)
            return value
        args, kwargs = fx.node.map_arg((node.args, node.kwargs), self.value)
        if node.op == "call_module":
            return self.traced.submodule(node)(*args, **kwargs)
        if node.op == "call_method":
            return getattr(args[0], str(node.target))(*args[1:], **kwargs)
        return node.target(*args, **kwargs)  # type: ignore[operator]


def wanted_regions(
    tiled: Tiled, targets: Mapping[fx.Node, Region], stored: Collection[fx.Node]
) -> dict[fx.Node, Region]:
    """Which part of every feature map is needed for the targets, if some are stored."""
    wanted = dict(targets)
    for node in reversed(tiled.nodes):
        if node in wanted and node not in stored:
            one = tiled.traced.operators[node]
            for source in one.inputs:
                need = one.axes.needs(wanted[node], tiled.traced.operators[source].size)
                wanted[source] = wanted[source].hull(need) if source in wanted else need
    return wanted


def _corner(region: Region) -> tuple[int, int]:
    return region.rows.start, region.columns.start
