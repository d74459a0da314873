"""Enlarging a 512x512 luminance: the command line's own path against the same network in plain eager float32.

Each way runs in a process of its own, as the command line does, for the allocator is set for a whole process. The ways
take turns, so that a busy machine slows them alike; what is reported is the median, and the median of the ratios of
neighbours. `python benchmarks/upscale.py` writes results/upscale.md and .json beside this file.
"""

import json
import math
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from torch import Tensor

from limner.catalog import embedded, load
from limner.files.image import read_image, to_tensor
from limner.ops.color import luminance
from limner.ops.resample import imresize
from limner.runtime.allocator import keep_freed_memory
from limner.runtime.runner import Runner
from limner.verbs.evaluation_report import Machine

PHOTO = Path(__file__).parent.parent / "src" / "limner" / "demo" / "astronaut.jpg"
RESULTS = Path(__file__).parent / "results"
WAYS = ("eager", "exact", "fast")


def picture(model: str) -> Tensor:
    """What the network of `model` is given for 512x512 pixels of result: enlarged luminance, or 128x128 RGB."""
    photo = to_tensor(read_image(PHOTO))
    if model == "srresnet":
        return imresize(photo, size=(128, 128)).clamp(0, 1)
    return luminance(imresize(imresize(photo, size=(256, 256)), 2)).clamp(0, 1)


def runner(model: str, way: str) -> Callable[[Tensor], Tensor]:
    """The network of `model` run in one of the `WAYS`."""
    system, _ = load(model)
    if way == "eager":
        return torch.inference_mode()(system)
    keep_freed_memory()
    return Runner(system, device="cpu", precision="exact" if way == "exact" else "fast")


def work(model: str, way: str, result: Path) -> None:
    """A worker: run once for each line read, answer with the seconds; at the end with the peak memory."""
    image = picture(model)
    base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    run = runner(model, way)
    torch.save(run(image), result)
    for _ in sys.stdin:
        started = time.perf_counter()
        run(image)
        print(time.perf_counter() - started, flush=True)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - base, flush=True)


def start(model: str, way: str, result: Path) -> subprocess.Popen[str]:
    """A worker process."""
    command = [sys.executable, __file__, "--model", model, "--way", way, "--result", str(result)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def ask(worker: subprocess.Popen[str]) -> float:
    """Have a worker run once; seconds."""
    assert worker.stdin and worker.stdout
    worker.stdin.write("run\n")
    worker.stdin.flush()
    return float(worker.stdout.readline())


def finish(worker: subprocess.Popen[str]) -> int:
    """End a worker; its peak resident memory over what it held before it built the network, in MiB."""
    assert worker.stdin and worker.stdout
    worker.stdin.close()
    peak = int(worker.stdout.readline()) // 1024
    worker.wait()
    return peak


def psnr_to(reference: Tensor, result: Tensor) -> float:
    """Agreement in decibels, peak 1."""
    error = (reference.double() - result.double()).square().mean().item()
    return math.inf if error == 0 else -10 * math.log10(error)


def measure(model: str, repeats: int, folder: Path) -> list[dict[str, Any]]:
    """The rows of one model."""
    files = {way: folder / f"{model}-{way}.pt" for way in WAYS}
    workers = {way: start(model, way, files[way]) for way in WAYS}
    seconds: dict[str, list[float]] = {way: [] for way in WAYS}
    for turn in range(repeats + 1):
        for way, worker in workers.items():
            took = ask(worker)
            if turn:  # the first turn warms up
                seconds[way].append(took)
    peaks = {way: finish(worker) for way, worker in workers.items()}
    results = {way: torch.load(file) for way, file in files.items()}
    return [
        {
            "model": model,
            "way": way,
            "milliseconds": round(1000 * statistics.median(seconds[way]), 1),
            "times_faster": round(statistics.median(map(_ratio, seconds["eager"], seconds[way])), 2),
            "decibels_to_eager": round(psnr_to(results["eager"], results[way]), 1),
            "peak_mib": peaks[way],
        }
        for way in WAYS
    ]


def _ratio(eager: float, other: float) -> float:
    return eager / other


def markdown(rows: list[dict[str, Any]], machine: Machine, repeats: int) -> str:
    """The report."""
    lines = [
        "# Enlarging to 512x512: the command line's path against plain eager float32",
        "",
        f"{machine.processor}, {machine.threads} threads, torch {machine.torch}, {machine.date}. Medians of {repeats}",
        "interleaved repeats; a shared machine, so the ratios mean more than the milliseconds.",
        "Made by `python benchmarks/upscale.py`.",
        "",
        "| model | way | ms | times faster | dB to eager | peak memory, MiB |",
        "|---|---|---|---|---|---|",
    ]
    return "\n".join([*lines, *("| " + " | ".join(str(value) for value in row.values()) + " |" for row in rows)]) + "\n"


def main(
    repeats: Annotated[int, typer.Option(min=1, help="Timed runs of each way.")] = 9,
    model: Annotated[str, typer.Option(hidden=True)] = "",
    way: Annotated[str, typer.Option(hidden=True)] = "",
    result: Annotated[Path, typer.Option(hidden=True)] = RESULTS,
) -> None:
    """Measure every embedded model, or be a worker that measures one."""
    if way:
        work(model, way, result)
        return
    RESULTS.mkdir(exist_ok=True)
    rows = [row for name in embedded() for row in measure(name, repeats, RESULTS)]
    for file in RESULTS.glob("*.pt"):
        file.unlink()
    report = markdown(rows, Machine.here(), repeats)
    (RESULTS / "upscale.md").write_text(report, encoding="utf-8")
    (RESULTS / "upscale.json").write_text(json.dumps(rows, indent=2, allow_nan=True) + "\n", encoding="utf-8")
    print(report)


if __name__ == "__main__":
    typer.run(main)
