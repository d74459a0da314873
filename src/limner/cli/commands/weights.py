"""`limner weights`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from limner.cli.command import command
from limner.cli.options import Json, unset

app = typer.Typer(
    help="Fetch weights that others publish, for --features.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

_Name = Annotated[str, typer.Argument(metavar="NAME", help="See limner weights list.")]
_To = Annotated[Path | None, unset("FOLDER", "Without it: this system's folder for what is kept.")]


@dataclass(frozen=True, kw_only=True)
class FetchOptions:
    """Fetch a file of weights and print its path.

    It is checked, and kept for the next time. Limner fetches nothing unasked.
    """

    name: _Name
    to: _To = None


@dataclass(frozen=True, kw_only=True)
class ListOptions:
    """List what can be fetched, and what is there."""

    as_json: Json = False


command(app, "fetch", FetchOptions, "limner.cli.work.weights:fetch_weights")
command(app, "list", ListOptions, "limner.cli.work.weights:list_weights")
