"""`limner learn-style`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from limner.cli.options import Device, ResultOptions, Resume, Seed

_Painting = Annotated[Path, typer.Argument(metavar="PAINTING", help="A picture.")]
_Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="A .safetensors file for stylize --model. Without it the style is kept, and stylize --style PAINTING "
        "paints in it at once.",
        show_default=False,
    ),
]
_Minutes = Annotated[float, typer.Option(metavar="M", help="Of learning, over all resumptions; more is better.")]
_Size = Annotated[
    int,
    typer.Option(
        min=64,
        metavar="N",
        help="The painting's shorter side in pixels, as it is looked at: more gives broader strokes.",
    ),
]
_Photos = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER", help="Photos that are painted in learning; without it those of Limner.", show_default=False
    ),
]


@dataclass(frozen=True, kw_only=True)
class Options(ResultOptions):
    """Learn the style of a painting in minutes.

    It then paints any photo in one pass, at any size.

    Examples:
        limner learn-style painting.jpg
        limner learn-style painting.jpg --minutes 20 --size 480
        limner learn-style painting.jpg --output mine.safetensors
    """

    painting: _Painting
    output: _Output = None
    minutes: _Minutes = 5.0
    size: _Size = 320
    photos: _Photos = None
    device: Device = "auto"
    seed: Seed = 0
    resume: Resume = False
