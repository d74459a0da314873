"""What a CUDA device reaches, within eight minutes: `python -m benchmarks.runtime.gpu`.

Milliseconds of a step, and its peak memory, of each training of `benchmarks.training.steps`; then images a second,
share of peak and peak memory of the seven networks of `networks.py`, as plain torch runs them and as the runtime does.
What the time does not allow is left out and named. Written to results/gpu.md and .json. With `--dry` all of it runs on
the CPU, small and once, which shows that it works and measures nothing.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from torch import Tensor, nn

from benchmarks.runtime.networks import NETWORKS, Network, gflop
from benchmarks.runtime.reports import RESULTS, made_by, publish
from benchmarks.training.steps import CASES
from limner.loops.checkpoint import seed_everything
from limner.processor import Machine
from limner.runtime.run_options import RunOptions
from limner.runtime.runner import Runner

MINUTES = 7.0  # after which nothing more is begun
_SECONDS = 1.0  # that one timing takes, once the first calls are over
_MATRIX = 8192
PLAIN, EXACT, FAST, COMPILED = "plain", "exact", "fast", "plain, compiled"
BATCHES = (1, 8)

Row = dict[str, Any]


@dataclass
class Session:
    """One run of the benchmark: where it computes, until when, and what it leaves out.

    Attributes:
        device: `cuda`, or `cpu` in a dry run.
        until: By `time.monotonic`.
        seconds: That one timing takes.
        side: Of pictures, in pixels.
        warm: Calls before a timing that do not count: kernels are chosen and graphs recorded.
        left_out: What the time did not allow, or what failed and why.
    """

    device: str
    until: float
    seconds: float = _SECONDS
    side: int = 512
    warm: int = 3
    left_out: list[str] = field(default_factory=list)

    def wait(self) -> None:
        """Until the device has done what it was given."""
        if self.device == "cuda":
            torch.cuda.synchronize()

    def tried(self, name: str, measure: Callable[[], Row]) -> list[Row]:
        """The row, with its name; none where the time is over or the device cannot: that is noted."""
        if time.monotonic() >= self.until:
            self.left_out.append(f"{name}: no time was left")
            return []
        try:
            return [{"name": name, **measure()}]
        except (RuntimeError, ValueError) as error:  # such as: out of memory
            self.left_out.append(f"{name}: {str(error).splitlines()[0]}")
            return []

    def timed(self, call: Callable[[], object]) -> Row:
        """Median seconds of a call, and the most MiB that the device held for it; 0 on the CPU."""
        if self.device == "cuda":
            torch.cuda.reset_peak_memory_stats()
        for _ in range(self.warm):
            call()
        self.wait()
        found: list[float] = []
        end = min(self.until, time.monotonic() + self.seconds)
        while not found or time.monotonic() < end:
            begun = time.perf_counter()
            call()
            self.wait()
            found.append(time.perf_counter() - begun)
        peak = torch.cuda.max_memory_allocated() / 2**20 if self.device == "cuda" else 0.0
        return {"seconds": statistics.median(found), "peak_mib": peak}


def peaks(session: Session, matrix: int = _MATRIX) -> dict[str, float]:
    """GFLOP/s of a large matrix product, by type; float32 as plain torch computes it."""
    found = {}
    for name, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        one = torch.rand(matrix, matrix, device=session.device).to(dtype)
        found[name] = 2 * matrix**3 / 1e9 / session.timed(partial(torch.matmul, one, one))["seconds"]
    return found


def ways(system: nn.Module, device: str) -> dict[str, Callable[[Tensor], Any]]:
    """How a network is run: pictures in, results on the CPU out."""
    plain = system.to(device)

    @torch.inference_mode()
    def run(x: Tensor) -> Tensor:
        made: Tensor = plain(x.to(device))
        return made.cpu()

    options = {way: RunOptions(device=device, backend="torch", precision=way) for way in (EXACT, FAST)}  # type: ignore[arg-type]
    compiled = torch.compile(run, dynamic=False) if device == "cuda" else run
    return {PLAIN: run, **{way: Runner(system, one) for way, one in options.items()}, COMPILED: compiled}


def network_rows(session: Session, key: str, network: Network, peak: dict[str, float]) -> list[Row]:
    """Images a second of one network in each way and batch."""
    system, picture = network.build(), network.picture(session.side, session.side)
    work, rows = gflop(system, tuple(picture.shape)), []
    for way, run in ways(system, session.device).items():
        for batch in BATCHES:
            pictures = picture.repeat(batch, 1, 1, 1)

            def measure(run: Callable[[Tensor], Any] = run, pictures: Tensor = pictures, way: str = way) -> Row:
                timed = session.timed(lambda: run(pictures))
                a_second = len(pictures) / timed["seconds"]
                best = peak["bf16" if way == FAST else "fp32"]
                return {
                    "network": key, "way": way, "batch": len(pictures), "images_a_second": a_second,
                    "gflops": work * a_second, "share": work * a_second / best, **timed,
                }  # fmt: skip

            rows += session.tried(f"{network.title}, {way}, batch {batch}", measure)
    return rows


def training_rows(session: Session) -> list[Row]:
    """A step of each training, in float32 and in bfloat16."""
    rows = []
    for name, case in CASES.items():
        for precision in ("exact", "fast"):

            def measure(case: Any = case, precision: Any = precision) -> Row:
                seed_everything(0)
                return session.timed(case.limner(precision, session.device))

            rows += session.tried(f"{name}, {precision}", measure)
    return rows


def report(found: dict[str, Any]) -> Iterator[str]:
    """The lines of the Markdown report."""
    yield "# What a CUDA device reaches"
    yield from ("", made_by(found), "")
    peak = ", ".join(f"{value / 1000:.1f} TFLOP/s in {name}" for name, value in found["peak"].items())
    yield f"A matrix product of {found['matrix']} reached {peak}. Pictures of {found['side']}x{found['side']}, from the"
    yield "CPU and back to it; medians. *Plain* is the network as published, in float32; *exact* and *fast* are the"
    yield "runtime's."
    yield from (
        "",
        "| network, way, batch | images a second | GFLOP/s | share of peak | MiB at the peak |",
        "|---" * 5 + "|",
    )
    for one in found["networks"]:
        yield (
            f"| {one['name']} | {one['images_a_second']:.1f} | {one['gflops']:.0f} | {one['share']:.0%} | "
            f"{one['peak_mib']:.0f} |"
        )
    yield from ("", "| step of a training, precision | ms | MiB at the peak |", "|---|---|---|")
    for one in found["trainings"]:
        yield f"| {one['name']} | {1000 * one['seconds']:.1f} | {one['peak_mib']:.0f} |"
    if found["left_out"]:
        yield from ("", "Left out:", "", *(f"- {line}" for line in found["left_out"]))


def main(
    minutes: Annotated[float, typer.Option(min=0, help="After which nothing more is begun.")] = MINUTES,
    out: Annotated[Path, typer.Option(help="Folder of the report.")] = RESULTS,
    dry: Annotated[bool, typer.Option("--dry", help="On the CPU, small and once, which measures nothing.")] = False,
) -> None:
    """Measure and write the report."""
    if not dry and not torch.cuda.is_available():
        typer.echo("error: this measures a CUDA device, and there is none here: --dry tries it on the CPU", err=True)
        raise typer.Exit(2)
    until = time.monotonic() + 60 * minutes
    session = Session("cpu", until, seconds=0.0, side=64, warm=0) if dry else Session("cuda", until)
    matrix = 64 if dry else _MATRIX
    peak = peaks(session, matrix)
    found = {
        "machine": asdict(Machine.here()),
        "command": "python -m benchmarks.runtime.gpu" + " --dry" * dry,
        "peak": peak,
        "matrix": matrix,
        "side": session.side,
        "trainings": training_rows(session),
        "networks": [
            row
            for key, network in NETWORKS.items()
            if network.reference
            for row in network_rows(session, key, network, peak)
        ],
        "left_out": session.left_out,
    }
    publish("gpu", found, report(found), out)


if __name__ == "__main__":
    typer.run(main)
