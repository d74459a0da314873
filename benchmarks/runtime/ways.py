"""A worker of `runtime.py`: one network in one way of running it, on pictures of the sizes that it is asked for."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from torch import Tensor, nn

from benchmarks.runtime.networks import NETWORKS
from benchmarks.runtime.workers import forget_peak, serve
from limner.memory import peak_bytes, resident_bytes
from limner.runtime.allocator import keep_freed_memory
from limner.runtime.engine import make
from limner.runtime.run_options import RunOptions
from limner.runtime.runner import Runner

EAGER = "eager"
WAYS = (EAGER, "torch exact", "torch fast", "onnxruntime exact", "openvino exact", "openvino fast")
"""Plain eager float32 with default settings, then every backend and precision."""


def runner(system: nn.Module, way: str) -> Callable[[Tensor], Tensor]:
    """The network as it runs in one of the `WAYS`."""
    if way == EAGER:
        return torch.inference_mode()(system)
    backend, precision = way.split()
    if backend == "torch":
        return Runner(system, RunOptions(device="cpu", precision=precision))  # type: ignore[arg-type]
    return make(backend, system, precision=precision)  # type: ignore[arg-type]


def main(
    network: Annotated[str, typer.Argument()],
    way: Annotated[str, typer.Argument()],
    system: Annotated[Path, typer.Argument()],
) -> None:
    """Answer {height, width, result} with the seconds of a run and the MiB at its peak; keep the first result."""
    if way != EAGER:
        keep_freed_memory()  # as the command line does
    module: nn.Module = torch.load(system, weights_only=False)  # written by this run
    base = resident_bytes()
    run = runner(module, way)
    pictures: dict[tuple[int, int], Tensor] = {}

    def answer(question: dict[str, Any]) -> dict[str, float]:
        size = question["height"], question["width"]
        image = pictures.setdefault(size, NETWORKS[network].picture(*size))
        forget_peak()
        started = time.perf_counter()
        result = run(image)
        seconds = time.perf_counter() - started
        peak = peak_bytes() - base
        if not Path(question["result"]).exists():
            torch.save(result.contiguous(), question["result"])
        return {"seconds": seconds, "peak_mib": peak / 2**20}

    serve(answer)


if __name__ == "__main__":
    typer.run(main)
