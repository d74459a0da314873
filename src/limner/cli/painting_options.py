"""Options of the commands that paint photos and videos in a style."""

from pathlib import Path
from typing import Annotated, Literal

import typer

Styles = Annotated[
    list[str] | None,
    typer.Option(
        "--style",
        "-s",
        metavar="NAME|FILE[:WEIGHT]",
        help="A style of limner stylize --list, or a picture in the style that is wanted. Repeatable, with weights.",
        show_default=False,
    ),
]
Method = Annotated[
    Literal["auto", "fast", "adain", "gatys"],
    typer.Option(
        help="fast: in one pass, the styles of limner stylize --list or of --model; adain: in one pass, any picture; "
        "gatys: by optimisation, any picture, slow and best; auto: the first of these that is there and can."
    ),
]
Model = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        help="For fast: what limner train fast-style wrote, or limner train texture-network --preset style. "
        "For adain: what limner train adain wrote.",
        show_default=False,
    ),
]
GatysPreset = Annotated[
    Literal["modern", "paper"] | None,
    typer.Option("--preset", help="For gatys: modern, or as it was published, and slow.", show_default=False),
]


def weighted(text: str) -> tuple[str, float]:
    """`wave.jpg:0.3` -> the file or the name, and its weight; a name that is a file as it stands has weight 1."""
    name, colon, weight = text.rpartition(":")
    if not colon or Path(text).exists():
        return text, 1.0
    try:
        return name, float(weight)
    except ValueError:
        return text, 1.0
