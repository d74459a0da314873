"""Options of the commands that paint photos and videos in a style."""

from typing import Annotated, Literal

import typer

Method = Annotated[
    Literal["auto", "fast", "gatys"],
    typer.Option(
        help="fast: in one pass, the styles of limner stylize --list or of --model; gatys: by optimisation, any "
        "picture; auto: fast where it can be."
    ),
]
Model = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        help="For fast: what limner train fast-style wrote, or limner train texture-network --preset style.",
        show_default=False,
    ),
]
GatysPreset = Annotated[
    Literal["modern", "paper"] | None,
    typer.Option("--preset", help="For gatys: modern, or as it was published, and slow.", show_default=False),
]
