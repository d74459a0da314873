"""The eyes of a photo, turned by several angles.

`python -m limner.experiments.gazes --output sheet.jpg` (Ganin et al. 2016, figure 6).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from limner.experiments.command import begin, finish, opened, run_program
from limner.experiments.options import ASTRONAUT, Output, Photo, Size, Threads
from limner.media.contact_sheet import Panel
from limner.types import Image
from limner.verbs.redirect import MODEL, Eye, Redirector

ANGLES = (
    (0.0, 0.0), (-10.0, 0.0), (-20.0, 0.0), (10.0, 0.0), (20.0, 0.0),
    (0.0, 10.0), (0.0, -10.0), (15.0, 10.0), (-15.0, 10.0), (15.0, -8.0),
)  # fmt: skip
"""Yaw and pitch, in degrees."""

_Columns = Annotated[int, typer.Option(min=1, metavar="N", help="Of pictures.")]
_Model = Annotated[str, typer.Option(metavar="NAME|FILE", help="Another network.")]


def sheet(photo: Image, redirector: Redirector, angles: Sequence[tuple[float, float]] = ANGLES) -> list[Panel]:
    """What lies around the eyes, at each angle."""
    eyes = redirector.eyes_of(photo)
    top, left, bottom, right = _around(eyes, photo)
    return [
        Panel(f"{yaw:g}, {pitch:g}", redirector.look(photo, eyes, (yaw, pitch))[..., top:bottom, left:right])
        for yaw, pitch in angles
    ]


def _around(eyes: Sequence[Eye], photo: Image) -> tuple[int, int, int, int]:
    """A rectangle around all of them, half as wide again as from the first to the last."""
    x, y = ([float(eye.middle[axis]) for eye in eyes] for axis in (0, 1))
    reach = 0.75 * (max(x) - min(x)) + 2 * max(eye.width for eye in eyes)
    middle = (min(x) + max(x)) / 2, (min(y) + max(y)) / 2
    height, width = photo.shape[-2:]
    top, bottom = max(0, round(middle[1] - reach / 2)), min(height, round(middle[1] + reach / 2))
    return top, max(0, round(middle[0] - reach)), bottom, min(width, round(middle[0] + reach))


def main(
    output: Output = Path("gazes.jpg"),
    photo: Photo = ASTRONAUT,
    model: _Model = MODEL,
    size: Size = 1024,
    columns: _Columns = 5,
    threads: Threads = None,
) -> None:
    """Write the sheet."""
    begin(threads)
    finish(output, sheet(opened(photo, size), Redirector(model, "cpu")), columns)


if __name__ == "__main__":
    run_program(main)
