"""One run of a network in parts: the statistics so far, and the feature maps that are kept."""

import math
from collections.abc import Callable, Collection, Sequence
from typing import IO, Any

import torch
from torch import Tensor, fx, nn

from limner.errors import LimnerError
from limner.ops.statistics import channel_statistics
from limner.runtime.norms import ChannelNorm
from limner.runtime.operators import Region, crop
from limner.runtime.plan import Plan, Stage
from limner.runtime.regions import nodes_of, wanted_regions
from limner.runtime.shapes import CONSTRUCTORS, FILLED
from limner.runtime.statistics import Moments
from limner.runtime.storage import DiskStore, MemoryStore, Source, Store
from limner.runtime.traced import Operator, Traced


class Run:
    """One run: the statistics so far, and the feature maps that are kept."""

    def __init__(self, traced: Traced, inputs: Sequence[Tensor | Source], plan: Plan, device: torch.device) -> None:
        self.traced, self.plan, self.device, self.nodes = traced, plan, device, nodes_of(traced)
        placeholders = [node for node in self.nodes if node.op == "placeholder"]
        self.inputs = dict(zip(placeholders, inputs, strict=True))
        for node, tensor in self.inputs.items():
            if node not in traced.operators and isinstance(tensor, Tensor):
                self.inputs[node] = tensor.to(device)
            if tuple(tensor.shape) != self.traced.shapes[node]:
                raise LimnerError(
                    f"prepared for {self.traced.shapes[node]}, got {tuple(tensor.shape)}: prepare it anew"
                )
        self.moments: dict[fx.Node, Moments] = {}
        self.dtypes: dict[fx.Node, torch.dtype] = {}
        self.values: dict[fx.Node, Any] = {}
        self.stores: dict[fx.Node, Store] = {}
        self.spare: list[IO[bytes]] = []
        self.held = 0  # bytes of the stores in memory

    def gather(self, stage: Stage, progress: Callable[[], None]) -> None:
        """One pass over the picture: the statistics that its barriers need, and what is kept for later passes."""
        self.forget_all_but(stage.stored)
        wanted = stage.targets([one.node for one in self.traced.spatial_results])
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
        if self.plan.storage == "memory" or size <= self.plan.spare_bytes - self.held:
            self.held += size
            return MemoryStore(shape, dtype)
        return DiskStore(shape, dtype, self.spare.pop() if self.spare else None)

    def _moments_of(self, node: fx.Node, part: Tensor) -> Moments:
        module = self.traced.submodule(node) if node.op == "call_module" else None
        if isinstance(module, nn.GroupNorm):
            return Moments.of(part.unflatten(1, (module.num_groups, -1)), (2, 3, 4))
        if isinstance(module, nn.BatchNorm2d):
            return Moments.of(part, (0, 2, 3))
        if part.dim() != 4:
            return Moments.of(part, (-2, -1))
        mean, variance = channel_statistics(part)
        count = part.shape[2] * part.shape[3]
        return Moments(count, mean, variance * count)

    def evaluate(self, targets: dict[fx.Node, Region]) -> dict[fx.Node, Tensor]:
        """The parts of feature maps that are asked for, computed together."""
        wanted = wanted_regions(self.traced, targets, self.stores)
        held: dict[fx.Node, Any] = {}
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

    def _compute(self, node: fx.Node, wanted: dict[fx.Node, Region], held: dict[fx.Node, Any]) -> Any:
        region = wanted[node]
        if node in self.stores:
            return self.stores[node].read(region).to(self.device)
        if node.op == "placeholder":
            picture = self.inputs[node]
            part = crop(picture, (0, 0), region) if isinstance(picture, Tensor) else picture.read(region)
            return part.to(self.device)
        one = self.traced.operators[node]
        if one.is_spread:
            return self._spread(node, region)
        if one.is_fixed:
            value = self.value(node)
            return crop(value if value.dim() > 1 else value[None], (0, 0), region)
        needs = [one.axes.needs(region, self.traced.operators[source].size) for source in one.inputs]
        cropped = {
            source: crop(held[source], _corner(wanted[source]), need)
            for source, need in zip(one.inputs, needs, strict=True)
        }
        begins = zip(*(one.axes.starts_at(need) for need in needs), strict=True)  # maps of one row begin at 0
        return crop(self._apply(one, cropped, needs[0]), (max(next(begins)), max(next(begins))), region)

    def _apply(self, one: Operator, cropped: dict[fx.Node, Any], at: Region) -> Any:
        if one.normalises:
            return self._normalise(one.node, next(iter(cropped.values())))
        if one.reading.run:
            return one.reading.run([cropped[source] for source in one.inputs], at)
        return self._called(one.node, lambda n: cropped[n] if n in cropped else self.value(n))

    def _called(self, node: fx.Node, value: Callable[[fx.Node], Any]) -> Any:
        args, kwargs = fx.node.map_arg((node.args, node.kwargs), value)
        if node.op == "call_module":
            return self.traced.submodule(node)(*args, **kwargs)
        if node.op == "call_method":
            return getattr(args[0], str(node.target))(*args[1:], **kwargs)
        return node.target(*args, **kwargs)  # type: ignore[operator]

    def _spread(self, node: fx.Node, region: Region) -> Tensor:
        """A part of what is the same at every place, which takes the memory of one place."""
        *leading, _, _ = self.traced.shapes[node]
        filling: dict[Any, float | None] = {**CONSTRUCTORS, **FILLED}
        if node.target not in filling:
            small = self.value(node.all_input_nodes[0])
            if node.target == "repeat":
                times = [*node.args[1]] if isinstance(node.args[1], tuple | list) else [*node.args[1:]]
                small = small.repeat(*(self._plain_or_node(one) for one in times[:-2]), 1, 1)
        else:
            filled = self.traced.arguments(node, *(["self"] if node.op == "call_method" else []), "size", "fill_value")
            number = filling[node.target]
            value = self._plain_or_node(filled["fill_value"]) if number is None else number
            small = torch.full((1, 1, 1), value, dtype=self.traced.dtypes[node], device=self.device)
        return small.expand(*leading, region.rows.length, region.columns.length)

    def _plain_or_node(self, value: Any) -> Any:
        return self.value(value) if isinstance(value, fx.Node) else value

    def _normalise(self, node: fx.Node, x: Tensor) -> Tensor:
        """(x - mean) / sqrt(variance + eps) * weight + bias with the statistics of the whole feature map."""
        module, moments = (self.traced.submodule(node) if node.op == "call_module" else None), self.moments[node]
        if isinstance(module, ChannelNorm):
            return module.normalise(x, moments.mean, moments.variance())
        weight, bias, eps = self._affine(node, module)
        mean, deviation = moments.mean, (moments.variance() + eps).sqrt()
        if isinstance(module, nn.GroupNorm):
            shape = (len(x), module.num_groups, x.shape[1] // module.num_groups, 1, 1)
            mean, deviation = (value.expand(shape).reshape(len(x), -1, 1, 1) for value in (mean, deviation))
        scale = (1 if weight is None else weight.double()[:, None, None]) / deviation
        shift = (0 if bias is None else bias.double()[:, None, None]) - mean * scale
        return torch.addcmul(shift.to(x), x, scale.to(x))

    def _affine(self, node: fx.Node, module: Any) -> tuple[Tensor | None, Tensor | None, float]:
        """Weight, bias and eps of a norm."""
        if module is not None:
            return module.weight, module.bias, module.eps
        arguments = self.traced.arguments(node, *_INSTANCE_NORM)
        weight, bias = (self._plain_or_node(arguments.get(name)) for name in ("weight", "bias"))
        return weight, bias, arguments.get("eps", 1e-5)

    def value(self, node: fx.Node) -> Any:
        """What a node that is no feature map comes to."""
        if node in self.traced.plain:
            plain = self.traced.plain[node]
            return self.device if isinstance(plain, torch.device) else plain  # the shapes were found without data
        if node not in self.values:
            self.values[node] = self._whole(node) if node in self.traced.wholes else self._plain(node)
        return self.values[node]

    def _whole(self, node: fx.Node) -> Tensor:
        moments = self.moments[node]
        name = getattr(node.target, "__name__", str(node.target)) if node.op != "call_module" else "mean"
        given = self.traced.arguments(node, *(_DEVIATION if name in ("var", "std") else _MEAN))
        correction = int(given.get("correction", given.get("unbiased", True)))
        result = {
            "var": lambda: moments.variance(correction),
            "std": lambda: moments.variance(correction).sqrt(),
            "sum": lambda: moments.mean * moments.number,
        }.get(name, lambda: moments.mean)()
        keeps = node.op == "call_module" or name == "adaptive_avg_pool2d" or given.get("keepdim", False)
        result = result.to(self.dtypes[node])
        return result if keeps else result[..., 0, 0]

    def _plain(self, node: fx.Node) -> Any:
        if node.op == "placeholder":
            return self.inputs[node]  # one that is no picture
        if node.op == "get_attr":
            value: Any = self.traced.module
            for part in str(node.target).split("."):
                value = getattr(value, part)
            return value
        return self._called(node, self.value)


_MEAN = ("input", "dim", "keepdim")
_DEVIATION = ("input", "dim", "unbiased", "keepdim")
_INSTANCE_NORM = ("input", "running_mean", "running_var", "weight", "bias", "use_input_stats", "momentum", "eps")


def _corner(region: Region) -> tuple[int, int]:
    return region.rows.start, region.columns.start
