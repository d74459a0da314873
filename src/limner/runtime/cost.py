"""What it costs to run a network in parts, and the plan that costs least within a memory budget.

The seconds are an estimate by four rates, good for comparing plans on one machine, not for promises.
"""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import fx

from limner.runtime.allocator import LARGE_BLOCK
from limner.runtime.memory import format_bytes
from limner.runtime.operators import Region
from limner.runtime.plan import Grid, Plan, Stage, Storage
from limner.runtime.prepared import operations_per_pixel
from limner.runtime.regions import wanted_regions
from limner.runtime.tiling import Tiled

_MOST_ASPECT = 2  # a part that is no strip is at most so many times as high as wide
_LEAST_SIDE = 16  # pixels of a part's side, below which its halo would be most of it
_WORKSPACE = 1.15  # what operators hold for themselves
_PIECES = 3  # of a file's columns are read whole for a part: its own, and those on both sides for its halo
_HOLES = 8  # blocks that the allocator cannot use, of the largest size that it does not give back at once


@dataclass(frozen=True)
class Rates:
    """What a machine does in a second: the measured order of magnitude for one core of a server, times its cores.

    Attributes:
        operations: Multiplications and additions of convolutions in float32; bfloat16 has twice as many.
        memory: Bytes that pointwise operators read and write.
        write: Bytes to a file, through the system's cache.
        read: Bytes from it.
        fresh: Bytes of memory that the system hands out anew, which it does for large blocks in bounded memory.
    """

    operations: float
    memory: float
    write: float = 1e9
    read: float = 4e9
    fresh: float = 3e9

    @classmethod
    def of(cls, threads: int) -> "Rates":
        """So many cores of a machine."""
        return cls(operations=1e11 * threads, memory=8e9 * threads)


class Cost(NamedTuple):
    """An estimate for a whole run.

    Attributes:
        seconds: By the rates.
        operations: Multiplications and additions, those done again included.
        peak: Bytes of feature maps held at once, the kept ones in memory included.
        moved: Bytes written to and read from where feature maps are kept.
    """

    seconds: float
    operations: float
    peak: int
    moved: float

    def __add__(self, other: "Cost") -> "Cost":  # type: ignore[override]
        """One after the other."""
        return Cost(
            self.seconds + other.seconds,
            self.operations + other.operations,
            max(self.peak, other.peak),
            self.moved + other.moved,
        )


_NOTHING = Cost(0, 0, 0, 0)


