"""`limner shard`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from limner.cli.options import Json

_Data = Annotated[Path, typer.Argument(metavar="DATA", help="Folder of the data.")]
_Output = Annotated[
    Path, typer.Option("--output", "-o", metavar="FOLDER", help="For the tar files; it must not be there yet.")
]
_Size = Annotated[str, typer.Option("--size", metavar="SIZE", help="Of a tar file, such as 256MB or 1GB.")]


@dataclass(frozen=True, kw_only=True)
class Options:
    """Write a data set into a few tar files.

    Training draws from them without unpacking: limner train --data FOLDER.

    Examples:
        limner shard photos/ -o shards/
        limner shard photos/ -o shards/ --size 1GB
        limner shard pairs/ -o shards/ --json
    """

    data: _Data
    output: _Output
    size: _Size = "256MB"
    as_json: Json = False
