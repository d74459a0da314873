"""How long `limner check` takes for many files: `python -m benchmarks.data.check`.

It makes the files, JPEG of smooth noise with a few that are there twice, reads all, reads all again with what it has
kept, and writes the seconds to results/check.json and .md.
"""

import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from PIL import Image as PillowImage

from benchmarks.runtime.reports import RESULTS, made_by, publish
from limner.inspection.reading import kept_at
from limner.processor import Machine
from limner.training.check import check

AIM = 60.0
"""Seconds for 10,000 files on two cores."""
_TWICE = 100  # of how many files one is there twice


def make_files(folder: Path, number: int, side: int) -> None:
    """Write pictures, each unlike the others but for one of a hundred, which is that before it a little smaller."""
    rng = np.random.default_rng(0)
    image = PillowImage.new("RGB", (side, side))
    for place in range(number):
        path = folder / f"{place // 1000:03}" / f"{place:06}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        if place % _TWICE == _TWICE - 1:
            image.resize((side * 3 // 4, side * 3 // 4)).save(path, quality=85)
            continue
        coarse = PillowImage.fromarray(rng.integers(0, 256, (12, 12, 3), dtype=np.uint8))
        image = coarse.resize((side, side), PillowImage.Resampling.BICUBIC)
        image.save(path, quality=90)


def measure(folder: Path, num_workers: int) -> dict[str, float]:
    """Seconds of a first look and of a second, and how many near pictures were found."""
    kept_at(folder).unlink(missing_ok=True)
    found: dict[str, float] = {}
    for name in ("first", "again"):
        started, worked = time.perf_counter(), _worked()
        inspection = check(folder, num_workers=num_workers)
        found[name] = time.perf_counter() - started
        found[f"{name} worked"] = _worked() - worked
    found["near"] = sum(len(one.groups) for one in inspection.findings if one.kind == "near-duplicates")
    kept_at(folder).unlink(missing_ok=True)
    return found


def _worked() -> float:
    """Seconds of all cores that this process and those that it has begun and ended have worked."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def report(found: dict[str, Any]) -> Iterator[str]:
    """The lines of the report."""
    yield from ("# A check of many files", "", made_by(found), "")
    seconds, number = found["seconds"], found["files"]
    yield f"{number:,} JPEG of {found['side']}x{found['side']} pixels, read whole by {found['workers']} processes."
    yield from ("", "| look | seconds | files a second | seconds of one core |", "|---|---|---|---|")
    for name in ("first", "again"):
        worked = seconds[f"{name} worked"]
        yield f"| {name} | {seconds[name]:.1f} | {number / seconds[name]:,.0f} | {worked:.1f} |"
    yield from (
        "",
        f"{seconds['near']:.0f} of {number // _TWICE:,} planted pictures that are nearly another were found.",
    )
    if number >= 10_000:
        yield from ("", f"Aim: {AIM:g} seconds: {'met' if seconds['first'] < AIM else '**missed**'}.")


def main(
    files: Annotated[int, typer.Option(min=100)] = 10_000,
    side: Annotated[int, typer.Option(min=32, help="Of the pictures, in pixels.")] = 256,
    workers: Annotated[int, typer.Option(min=0)] = os.cpu_count() or 1,
    out: Annotated[Path, typer.Option(help="Folder of the report.")] = RESULTS,
) -> None:
    """Make the files, measure, and write the report."""
    with tempfile.TemporaryDirectory() as folder:
        make_files(Path(folder), files, side)
        seconds = measure(Path(folder), workers)
    found = {
        "machine": asdict(Machine.here()),
        "command": "python -m benchmarks.data.check",
        "files": files,
        "side": side,
        "workers": workers,
        "seconds": seconds,
    }
    publish("check", found, report(found), out)


if __name__ == "__main__":
    typer.run(main)