class Estimator:
    """Costs of the stages of a network on one grid."""

    def __init__(self, tiled: Tiled, grid: Grid, rates: Rates) -> None:
        self.tiled, self.grid, self.rates = tiled, grid, rates

    def cost(self, plan: Plan) -> Cost:
        """Of a whole run."""
        total = _NOTHING
        for stage in self.tiled.stages(plan.keep):
            total += self.stage(stage, plan.storage)
        return total

    def stage(self, stage: Stage, storage: Storage) -> Cost:
        """Of one pass, as so many times that of a part in the middle of the picture."""
        tiled, results = self.tiled, [one.node for one in self.tiled.traced.spatial_results]
        middle = {node: self.grid.middle(tiled.traced.operators[node].size) for node in stage.targets(results)}
        wanted = wanted_regions(tiled.traced, middle, stage.stored)
        made = {
            node: region for node, region in wanted.items() if node not in stage.stored and node.op != "placeholder"
        }
        parts = self.grid.rows * self.grid.columns
        operations = parts * sum(self._operations(node, region) for node, region in made.items())
        sizes = [tiled.num_bytes(node, region) for node, region in made.items()]
        touched, fresh = parts * 2 * sum(sizes), parts * sum(size for size in sizes if size > LARGE_BLOCK)
        written = sum(tiled.num_bytes(node) for node in stage.kept)
        read = parts * sum(tiled.num_bytes(node, wanted[node]) for node in stage.stored if node in wanted)
        read *= min(self.grid.columns, _PIECES) if storage == "disk" else 1
        held = written + sum(tiled.num_bytes(node) for node in stage.stored)
        holes = _HOLES * max((size for size in sizes if size <= LARGE_BLOCK), default=0) if parts > 1 else 0
        peak = int(_WORKSPACE * self._peak(wanted, middle, stage.stored)) + holes + (held if storage == "memory" else 0)
        seconds = operations / self.rates.operations + touched / self.rates.memory
        seconds += fresh / self.rates.fresh if parts > 1 else 0
        return Cost(seconds + self._seconds_of_moving(written, read, storage), operations, peak, written + read)

    def _seconds_of_moving(self, written: float, read: float, storage: Storage) -> float:
        rates = self.rates
        write, fetch = (rates.write, rates.read) if storage == "disk" else (rates.memory, rates.memory)
        return written / write + read / fetch

    def _operations(self, node: fx.Node, region: Region) -> float:
        """Of a convolution for a part of its result; in bfloat16 they count half."""
        module = self.tiled.traced.submodule(node) if node.op == "call_module" else None
        count = operations_per_pixel(module) * self.tiled.traced.shapes[node][0]
        half = 0.5 if self.tiled.traced.dtypes[node] == torch.bfloat16 else 1
        return count * half * region.rows.length * region.columns.length

    def _peak(self, wanted: dict[fx.Node, Region], targets: dict[fx.Node, Region], stored: frozenset[fx.Node]) -> int:
        """Bytes of the parts that are held at once; an operator may hold another copy of its result for itself."""
        users = {node: sum(user in wanted and user not in stored for user in node.users) for node in wanted}
        size = {node: self.tiled.num_bytes(node, part) for node, part in wanted.items()}
        held = peak = 0
        for node in (node for node in self.tiled.nodes if node in wanted):
            held += size[node]
            peak = max(peak, held + size[node])
            for source in () if node in stored else self.tiled.traced.operators[node].inputs:
                users[source] -= 1
                held -= 0 if users[source] or source in targets else size[source]
        return peak


def whole_cost(tiled: Tiled, rates: Rates) -> Cost:
    """Of running a network on the whole picture at once, where a statistic needs no pass of its own."""
    return Estimator(tiled, Grid(1, 1), rates).stage(Stage({}, (), frozenset()), "memory")


def smallest_peak(tiled: Tiled) -> int:
    """Bytes of feature maps that the most frugal plan holds at once."""
    plan = Plan(_grids(tiled.output.size)[-1], tuple(range(len(tiled.passes))), "disk")
    return Estimator(tiled, plan.grid, Rates.of(1)).cost(plan).peak


def candidates(
    tiled: Tiled, budget: float, rates: Rates, grids: Sequence[Grid] | None = None
) -> list[tuple[Plan, Cost]]:
    """The fastest plan of each way within a budget in bytes: keeping nothing, keeping in memory, keeping on disk.

    Args:
        tiled: The network for pictures of one size.
        budget: For feature maps.
        rates: Of this machine.
        grids: Those to weigh, from coarse to fine; None weighs all that make sense.
    """
    ways: list[tuple[Storage, bool]] = [("memory", False)]
    ways += [("memory", True), ("disk", True)] if tiled.passes else []
    grids = _grids(tiled.output.size) if grids is None else grids
    found = [_fastest(tiled, grids, budget, rates, storage, may_keep) for storage, may_keep in ways]
    return list({plan: (plan, cost) for plan, cost in filter(None, found)}.values())


_TRIED = 12  # grids that fit, from the coarsest on; much finer ones only have more halo


