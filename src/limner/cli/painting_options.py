"""Options of the commands that paint photos and videos in a style."""

from typing import Annotated, Literal

import typer

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
