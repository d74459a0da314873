"""A 7680x4320 picture through a style network with instance norm: peak memory, cost a pixel, exactness.

`python benchmarks/large.py` writes results/large.md and .json beside this file. It takes some minutes, and 10 GB for
the reference: the same network layer by layer, which shares nothing with Limner's runtime.
"""

import json
import math
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import torch
import typer

from layerwise import run_layerwise
from limner.runtime.allocator import keep_freed_memory
from limner.runtime.runner import Runner
from limner.verbs.evaluation_report import Machine
from measuring import pixels
from networks import NETWORKS
from runtime import RESULTS, STYLE
from workers import Worker, forget_peak, peak_memory, serve

LIMIT = 2 * 10**9
"""Bytes that the whole process may hold."""
_WHOLE = 2**36  # bytes: enough for the smaller picture to run in one part
_BANDS = 64  # rows that are compared at a time


@dataclass(frozen=True)
class Row:
    """The large picture in one precision.

    Attributes:
        precision: `exact` or `fast`.
        seconds: The median of its runs.
        peak_mib: The most memory that the process held.
        times_untiled: The cost of a pixel over that of the smaller picture, which runs in one part.
        max_difference: From the reference; NaN if that was not asked for.
        decibels: PSNR to the reference, with its range as the peak.
    """

    precision: str
    seconds: float
    peak_mib: float
    times_untiled: float
    max_difference: float
    decibels: float

    def verdicts(self) -> Iterator[str]:
        """What is aimed at, and whether it is reached."""
        yield f"peak memory {'below' if self.peak_mib * 2**20 < LIMIT else '**not** below'} {LIMIT / 1e9:.0f} GB"
        if self.precision == "exact" and not math.isnan(self.max_difference):
            yield f"largest difference {'at most' if self.max_difference <= 1e-4 else '**above**'} 1e-4"


def work(system: Path, picture: Path, result: Path, precision: str, memory: int) -> None:
    """Be a worker: run the picture each time that it is asked, and keep the last result."""
    keep_freed_memory()
    network = torch.load(system, weights_only=False)  # written by this run
    image = torch.load(picture)
    runner = Runner(network, device="cpu", precision=precision, memory=memory)  # type: ignore[arg-type]

    def answer(_: object) -> dict[str, float]:
        forget_peak()
        started = time.perf_counter()
        made = runner(image)
        seconds, peak = time.perf_counter() - started, peak_memory()
        torch.save(made, result)
        return {"seconds": seconds, "peak_mib": peak / 2**20}

    serve(answer)


def measure(folder: Path, precision: str, sizes: tuple[str, str], rounds: int) -> Row:
    """The large picture and the smaller one in turns."""
    larger, smaller = sizes
    command = [str(folder / "network.pt"), str(folder / f"{larger}.pt"), str(folder / f"{precision}.pt"), precision]
    whole = [command[0], str(folder / f"{smaller}.pt"), str(folder / "small.pt"), precision, str(_WHOLE)]
    with Worker(Path(__file__), *command, str(LIMIT)) as tiled, Worker(Path(__file__), *whole) as untiled:
        tiled.wait()
        untiled.wait()
        untiled.ask()  # warms up; the large picture's later parts run warm anyway
        turns = [(untiled.ask(), tiled.ask()) for _ in range(rounds)]
    grown = math.prod(pixels(larger)) / math.prod(pixels(smaller))
    made, reference = folder / f"{precision}.pt", folder / "reference.pt"
    difference, decibels = agreement(reference, made) if reference.exists() else (math.nan, math.nan)
    return Row(
        precision=precision,
        seconds=statistics.median(large["seconds"] for _, large in turns),
        peak_mib=max(large["peak_mib"] for _, large in turns),
        times_untiled=statistics.median(large["seconds"] / small["seconds"] / grown for small, large in turns),
        max_difference=difference,
        decibels=decibels,
    )


def agreement(reference: Path, made: Path) -> tuple[float, float]:
    """The largest difference of two saved pictures, and PSNR in decibels with the range of the first as the peak."""
    first, second = (torch.load(path, mmap=True) for path in (reference, made))
    largest, total = 0.0, 0.0
    for top in range(0, first.shape[-2], _BANDS):
        band = first[..., top : top + _BANDS, :].double() - second[..., top : top + _BANDS, :].double()
        largest, total = max(largest, band.abs().max().item()), total + band.square().sum().item()
    peak = (first.max() - first.min()).item()
    return largest, 10 * math.log10(peak**2 * first.numel() / total) if total else math.inf


def markdown(rows: list[Row], sizes: tuple[str, str], machine: Machine) -> str:
    """The report."""
    larger, smaller = ("{1}x{0}".format(*pixels(size)) for size in sizes)
    lines = [
        f"# {larger} through a style network with instance norm",
        "",
        f"{machine.processor}, {machine.threads} threads, torch {machine.torch}, {machine.date}.",
        "Made by `python benchmarks/large.py`.",
        "",
        f"The process may hold {LIMIT / 1e9:.0f} GB, picture and result included. The cost of a pixel is compared",
        f"with that of {smaller} in one part, in turns with it. The reference is the same network in float32, run",
        "layer by layer by plain torch, every layer on the whole picture; all pixels are compared.",
        "",
        "| precision | seconds | peak memory, MiB | cost of a pixel, times untiled | largest difference | dB |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row.precision} | {row.seconds:.1f} | {row.peak_mib:.0f} | {row.times_untiled:.2f} "
        f"| {row.max_difference:.1e} | {row.decibels:.1f} |"
        for row in rows
    ]
    lines += ["", *(f"- {row.precision}: {'; '.join(row.verdicts())}" for row in rows)]
    return "\n".join(lines) + "\n"


def run(sizes: tuple[str, str], rounds: int, *, reference: bool) -> list[Row]:
    """Measure both precisions."""
    network = NETWORKS[STYLE]
    system: Any = network.build()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        torch.save(system, folder / "network.pt")
        for size in sizes:
            torch.save(network.picture(*pixels(size)), folder / f"{size}.pt")
        if reference:
            print("the reference", flush=True)
            torch.save(run_layerwise(system.layers, torch.load(folder / f"{sizes[0]}.pt")), folder / "reference.pt")
        rows = []
        for precision in ("exact", "fast"):
            print(precision, flush=True)
            rows.append(measure(folder, precision, sizes, rounds))
        return rows


def main(
    worker: Annotated[list[str] | None, typer.Argument(hidden=True)] = None,
    size: Annotated[str, typer.Option(help="Of the large picture.")] = "4320p",
    smaller: Annotated[str, typer.Option(help="Of the picture that runs in one part.")] = "1080p",
    rounds: Annotated[int, typer.Option(min=1, help="Runs of each.")] = 2,
    reference: Annotated[bool, typer.Option(help="Compare with the layer-wise network.")] = True,
    out: Annotated[Path, typer.Option(help="Folder of the report.")] = RESULTS,
) -> None:
    """Measure and write the report, or be a worker."""
    if worker:
        system, picture, result, precision, memory = worker
        work(Path(system), Path(picture), Path(result), precision, int(memory))
        return
    rows = run((size, smaller), rounds, reference=reference)
    machine = Machine.here()
    report = markdown(rows, (size, smaller), machine)
    out.mkdir(parents=True, exist_ok=True)
    (out / "large.md").write_text(report, encoding="utf-8")
    found = {"machine": asdict(machine), "size": pixels(size), "rows": [asdict(row) for row in rows]}
    (out / "large.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    print(report)


if __name__ == "__main__":
    typer.run(main)
