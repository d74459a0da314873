"""`limner models`."""

from dataclasses import dataclass
from typing import Annotated

import typer

from limner.cli.options import Json

_Long = Annotated[bool, typer.Option("--long", help="With presets, papers, licences and figures.")]


@dataclass(frozen=True, kw_only=True)
class Options:
    """List the systems and the models that are built in.

    Examples:
        limner models
        limner models --long
        limner models --json
    """

    long: _Long = False
    as_json: Json = False
