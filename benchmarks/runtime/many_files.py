"""How many photos a second a command makes of a folder, beside one command a photo.

`python -m benchmarks.runtime.many_files` writes benchmarks/results/many_files.md and .json. The photos are cut out of
those that come with Limner, or of those in a folder that is named, at sizes as photos have on pages. In each round one
command works through the folder, as it does and held to one photo at a time by `--threads`, and some photos have a
command each. Results of the folder must be those of the commands, byte by byte.
"""

import itertools
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from PIL import Image as PillowImage

from benchmarks.runtime.cold_start import ran

DEMO = Path(__file__).parents[2] / "src" / "limner" / "demo"
COMMANDS = {"upscale": ["upscale"], "stylize": ["stylize", "--style", "great-wave"]}
SIZES = ((512, 384), (384, 512), (512, 341), (512, 384), (512, 288), (384, 512))
"""Width and height of the photos, by turns."""
ALONE, ONE_BY_ONE, FOLDER = "one command a photo", "a folder, one photo at a time", "a folder"
AIM = 1.8
_STEP = 37  # pixels between the corners of photos that are cut out of one; no divisor of what is left over


def cut(source: Path, folder: Path, count: int) -> list[Path]:
    """Photos for the benchmark, as JPEG.

    Args:
        source: A folder of photos.
        folder: Where they are written.
        count: How many.

    Raises:
        ValueError: If the source has no photo of 512x512 pixels or more.
    """
    large: list[PillowImage.Image] = []
    for path in sorted(source.iterdir()):
        if path.suffix in (".jpg", ".jpeg", ".png", ".webp"):
            with PillowImage.open(path) as opened:
                if min(opened.size) >= max(SIZES[0]):
                    large.append(opened.convert("RGB"))
    if not large:
        raise ValueError(f"{source} must hold a photo of 512x512 pixels or more, got none: name another folder")
    made = []
    for number, photo, (width, height) in zip(
        range(count), itertools.cycle(large), itertools.cycle(SIZES), strict=False
    ):
        left, top = (_STEP * number % (side - one + 1) for side, one in zip(photo.size, (width, height), strict=True))
        made.append(folder / f"{number:03}.jpg")
        photo.crop((left, top, left + width, top + height)).save(made[-1], quality=92)
    return made


def one_round(command: Sequence[str], photos: Sequence[Path], alone: int, place: Path) -> dict[str, dict[str, float]]:
    """Seconds and seconds of processors a photo, in each way; MiB at the peak.

    Raises:
        ValueError: If a photo of the folder is not what a command of its own makes of it.
    """
    limner = [sys.executable, "-m", "limner", *command]
    found = {}
    by_way = {FOLDER: [], ONE_BY_ONE: ["--threads", str(os.cpu_count())]}
    for way, options in by_way.items():
        one = ran([*limner, str(photos[0].parent), "--output", str(place / way), "--force", *options])
        found[way] = _each([one], len(photos))
    chosen = photos[:: max(1, len(photos) // alone)][:alone]
    runs = [ran([*limner, str(photo), "--output", str(place / ALONE / photo.name), "--force"]) for photo in chosen]
    for photo in chosen:
        made = (place / ALONE / photo.name).read_bytes()
        for way in by_way:
            if made not in [path.read_bytes() for path in (place / way).glob(f"{photo.stem}*")]:
                raise ValueError(f"{photo.name}: {way} has not made what a command of its own makes")
    return found | {ALONE: _each(runs, alone)}


def _each(runs: Sequence[Any], count: int) -> dict[str, float]:
    seconds, cpu_seconds = (sum(getattr(one, name) for one in runs) / count for name in ("seconds", "cpu_seconds"))
    return {"seconds": seconds, "cpu_seconds": cpu_seconds, "peak_mib": max(one.peak for one in runs)}


def summary(rounds: Sequence[dict[str, dict[str, float]]]) -> dict[str, dict[str, float]]:
    """Medians over the rounds, and of how many times faster than a command a photo each way was in a round."""
    made = {}
    for way in rounds[0]:
        made[way] = {name: statistics.median(one[way][name] for one in rounds) for name in rounds[0][way]}
        for name in ("seconds", "cpu_seconds"):
            ratios = [one[ALONE][name] / one[way][name] for one in rounds if one[way][name]]
            made[way][f"times_{name}"] = statistics.median(ratios) if ratios else 0.0
    return made


def report(found: dict[str, Any], machine: Any) -> Iterator[str]:
    """The lines of the report."""
    yield f"# {found['count']} photos of 512 pixels: a folder beside one command a photo"
    yield from ("", f"{machine.setting}. Made by `{found['command']}`.", "")
    yield f"Rounds in which the ways take turns, and of which these are medians: {found['rounds']}. The start and the"
    yield "end of processes count."
    yield f"{found['alone']} photos have a command each in a round; what it writes is what the folder's command writes."
    yield "*One photo at a time* still reads and writes others beside it. Where other programs use the machine, seconds"
    yield "depend on them, and seconds of processors less so."
    for name, ways in found["commands"].items():
        times = ways[FOLDER]["times_seconds"]
        met = "met" if times >= AIM else "**missed**"
        yield from ("", f"## {name}", "", f"{times:.1f} times the photos; aim {AIM}: {met}.", "")
        yield "| way | seconds a photo | times faster | processor seconds a photo | times fewer | MiB at the peak |"
        yield "|---|---|---|---|---|---|"
        for way in (ALONE, ONE_BY_ONE, FOLDER):
            one = ways[way]
            yield (
                f"| {way} | {one['seconds']:.3f} | {one['times_seconds']:.1f} | {one['cpu_seconds']:.3f} | "
                f"{one['times_cpu_seconds']:.1f} | {one['peak_mib']:.0f} |"
            )


def main(
    rounds: Annotated[int, typer.Option(min=1, help="Rounds, each with a folder of all photos.")] = 3,
    count: Annotated[int, typer.Option(min=2, help="Photos in the folder.")] = 200,
    alone: Annotated[int, typer.Option(min=1, help="Photos that have a command each, in a round.")] = 8,
    photos: Annotated[Path, typer.Option(help="Folder of photos that others are cut out of.")] = DEMO,
    out: Annotated[Path | None, typer.Option(help="Folder of the report.")] = None,
) -> None:
    """Measure and write the report."""
    measured = {}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place, "photos")
        folder.mkdir()
        cut_out = cut(photos, folder, count)
        turns: dict[str, list[dict[str, dict[str, float]]]] = {name: [] for name in COMMANDS}
        for _ in range(rounds):
            for name, command in COMMANDS.items():
                turns[name].append(one_round(command, cut_out, min(alone, count), Path(place, name)))
        measured = {name: summary(found) for name, found in turns.items()}
    from benchmarks.runtime.reports import RESULTS, publish  # torch, which what this process holds would count with
    from limner.processor import Machine

    machine = Machine.here()
    found = {
        "machine": asdict(machine),
        "command": f"python -m benchmarks.runtime.many_files --rounds {rounds} --count {count} --alone {alone}",
        "count": count,
        "alone": min(alone, count),
        "rounds": rounds,
        "commands": measured,
    }
    publish("many_files", found, report(found, machine), out or RESULTS)


if __name__ == "__main__":
    typer.run(main)