def _fastest(
    tiled: Tiled, grids: Sequence[Grid], budget: float, rates: Rates, storage: Storage, may_keep: bool
) -> tuple[Plan, Cost] | None:
    found: list[tuple[Plan, Cost]] = []
    if storage == "disk":
        grids = sorted(grids, key=lambda grid: grid.columns > 1)  # whole rows are read without those of a neighbour
    for grid in grids:
        estimator = Estimator(tiled, grid, rates)
        keep = _Chains(estimator, storage, budget).fastest() if may_keep else ()
        if keep is None:
            continue
        plan = Plan(grid, keep, storage if keep else "memory")
        cost = estimator.cost(plan)
        if cost.peak <= budget:
            spare = int(budget) - cost.peak if plan.storage == "disk" and not math.isinf(budget) else 0
            found.append((plan._replace(spare_bytes=spare), cost))
        if len(found) == _TRIED:
            break
    return min(found, key=lambda pair: pair[1].seconds, default=None)


def _grids(size: tuple[int, int]) -> list[Grid]:
    """From coarse to fine; strips before tiles of the same number, since they are read and written in order."""
    rows, columns = ([count for count in _COUNTS if count == 1 or side // count >= _LEAST_SIDE] for side in size)

    def is_squat(grid: Grid) -> bool:
        return max(size[0] * grid.columns, 1) <= _MOST_ASPECT * size[1] * grid.rows

    grids = [Grid(row, column) for row in rows for column in columns]
    grids = [grid for grid in grids if grid.columns == 1 or is_squat(grid)]
    return sorted(grids, key=lambda grid: (grid.rows * grid.columns, grid.columns))


_COUNTS = [base << shift for shift in range(11) for base in (2, 3)]
_COUNTS = [1, *sorted(set(_COUNTS))]


class _Chains:
    """Which passes should keep their feature maps: the shortest way through all passes, by dynamic programming.

    Once a pass has kept its frontier, what came before does not matter to the passes after it. So the cheapest way up
    to there is one of the cheapest ways up to an earlier pass that keeps, and the passes in between, which start from
    what that one kept.
    """

    def __init__(self, estimator: Estimator, storage: Storage, budget: float) -> None:
        self.estimator, self.storage, self.budget = estimator, storage, budget
        self.count = len(estimator.tiled.passes)

    def fastest(self) -> tuple[int, ...] | None:
        """The passes that keep; None if no way fits into the budget."""
        ways: dict[int, tuple[float, tuple[int, ...]]] = {-1: (0.0, ())}
        for number in range(self.count + 1):
            ways[number] = min(
                ((seconds + self._between(last, number), (*keep, number)) for last, (seconds, keep) in ways.items()),
                key=lambda way: way[0],
            )
            if math.isinf(ways[number][0]) and math.isinf(self._stage(number - 1, number, False)):
                return None  # the pass with the least to do before it does not fit
        seconds, keep = ways[self.count]
        return None if math.isinf(seconds) else keep[:-1]

    def _between(self, last: int, number: int) -> float:
        """Seconds of the passes after `last`, which has kept, up to `number`, which keeps too or is the last of all."""
        total = self._stage(last, number, True)
        for between in range(number - 1, last, -1):
            if math.isinf(total):
                break
            total += self._stage(last, between, False)
        return total

    @functools.cache  # noqa: B019  # it lives as long as one search
    def _stage(self, last: int, number: int, keeps: bool) -> float:
        cost = self.estimator.stage(self.estimator.tiled.stage(last, number, keeps=keeps), self.storage)
        return math.inf if cost.peak > self.budget else cost.seconds


def explain(chosen: Plan, found: list[tuple[Plan, Cost]], budget: float, num_passes: int) -> str:
    """The plans that were weighed, as a table for people; the chosen one has a star."""
    lines = [
        f"budget for feature maps: {format_bytes(budget)}; passes for statistics: {num_passes}",
        "  parts     kept                 peak    moved     GFLOP  seconds (estimated)",
    ]
    for plan, cost in found:
        kept = f"{len(plan.keep)} of {num_passes}, {plan.storage}" if plan.keep else "nothing"
        lines.append(
            f"{'*' if plan == chosen else ' '} {plan.grid!s:9} {kept:16} {format_bytes(cost.peak):>8} "
            f"{format_bytes(cost.moved):>8} {cost.operations / 1e9:9.0f} {cost.seconds:8.1f}"
        )
    return "\n".join(lines)
