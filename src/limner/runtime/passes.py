"""One run of a network in parts: the statistics so far, and the feature maps that are kept."""

import math
from collections.abc import Callable, Collection, Sequence
from typing import IO, Any

import torch
from torch import Tensor, fx, nn

from limner.errors import LimnerError
from limner.ops.statistics import channel_statistics
from limner.runtime.graph import Traced, is_norm, whole_factors
from limner.runtime.norms import ChannelNorm
from limner.runtime.operators import Region, crop, interpolate
from limner.runtime.plan import Plan, Stage
from limner.runtime.regions import nodes_of, wanted_regions
from limner.runtime.statistics import Moments
from limner.runtime.storage import DiskStore, MemoryStore, Source, Store


class Run:
    """One run: the statistics so far, and the feature maps that are kept."""

    def __init__(self, traced: Traced, inputs: Sequence[Tensor | Source], plan: Plan, device: torch.device) -> None:
        self.traced, self.plan, self.device, self.nodes = traced, plan, device, nodes_of(traced)
        placeholders = [node for node in self.nodes if node.op == "placeholder"]
        self.inputs = dict(zip(placeholders, inputs, strict=True))
        for node, given in self.inputs.items():
            if tuple(given.shape) != self.traced.shapes[node]:
                raise LimnerError(f"prepared for {self.traced.shapes[node]}, got {tuple(given.shape)}: prepare it anew")
        self.moments: dict[fx.Node, Moments] = {}
        self.dtypes: dict[fx.Node, torch.dtype] = {}
        self.values: dict[fx.Node, Any] = {}
        self.stores: dict[fx.Node, Store] = {}
        self.spare: list[IO[bytes]] = []
        self.held = 0  # bytes of the stores in memory

    def gather(self, stage: Stage, progress: Callable[[], None]) -> None:
        """One pass over the picture: the statistics that its barriers need, and what is kept for later passes."""
        self.forget_all_but(stage.stored)
        assert self.traced.output is not None
        wanted = stage.targets(self.traced.output)
        fresh: dict[fx.Node, Store] = {}
        for regions in zip(*(self.plan.grid.parts(self.traced.operators[node].size) for node in wanted), strict=True):
            targets = {n: r for n, r in zip(wanted, regions, strict=True) if r.rows.length and r.columns.length}
            parts = self.evaluate(targets)
            for node, source in stage.barriers.items():
                if source in parts:
                    seen, self.dtypes[node] = self._moments_of(node, parts[source]), parts[source].dtype
                    self.moments[node] = self.moments[node].merge(seen) if node in self.moments else seen
            for node in stage.kept:
                if node in parts:
                    if node not in fresh:
                        fresh[node] = self._store(node, parts[node].dtype)
                    fresh[node].write(targets[node], parts[node])
            progress()
        self.stores |= fresh

    def forget_all_but(self, needed: Collection[fx.Node]) -> None:
        """Drop the feature maps that nothing will read again."""
        for node, store in self.stores.items():
            if node not in needed:
                if isinstance(store, DiskStore):
                    self.spare.append(store.file)
                elif isinstance(store, MemoryStore):
                    self.held -= store.tensor.nbytes
        self.stores = {node: store for node, store in self.stores.items() if node in needed}

    def _store(self, node: fx.Node, dtype: torch.dtype) -> Store:
        shape = self.traced.shapes[node]
        size = math.prod(shape) * dtype.itemsize
        if self.plan.storage == "memory" or size <= self.plan.room - self.held:
            self.held += size
            return MemoryStore(shape, dtype)
        return DiskStore(shape, dtype, self.spare.pop() if self.spare else None)

    def _moments_of(self, node: fx.Node, part: Tensor) -> Moments:
        module = self.traced.submodule(node) if node.op == "call_module" else None
        if isinstance(module, nn.GroupNorm):
            return Moments.of(part.unflatten(1, (module.num_groups, -1)), (2, 3, 4))
        if isinstance(module, nn.BatchNorm2d):
            return Moments.of(part, (0, 2, 3))
        mean, variance = channel_statistics(part)
        count = part.shape[2] * part.shape[3]
        return Moments(count, mean, variance * count)

    def evaluate(self, targets: dict[fx.Node, Region]) -> dict[fx.Node, Tensor]:
        """The parts of feature maps that are asked for, computed together."""
        wanted = wanted_regions(self.traced, targets, self.stores)
        held: dict[fx.Node, Tensor] = {}
        users = {node: sum(user in wanted and user not in self.stores for user in node.users) for node in wanted}
        for node in self.nodes:
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
            return self.stores[node].read(region).to(self.device)
        if node.op == "placeholder":
            picture = self.inputs[node]
            part = crop(picture, (0, 0), region) if isinstance(picture, Tensor) else picture.read(region)
            return part.to(self.device)
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
        if isinstance(module, ChannelNorm):
            return module.normalise(x, moments.mean, moments.variance())
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
            return self.inputs[node]  # one that is no picture
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


def _corner(region: Region) -> tuple[int, int]:
    return region.rows.start, region.columns.start
