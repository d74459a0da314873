"""A 7680x4320 picture through a style network with instance norm: peak memory, cost a pixel, exactness.

`python -m benchmarks.runtime.large` writes benchmarks/results/large.md and .json. It takes some minutes, and 10 GB for
the reference: the same network layer by layer, which shares nothing with Limner's runtime.
"""

import json
import math
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from torch import Tensor

from benchmarks.runtime.layerwise import run_layerwise
from benchmarks.runtime.measuring import pixels
from benchmarks.runtime.networks import NETWORKS
from benchmarks.runtime.reports import RESULTS
from benchmarks.runtime.runtime import STYLE
from benchmarks.runtime.workers import Worker, forget_peak, serve
from limner.memory import free_bytes, peak_bytes
from limner.processor import Machine
from limner.runtime.allocator import keep_freed_memory
from limner.runtime.operators import Region
from limner.runtime.run_options import RunOptions
from limner.runtime.runner import Runner

LIMIT = 2 * 10**9
"""Bytes that the whole process may hold."""
AIM = 1.6
"""Times the cost of the picture in one part."""
_WHOLE = 2**36  # bytes: enough for any picture here to run in one part
_WHOLE_BYTES = 650  # of memory that a pixel takes in one part


@dataclass(frozen=True)
class Row:
    """The large picture in one precision.

    Attributes:
        precision: `exact` or `fast`.
        seconds: The median of its runs in parts.
        peak_mib: The most memory that the process held.
        whole_seconds: The same for the picture in one part; NaN if this machine cannot hold that.
        whole_peak_mib: The same.
        times_whole: In parts over whole.
        times_warm: The cost of a pixel over that of the smaller picture in one part, in a process that ran before.
        max_difference: From the reference; NaN if that was not asked for.
        decibels: PSNR to the reference, with its range as the peak.
    """

    precision: str
    seconds: float
    peak_mib: float
    whole_seconds: float
    whole_peak_mib: float
    times_whole: float
    times_warm: float
    max_difference: float
    decibels: float

    def verdicts(self) -> Iterator[str]:
        """What is aimed at, and whether it is reached."""
        for name, times in (("the same picture whole", self.times_whole), ("a pixel of the warm one", self.times_warm)):
            if not math.isnan(times):
                yield f"{times:.2f} times the cost of {name}, {'at most' if times <= AIM else '**above**'} {AIM}"
        yield f"peak memory {'below' if self.peak_mib * 2**20 < LIMIT else '**not** below'} {LIMIT / 1e9:.0f} GB"
        if self.precision == "exact" and not math.isnan(self.max_difference):
            yield f"largest difference {'at most' if self.max_difference <= 1e-4 else '**above**'} 1e-4"


class Rows:
    """A picture that is read from a file of its rows, 8-bit RGB, as it is needed."""

    def __init__(self, path: Path, height: int, width: int) -> None:
        self.path, self.shape = path, (1, 3, height, width)

    def read(self, region: Region) -> Tensor:
        """A part, in [0, 1]."""
        rows, columns = region
        row = self.shape[-1] * 3
        data = np.fromfile(self.path, np.uint8, rows.length * row, offset=rows.start * row)
        part = data.reshape(rows.length, -1, 3)[:, columns.start : columns.stop]
        return torch.from_numpy(part).permute(2, 0, 1)[None].float().div_(255)


def write_rows(path: Path, picture: Tensor) -> Tensor:
    """Write a picture as `Rows` reads it, and give back what is written."""
    pixels = picture.mul(255).round_().to(torch.uint8)
    pixels[0].permute(1, 2, 0).contiguous().numpy().tofile(path)
    return pixels.float().div_(255)


def work(system: Path, picture: Path, size: str, result: Path, precision: str, memory: int) -> None:
    """Be a worker: run the picture each time that it is asked, part by part from file to files."""
    keep_freed_memory(large_blocks=memory == _WHOLE)  # as the command line does
    network = torch.load(system, weights_only=False)  # written by this run
    runner = Runner(network, RunOptions(device="cpu", precision=precision, memory=memory))  # type: ignore[arg-type]

    def answer(_: object) -> dict[str, Any]:
        shutil.rmtree(result, ignore_errors=True)  # the next run may cut other parts
        result.mkdir()
        forget_peak()
        started = time.perf_counter()
        for region, part in runner.parts(Rows(picture, *pixels(size))):
            torch.save(part.float(), result / f"{region.rows.start} {region.columns.start}")
        seconds, peak = time.perf_counter() - started, peak_bytes()
        return {"seconds": seconds, "peak_mib": peak / 2**20}

    serve(answer)


