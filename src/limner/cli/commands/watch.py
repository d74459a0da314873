"""`limner watch`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from limner.cli.options import Json, unset

_Run = Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a run, at work or not: runs/NAME.")]
_Output = Annotated[
    Path | None, unset("FILE", "The page of HTML. Without it: watch.html in the folder of the run.", "--output", "-o")
]
_Once = Annotated[bool, typer.Option("--once", help="Say how it is now, write the page, and end.")]
_Every = Annotated[float, typer.Option("--every", min=0.2, metavar="SECONDS", help="Between two looks.")]


@dataclass(frozen=True, kw_only=True)
class Options:
    """Show a run in the terminal, and on a page.

    The page has its curves, samples and warnings. Ctrl-C ends the watching.

    Examples:
        limner watch runs/pix2pix
        limner watch runs/pix2pix --once -o board.html
        limner watch runs/pix2pix --json
    """

    run: _Run
    output: _Output = None
    once: _Once = False
    every: _Every = 5.0
    as_json: Json = False
