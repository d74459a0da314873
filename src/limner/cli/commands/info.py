"""`limner info`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from limner.cli.options import Json

_File = Annotated[
    Path, typer.Argument(metavar="FILE|FOLDER", help="A picture, a .safetensors weight file, or the folder of a run.")
]


@dataclass(frozen=True, kw_only=True)
class Options:
    """Say what a picture, a weight file or a training run is."""

    file: _File
    as_json: Json = False
