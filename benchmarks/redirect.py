"""How long eyes take to turn in a photo and in a video of 1080 lines: `python -m benchmarks.redirect`.

The photo is the astronaut of the package in the middle of a plain canvas, the video the same canvas moved by a few
pixels from frame to frame. Both are measured after the start of the program; it writes results/redirect.json and .md.
"""

import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import torch
import torch.nn.functional as F
import typer

from benchmarks.runtime.reports import RESULTS, made_by, publish
from limner.experiments.options import ASTRONAUT
from limner.files.animation import write_animation
from limner.files.image import read_image
from limner.files.visible import visible_tensor
from limner.processor import Machine
from limner.types import Image
from limner.verbs.morph import frames_of
from limner.verbs.redirect import Redirector
from limner.verbs.redirect_video import redirect_video

SECONDS = 0.3
"""For both eyes of a photo, at most."""
FRAMES_A_SECOND = 5.0
"""Of a video, at least."""

_ANGLE = (15.0, 5.0)
_RATE = 25
_SHIFTS = 8  # the video begins anew after so many frames


def scene(shift: int = 0) -> Image:
    """(1, 3, 1080, 1920): the astronaut, 1080 pixels high, on gray."""
    photo = F.interpolate(visible_tensor(read_image(ASTRONAUT)), size=(1080, 1080), mode="bicubic").clamp(0, 1)
    return F.pad(photo, [420 + shift, 420 - shift, 0, 0], value=0.5)


def photo_seconds(repeats: int) -> list[float]:
    """Of finding and turning both eyes, the network being loaded."""
    redirector, photo = Redirector(device="cpu"), scene()
    seconds = []
    for _ in range(repeats + 1):
        begun = time.perf_counter()
        redirector.turned(photo, _ANGLE, None, lambda note: None)
        seconds.append(time.perf_counter() - begun)
    return seconds[1:]


def video_seconds(folder: Path, frames: int) -> float:
    """Of reading, turning and writing a whole video."""
    source = folder / "call.mp4"
    shown = torch.cat([scene(shift) for shift in range(_SHIFTS)])
    pictures = frames_of(shown)
    write_animation(source, [pictures[number % _SHIFTS] for number in range(frames)], rate=_RATE)
    begun = time.perf_counter()
    redirect_video(source, _ANGLE, device="cpu")
    return time.perf_counter() - begun


def report(found: dict[str, Any]) -> Iterator[str]:
    """The lines of the report."""
    yield from ("# Eyes that look elsewhere, at 1920x1080", "", made_by(found), "")
    seconds, rate = statistics.median(found["photo"]), found["frames"] / found["video"]
    yield from ("| what | measured | bar |", "|---|---|---|")
    yield f"| both eyes of a photo, found and turned | {seconds:.3f} s | {SECONDS:g} s |"
    what = f"a video of {found['frames']} frames, read, turned and written"
    yield f"| {what} | {rate:.1f} frames a second | {FRAMES_A_SECOND:g} |"


def main(
    repeats: Annotated[int, typer.Option(min=1)] = 9,
    frames: Annotated[int, typer.Option(min=2)] = 75,
    out: Annotated[Path, typer.Option(help="Folder of the report.")] = RESULTS,
) -> None:
    """Measure, and write the report."""
    with tempfile.TemporaryDirectory() as folder:
        video = video_seconds(Path(folder), frames)
    found = {
        "machine": asdict(Machine.here()),
        "command": "python -m benchmarks.redirect",
        "threads": torch.get_num_threads(),
        "photo": photo_seconds(repeats),
        "frames": frames,
        "video": video,
    }
    publish("redirect", found, report(found), out)


if __name__ == "__main__":
    typer.run(main)
