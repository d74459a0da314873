"""What 100,000 pictures in shards take: `python -m benchmarks.data.shards`.

It writes small pictures straight into tar files, draws training samples from them at random places, and from a tenth of
the same pictures in a folder and in shards, each in a process of its own, and writes samples a second and memory to
results/shards.json and .md.
"""

import io
import json
import subprocess
import sys
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
from limner.data.enlargement import EnlargementConfig
from limner.data.sampler import batches
from limner.files.shard_path import unpacked
from limner.memory import peak_bytes
from limner.processor import Machine
from limner.verbs.shard import USUAL_SIZE, File, ShardWriter

_BATCH = 16
_PICTURES = 64  # that differ


def pictures(side: int) -> list[bytes]:
    """JPEG of smooth noise."""
    rng, found = np.random.default_rng(0), []
    for _ in range(_PICTURES):
        coarse = PillowImage.fromarray(rng.integers(0, 256, (12, 12, 3), dtype=np.uint8))
        held = io.BytesIO()
        coarse.resize((side, side), PillowImage.Resampling.BICUBIC).save(held, "JPEG", quality=90)
        found.append(held.getvalue())
    return found


def write_shards(folder: Path, number: int, side: int) -> None:
    """So many pictures in shards."""
    folder.mkdir()
    kinds, writer = pictures(side), ShardWriter(folder, USUAL_SIZE)
    for place in range(number):
        name = f"{place // 1000:03}/{place:06}.jpg"
        writer.write([File(name, name, None, kinds[place % _PICTURES])])
    writer.close()


def write_folder(folder: Path, number: int, side: int) -> None:
    """The same pictures as files."""
    kinds = pictures(side)
    for place in range(number):
        path = folder / f"{place // 1000:03}" / f"{place:06}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(kinds[place % _PICTURES])


def draw(place: Path, samples: int) -> dict[str, float]:
    """Seconds and memory of opening data and of drawing samples from them, in this process."""
    before, started = peak_bytes(), time.perf_counter()
    data = EnlargementConfig(kind="luminance", patch=32, scales=(2,)).load(unpacked(place), memory=2**24)
    opened, after_opening = time.perf_counter(), peak_bytes()
    stream = batches(data, _BATCH, 0)
    for _ in range(samples // _BATCH):
        next(stream)
    drawn = time.perf_counter()
    return {
        "opening": opened - started,
        "rate": samples / (drawn - opened),
        "bytes before": before,
        "bytes opened": after_opening,
        "bytes drawn": peak_bytes(),
    }


def _drawn_alone(place: Path, samples: int, number: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.data.shards", "--only", str(place), "--samples", str(samples)]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found: dict[str, float] = json.loads(told)
    return {"pictures": number, **found}


def report(found: dict[str, Any]) -> Iterator[str]:
    """The lines of the report."""
    yield from ("# Pictures in shards", "", made_by(found), "")
    side = found["side"]
    yield f"JPEG of {side}x{side} pixels; pairs for VDSR, {found['samples']:,} samples, in one process."
    yield from (
        "",
        "| data | pictures | seconds to open | peak memory before, MB | opened, MB | drawn, MB | samples a second |",
        "|---|---|---|---|---|---|---|",
    )
    for name, one in found["measured"].items():
        memory = " | ".join(f"{one[f'bytes {when}'] / 1e6:.0f}" for when in ("before", "opened", "drawn"))
        yield f"| {name} | {one['pictures']:,} | {one['opening']:.1f} | {memory} | {one['rate']:,.0f} |"


def main(
    number: Annotated[int, typer.Option("--pictures", min=1000)] = 100_000,
    side: Annotated[int, typer.Option(min=48, help="Of the pictures, in pixels.")] = 96,
    samples: Annotated[int, typer.Option(min=_BATCH)] = 4096,
    only: Annotated[Path | None, typer.Option(help="Draw from this folder alone, and print the figures.")] = None,
    out: Annotated[Path, typer.Option(help="Folder of the report.")] = RESULTS,
) -> None:
    """Make the pictures, measure, and write the report."""
    if only is not None:
        print(json.dumps(draw(only, samples)))
        return
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        write_shards(place / "many", number, side)
        write_shards(place / "few", number // 10, side)
        write_folder(place / "folder", number // 10, side)
        measured = {
            "shards": _drawn_alone(place / "many", samples, number),
            "shards, a tenth": _drawn_alone(place / "few", samples, number // 10),
            "a folder, a tenth": _drawn_alone(place / "folder", samples, number // 10),
        }
    found = {
        "machine": asdict(Machine.here()),
        "command": "python -m benchmarks.data.shards",
        "side": side,
        "samples": samples,
        "measured": measured,
    }
    publish("shards", found, report(found), out)


if __name__ == "__main__":
    typer.run(main)