def measure(folder: Path, precision: str, sizes: tuple[str, str], rounds: int) -> Row:
    """The large picture in parts and whole, each in a fresh process, and a smaller one in a process that is warm."""
    larger, smaller = sizes
    fits = free_bytes() > math.prod(pixels(larger)) * _WHOLE_BYTES

    def worker(size: str, memory: int) -> Worker:
        files = (folder / "network.pt", folder / size, size, folder / f"{size} {precision}")
        return Worker(Path(__file__), *map(str, files), precision, str(memory))

    turns = []
    with worker(smaller, _WHOLE) as small:
        small.wait()
        small.ask()  # warms up
        for _ in range(rounds):
            found = {"warm": small.ask()}
            for name, memory in (("whole", _WHOLE), ("parts", LIMIT)):
                if name == "parts" or fits:
                    with worker(larger, memory) as fresh:
                        fresh.wait()
                        found[name] = fresh.ask()
            turns.append(found)

    def median(figure: Callable[[dict[str, dict[str, float]]], float]) -> float:
        return statistics.median(figure(turn) for turn in turns)

    grown = math.prod(pixels(larger)) / math.prod(pixels(smaller))
    made, reference = folder / f"{larger} {precision}", folder / "reference.pt"
    difference, decibels = agreement(reference, made) if reference.exists() else (math.nan, math.nan)
    return Row(
        precision=precision,
        seconds=median(lambda turn: turn["parts"]["seconds"]),
        peak_mib=max(turn["parts"]["peak_mib"] for turn in turns),
        whole_seconds=median(lambda turn: turn["whole"]["seconds"]) if fits else math.nan,
        whole_peak_mib=max(turn["whole"]["peak_mib"] for turn in turns) if fits else math.nan,
        times_whole=median(lambda turn: turn["parts"]["seconds"] / turn["whole"]["seconds"]) if fits else math.nan,
        times_warm=median(lambda turn: turn["parts"]["seconds"] / turn["warm"]["seconds"] / grown),
        max_difference=difference,
        decibels=decibels,
    )


def agreement(reference: Path, parts: Path) -> tuple[float, float]:
    """The largest difference of a picture and the parts in a folder, and PSNR with the picture's range as peak."""
    whole = torch.load(reference, mmap=True)
    largest, total, compared = 0.0, 0.0, 0
    for path in parts.iterdir():
        part, (top, left) = torch.load(path), map(int, path.name.split())
        band = whole[..., top : top + part.shape[-2], left : left + part.shape[-1]].double() - part.double()
        compared += band.numel()
        largest, total = max(largest, band.abs().max().item()), total + band.square().sum().item()
    if compared != whole.numel():
        raise ValueError(f"{compared} of {whole.numel()} values were made")
    peak = (whole.max() - whole.min()).item()
    return largest, 10 * math.log10(peak**2 * whole.numel() / total) if total else math.inf


def markdown(rows: list[Row], sizes: tuple[str, str], machine: Machine) -> str:
    """The report."""
    larger, smaller = ("{1}x{0}".format(*pixels(size)) for size in sizes)
    lines = [
        f"# {larger} through a style network with instance norm",
        "",
        f"{machine.setting}.",
        "Made by `python -m benchmarks.runtime.large`.",
        "",
        f"The process may hold {LIMIT / 1e9:.0f} GB; the picture is read from a file and the result written to others,",
        "part by part. It is compared with the same picture in one part, each in a process that is begun for it, as a",
        f"command is; and its cost of a pixel with that of {smaller} in one part in a process that has run it before,",
        "so that its memory is at hand. The reference is the same network in float32, run layer by layer by plain",
        "torch, every layer on the whole picture; all pixels are compared.",
        "",
        "| precision | seconds | peak memory, MiB | whole: seconds | whole: MiB | times whole "
        "| times a warm pixel | largest difference | dB |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row.precision} | {row.seconds:.1f} | {row.peak_mib:.0f} | {row.whole_seconds:.1f} "
        f"| {row.whole_peak_mib:.0f} | {row.times_whole:.2f} | {row.times_warm:.2f} "
        f"| {row.max_difference:.1e} | {row.decibels:.1f} |"
        for row in rows
    ]
    lines += ["", *(f"- {row.precision}: {'; '.join(row.verdicts())}" for row in rows)]
    return "\n".join(lines) + "\n"


def plain(row: Row) -> dict[str, Any]:
    """As JSON holds it: what was not measured is null."""
    return {key: None if value != value else value for key, value in asdict(row).items()}


def run(sizes: tuple[str, str], rounds: int, *, reference: bool) -> list[Row]:
    """Measure both precisions."""
    network = NETWORKS[STYLE]
    system: Any = network.build()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        torch.save(system, folder / "network.pt")
        pictures = [write_rows(folder / size, network.picture(*pixels(size))) for size in sizes]
        if reference:
            print("the reference", flush=True)
            torch.save(run_layerwise(system.layers, pictures[0]), folder / "reference.pt")
        del pictures
        rows = []
        for precision in ("exact", "fast"):
            print(precision, flush=True)
            rows.append(measure(folder, precision, sizes, rounds))
        return rows


def main(
    worker: Annotated[list[str] | None, typer.Argument(hidden=True)] = None,
    size: Annotated[str, typer.Option(help="Of the large picture.")] = "4320p",
    smaller: Annotated[str, typer.Option(help="Of the picture that runs in one part.")] = "1080p",
    rounds: Annotated[int, typer.Option(min=1, help="Runs of each.")] = 1,
    reference: Annotated[bool, typer.Option(help="Compare with the layer-wise network.")] = True,
    out: Annotated[Path, typer.Option(help="Folder of the report.")] = RESULTS,
) -> None:
    """Measure and write the report, or be a worker."""
    if worker:
        system, picture, named, result, precision, memory = worker
        work(Path(system), Path(picture), named, Path(result), precision, int(memory))
        return
    rows = run((size, smaller), rounds, reference=reference)
    machine = Machine.here()
    report = markdown(rows, (size, smaller), machine)
    out.mkdir(parents=True, exist_ok=True)
    (out / "large.md").write_text(report, encoding="utf-8")
    found = {"machine": asdict(machine), "size": pixels(size), "rows": [plain(row) for row in rows]}
    (out / "large.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    print(report)


if __name__ == "__main__":
    typer.run(main)
