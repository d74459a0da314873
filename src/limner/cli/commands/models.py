"""`limner models`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from limner.cli.options import Force, Json, unset

_Long = Annotated[bool, typer.Option("--long", help="With presets, papers, licences and figures.")]

_Palette = Annotated[
    str | None,
    unset("NAME|FILE|RUN", "Write the colours of a model's classes as a palette for paint programs (.gpl)."),
]
_Output = Annotated[
    Path | None, unset("FILE", "Where the palette goes. Without it: standard output.", "--output", "-o")
]


@dataclass(frozen=True, kw_only=True)
class Options:
    """List the systems and the models that are built in.

    Examples:
        limner models
        limner models --long
        limner models --palette runs/pix2pix -o palette.gpl
    """

    long: _Long = False
    palette: _Palette = None
    output: _Output = None
    force: Force = False
    as_json: Json = False
