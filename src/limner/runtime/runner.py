"""One call that runs a trained system on a picture of any size: device, precision, engine and tiles are chosen here."""

import copy
import functools
import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from limner.errors import LimnerError
from limner.memory import resident_bytes
from limner.ports import Ported
from limner.processor import dtype_on
from limner.runtime.captured import Captured
from limner.runtime.cost import Cost, Rates, candidates, explain, smallest_peak, whole_cost
from limner.runtime.engine import Engine, installed, make, measure, measured_best
from limner.runtime.engine_parts import can_be_parted, parts_by, run_in_parts
from limner.runtime.memory import default_budget, format_bytes
from limner.runtime.operators import Region, Span
from limner.runtime.plan import Grid, Plan
from limner.runtime.prepare import prepare
from limner.runtime.probes import fitting_size, ports_of, results_of
from limner.runtime.run_options import RunOptions
from limner.runtime.storage import Source
from limner.runtime.tiling import Tiled
from limner.runtime.tracing import DrawsError
from limner.types import OnProgress

_WHOLE = Plan(Grid(1, 1))
_WORTH_MEASURING = 120  # seconds of work, from which on trying every backend, which takes some ten, can pay
_TYPICAL = 64  # pixels of a side that the seconds of a pixel are estimated on
_RESERVE = 0.92  # of the budget is given to feature maps; the rest is for what allocators cannot use
_SIZES = 4  # of pictures that the network is kept read for
AT_ONCE = 2
"""Pictures that are run at once, each on all threads, so that no core waits for another's."""
_SPACIOUS = 2  # times what pictures take at once must be free, so that each is cut as it would be alone: not at all


