"""`limner weights`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from limner.cli.command import command
from limner.cli.options import DryRun, Json, unset

app = typer.Typer(
    help="Fetch weights that others publish, for --features.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

_Name = Annotated[str, typer.Argument(metavar="NAME", help="See limner weights list.")]
_Output = Annotated[
    Path | None, unset("FOLDER", "Without it: this system's folder for what is kept.", "--output", "-o")
]


@dataclass(frozen=True, kw_only=True)
class FetchOptions:
    """Fetch a file of weights and print its path.

    It is checked, and kept for the next time. Limner fetches nothing unasked.

    Examples:
        limner weights fetch vgg19
        limner weights fetch vgg19 --output features/
        limner weights fetch vgg19 --json
    """

    name: _Name
    output: _Output = None
    dry_run: DryRun = False
    as_json: Json = False


@dataclass(frozen=True, kw_only=True)
class ListOptions:
    """List what can be fetched, and what is there.

    Examples:
        limner weights list
        limner weights list --json
        limner weights fetch vgg19
    """

    as_json: Json = False


command(app, "fetch", FetchOptions, "limner.cli.work.weights:fetch_weights")
command(app, "list", ListOptions, "limner.cli.work.weights:list_weights")
