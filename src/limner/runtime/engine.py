"""Engines: the libraries that can run a network on the CPU, behind one call, and which of them is fastest here."""

import importlib.util
import statistics
import time
from contextlib import suppress
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from limner.errors import LimnerError, did_you_mean
from limner.runtime.conversion import difference, evaluation_copy, to_onnx, to_openvino
from limner.runtime.engine_record import keep, network_key, recall
from limner.runtime.onnx_engine import OnnxEngine
from limner.runtime.openvino_engine import OpenVinoEngine
from limner.runtime.prepare import prepare
from limner.runtime.probes import fitting_size, ports_of, probes, random_inputs, results_of
from limner.types import Precision


class Engine(Protocol):
    """Runs one network on the CPU."""

    name: str
    """One of `ENGINES`."""

    def __call__(self, *inputs: Tensor) -> Any:
        """What the network gives for its inputs, for any number, height and width: a tensor, or a tuple of them.

        Floating numbers are float32.
        """


ENGINES = ("torch", "onnxruntime", "openvino")

_NEEDS = {"torch": ("torch",), "onnxruntime": ("onnx", "onnxscript", "onnxruntime"), "openvino": ("openvino",)}
_PROBE = 160  # pixels of a side: enough work that what a call costs by itself does not count
_ROUNDS = 5
_WORTH = 0.95  # of torch's time: an engine that takes more is not worth its start
_TOLERANCE = {"exact": 1e-4, "fast": 0.05}  # of the whole result; a network with a size baked in differs by more


class TorchEngine:
    """A system as `prepare` makes it.

    Args of the constructor:
        system: A trained `nn.Module`.
        precision: `fast` (bfloat16 where it pays) or `exact` (float32).
        threads: How many it may use; None leaves that to torch.
    """

    name = "torch"

    def __init__(self, system: nn.Module, *, precision: Precision, threads: int | None = None) -> None:
        self._network, self._threads = prepare(system, torch.device("cpu"), precision), threads

    def __call__(self, *inputs: Tensor) -> Any:
        """Float32 in, float32 out."""
        before = torch.get_num_threads()
        torch.set_num_threads(self._threads or before)
        try:
            with torch.inference_mode():
                made = self._network(*inputs)
                results = tuple(one.float() if one.is_floating_point() else one for one in results_of(made))
                return results if isinstance(made, tuple | list) else results[0]
        finally:
            torch.set_num_threads(before)


def installed() -> tuple[str, ...]:
    """The engines whose libraries are there, torch first."""
    return tuple(name for name in ENGINES if all(importlib.util.find_spec(library) for library in _NEEDS[name]))


def make(name: str, system: nn.Module, *, precision: Precision, threads: int | None = None) -> Engine:
    """An engine that runs a system; it is tried on a small picture before it is given out.

    Args:
        name: One of `ENGINES`.
        system: A trained `nn.Module`; all but torch need its ports.
        precision: `exact` is float32; `fast` is bfloat16 where that pays, but in ONNX Runtime, which has float32 alone.
        threads: How many it may use; None takes as many as torch does.

    Raises:
        LimnerError: If there is no such engine, its extra is missing, or it cannot run the system.
    """
    if name not in ENGINES:
        raise LimnerError(f"backend must be one of {', '.join(ENGINES)}, got {name!r}: {did_you_mean(name, ENGINES)}")
    if name == "torch":
        return TorchEngine(system, precision=precision, threads=threads)
    system = evaluation_copy(system)
    engine: Engine
    if name == "onnxruntime":
        engine = OnnxEngine(to_onnx(system), threads=threads)
    else:
        engine = OpenVinoEngine(to_openvino(system), precision=precision, threads=threads)
    relative = difference(engine, system, probes(ports_of(system).inputs)[-1:]).relative
    if relative > _TOLERANCE[precision]:
        what = f"the result of {type(system).__name__} by {relative:.1%}"
        raise LimnerError(f"what {name} computes differs from {what}: choose another backend")
    return engine


def measure(system: nn.Module, *, precision: Precision, threads: int | None = None) -> dict[str, float]:
    """How many seconds each installed engine takes for pictures of 160x160; kept for `measured_best`.

    The engines take turns, and each gets the median of its times. One that cannot run the system is left out.

    Args:
        system: A trained `nn.Module` with ports.
        precision: `fast` or `exact`.
        threads: How many may be used; None takes as many as torch does.
    """
    ports = ports_of(system).inputs
    inputs = random_inputs(ports, fitting_size((1, _PROBE, _PROBE), ports))
    engines: dict[str, Engine] = {}
    for name in installed():
        with suppress(LimnerError):
            engines[name] = make(name, system, precision=precision, threads=threads)
    seconds: dict[str, list[float]] = {name: [] for name in engines}
    for turn in range(_ROUNDS + 1):
        for name, engine in engines.items():
            start = time.perf_counter()
            engine(*inputs)
            if turn:  # the first call of an engine prepares it for the size
                seconds[name].append(time.perf_counter() - start)
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    keep(network_key(system, precision=precision, threads=threads or torch.get_num_threads()), medians)
    return medians


def measured_best(system: nn.Module, *, precision: Precision, threads: int | None = None) -> str | None:
    """The fastest engine by the record of `measure`; torch unless another is clearly faster.

    Returns:
        None if nothing was measured for this network, precision, number of threads, machine and these versions.
    """
    seconds = recall(network_key(system, precision=precision, threads=threads or torch.get_num_threads()))
    if seconds is None:
        return None
    best = min(seconds, key=lambda name: seconds[name])
    return best if seconds[best] < _WORTH * seconds.get("torch", float("inf")) else "torch"