class Runner:
    """Runs a system's forward pass; build it once, call it often, also from several threads at once.

    Args of the constructor:
        system: A trained `nn.Module`.
        options: Device, precision, backend, tiles, memory and threads.

    Raises:
        LimnerError: If the device or the backend is not there, or the system draws random numbers by itself.
    """

    def __init__(self, system: nn.Module, options: RunOptions = RunOptions()) -> None:
        self.system, self.device = system, options.chosen_device
        self.precision, self.tile, self.memory, self.threads = (
            options.precision, options.tile, options.memory, options.threads,
        )  # fmt: skip
        self._heard = threading.local()
        self.refusal: LimnerError | None = None
        """Why pictures can only be run whole, if they can."""
        self.prepared: nn.Module
        try:
            self.prepared = prepare(system, self.device, options.precision)
        except DrawsError:
            raise
        except LimnerError as refusal:
            self.refusal = refusal
            self.prepared = copy.deepcopy(system).eval().to(self.device)
        self._read, self._reading = OrderedDict[tuple[tuple[int, ...], ...], Tiled](), threading.Lock()
        name = self._best_backend(options.work) if options.backend == "auto" else self._checked(options.backend)
        self.backend = name
        self._engine: Engine | None = None
        if name != "torch":
            self._engine = make(name, system, precision=options.precision, threads=options.threads)

    def __call__(self, *inputs: Tensor) -> Any:
        """What the system gives for its inputs, on the CPU and in float32, exactly as without tiles.

        Of a system that gives several results, as pictures and masks, it is a tuple; numbers of classes stay int64.
        """
        with self._running():
            shapes = [tuple(one.shape) for one in inputs]
            plan = self.plan(*shapes)
            if plan.grid == _WHOLE.grid:
                return self._whole(*inputs)
            tiled = self._for(*shapes)
            if self._engine and can_be_parted(tiled):
                return run_in_parts(self._engine, *inputs, tiled=tiled, grid=plan.grid, on_part=self.on_tile)
            return tiled(*inputs, plan=plan, on_part=self.on_tile)

    @property
    def on_tile(self) -> OnProgress | None:
        """Called with how many parts of how many are done, by what the thread that has set it runs."""
        return getattr(self._heard, "on_tile", None)

    @on_tile.setter
    def on_tile(self, on_tile: OnProgress | None) -> None:
        self._heard.on_tile = on_tile

    def parts(self, *inputs: Tensor | Source) -> Iterator[tuple[Region, Tensor]]:
        """The same, part after part from the top, for pictures that are read and results that are written in parts.

        Raises:
            LimnerError: If the system gives several results.
        """
        tiled = self._for(*(tuple(one.shape) for one in inputs))
        plan = self._chosen(tiled, result_held=False)[0]
        if plan.grid == _WHOLE.grid and not tiled.traced.gives_several:
            whole = (one if isinstance(one, Tensor) else one.read(_all_of(one.shape)) for one in inputs)
            with self._running():
                result = self._whole(*whole)
            yield _all_of(result.shape), result
            return
        if self._engine and can_be_parted(tiled):
            parts = parts_by(self._engine, *inputs, tiled=tiled, grid=plan.grid, on_part=self.on_tile)
        else:
            parts = tiled.parts(*inputs, plan=plan, on_part=self.on_tile)
        while True:
            with self._running():  # not while the caller has its turn
                part = next(parts, None)
            if part is None:
                return
            yield part

    def plan(self, *shapes: tuple[int, ...]) -> Plan:
        """Into which parts pictures of the given shapes are cut, and what is kept between the passes over them.

        Raises:
            LimnerError: If they must be cut, and the system cannot be run in parts exactly.
        """
        try:
            tiled = self._for(*shapes)
        except LimnerError:
            if self.tile or self.memory:
                raise
            return _WHOLE
        return self._chosen(tiled)[0]

    def is_light(self, *shapes: tuple[int, ...]) -> bool:
        """Whether `AT_ONCE` pictures of the given shapes may be run at once, by torch, whole, on all cores of the CPU.

        What they take is estimated by what a small picture takes. Where memory or threads have a bound, none may.
        """
        is_bounded = self.memory or self.threads or self.tile or torch.get_num_threads() == 1
        if is_bounded or self.refusal or self._engine or self.device.type != "cpu":
            return False
        if not isinstance(self.system, Ported):
            return False
        taken = self._typical_peak * sum(map(math.prod, shapes))
        return _SPACIOUS * AT_ONCE * taken <= default_budget() - resident_bytes()

    @functools.cached_property
    def _typical_peak(self) -> float:
        """Bytes of feature maps that a number of the inputs takes."""
        tiled = self._typical
        peak = whole_cost(tiled, Rates.of(1)).peak
        return peak / sum(map(math.prod, tiled.input_shapes))

    def explain(self, *shapes: tuple[int, ...]) -> str:
        """The plans that were weighed for pictures of the given shapes, and which was chosen, for people."""
        tiled = self._for(*shapes)
        chosen, found = self._chosen(tiled)
        return explain(chosen, found, self._budget(tiled, result_held=True), len(tiled.passes))

    def verify(self, *inputs: Tensor) -> float:
        """The largest difference between the results of inputs run in parts and run whole, both in float32.

        Each part is a third of the height and half of the width, and every other pass keeps its feature maps on disk.

        Raises:
            LimnerError: If the system cannot be run in parts exactly.
        """
        exact = prepare(self.system, torch.device("cpu"), "exact")
        tiled = Tiled(exact, *(tuple(one.shape) for one in inputs))
        plan = Plan(Grid(3, 2), tuple(range(0, len(tiled.passes), 2)), "disk")
        with self._running():
            pairs = zip(results_of(tiled(*inputs, plan=plan)), results_of(exact(*inputs)), strict=True)
            return max(float((one - other).abs().max()) for one, other in pairs)

    def _whole(self, *inputs: Tensor) -> Any:
        network = self._engine or self._network
        made = network(*(one.to(self.device) for one in inputs))
        if self.on_tile:
            self.on_tile(1, 1)
        results = tuple((one.float() if one.is_floating_point() else one).cpu() for one in results_of(made))
        return results if isinstance(made, tuple | list) else results[0]

    @functools.cached_property
    def _network(self) -> Callable[..., Any]:
        """The prepared network as it is called on this device."""
        half = self.device.type == "cuda" and dtype_on(self.device, self.precision) == torch.bfloat16

        def run(*inputs: Tensor) -> Any:
            with torch.autocast("cuda", torch.bfloat16, cache_enabled=False) if half else nullcontext():
                return self.prepared(*inputs)

        return Captured(run) if self.device.type == "cuda" and not self.refusal else run

    def _checked(self, backend: str) -> str:
        if backend != "torch" and self.device.type != "cpu":
            raise LimnerError(f"{backend} runs on the CPU here, and the device is {self.device}: choose the device cpu")
        return backend

    def _best_backend(self, work: int) -> str:
        """By the record of what was measured; where much is to be done and nothing is known, it is measured now."""
        alone = len(installed()) == 1 or not isinstance(self.system, Ported)
        if alone or self.device.type != "cpu" or self.refusal:
            return "torch"
        best = measured_best(self.system, precision=self.precision, threads=self.threads)
        if best is None and work and self._seconds(work) > _WORTH_MEASURING:
            measure(self.system, precision=self.precision, threads=self.threads)
            best = measured_best(self.system, precision=self.precision, threads=self.threads)
        return best or "torch"

    def _seconds(self, pixels: int) -> float:
        """An estimate by the pixels of results."""
        tiled = self._typical
        seconds = whole_cost(tiled, Rates.of(self.threads or torch.get_num_threads())).seconds
        return seconds * pixels / math.prod(tiled.output.size)

    @property
    def _typical(self) -> Tiled:
        """The network read for a small picture."""
        ports = ports_of(self.system).inputs
        size = fitting_size((1, _TYPICAL, _TYPICAL), ports)
        return self._for(*(port.shape(*size) for port in ports))

    @contextmanager
    def _running(self) -> Iterator[None]:
        """Without gradients, on the threads that were asked for."""
        before = torch.get_num_threads()
        if self.threads:
            torch.set_num_threads(self.threads)
        try:
            with torch.inference_mode():
                yield
        finally:
            torch.set_num_threads(before)

    def _for(self, *shapes: tuple[int, ...]) -> Tiled:
        """The network read for pictures of given sizes; the last few are kept."""
        if self.refusal:
            raise self.refusal
        with self._reading:
            tiled = self._read.pop(shapes, None) or Tiled(self.prepared, *shapes, device=self.device)
            self._read[shapes] = tiled
            if len(self._read) > _SIZES:
                self._read.popitem(last=False)
        return tiled

    def _chosen(self, tiled: Tiled, *, result_held: bool = True) -> tuple[Plan, list[tuple[Plan, Cost]]]:
        """The plan of the least cost, and those that it was chosen from."""
        rates, budget = Rates.of(self.threads or torch.get_num_threads()), self._budget(tiled, result_held)
        if self.tile:
            rows, columns = (-(-side // self.tile) for side in tiled.output.size)
            found = candidates(tiled, math.inf, rates, [Grid(rows, columns)])
        else:
            whole = whole_cost(tiled, rates)
            found = [(_WHOLE, whole)] if whole.peak <= budget else candidates(tiled, budget, rates)
        if not found:
            raise self._too_small(tiled, budget)
        return min(found, key=lambda pair: pair[1].seconds)[0], found

    def _budget(self, tiled: Tiled, result_held: bool) -> float:
        """Bytes for feature maps: what may be held, without what is held already and the result."""
        pixels = sum(math.prod(tiled.traced.shapes[one.node]) for one in tiled.traced.spatial_results)
        result = 4 * pixels if result_held else 0
        return ((self.memory or default_budget()) - resident_bytes() - result) * _RESERVE

    def _too_small(self, tiled: Tiled, budget: float) -> LimnerError:
        least = smallest_peak(tiled)
        missing = (least - budget) / _RESERVE
        allowed = self.memory or default_budget()
        return LimnerError(
            f"this picture needs about {format_bytes(allowed + missing)} of memory even in the smallest parts, "
            f"and may take {format_bytes(allowed)}: allow more memory, or give it a smaller picture"
        )


def _all_of(shape: tuple[int, ...]) -> Region:
    return Region(Span(0, shape[-2]), Span(0, shape[-1]))
