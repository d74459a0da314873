"""`limner info`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from limner.cli.options import Json

_Files = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE|FOLDER",
        help="Pictures, .safetensors weight files, names of limner models, folders of runs or of pictures.",
    ),
]


@dataclass(frozen=True, kw_only=True)
class Options:
    """Say what a picture, a model or a training run is.

    Examples:
        limner info photo.jpg
        limner info edsr-x2
        limner info runs/vdsr --json
    """

    files: _Files
    as_json: Json = False
