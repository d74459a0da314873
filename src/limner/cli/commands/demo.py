"""`limner demo`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from limner.cli.options import Device

_Output = Annotated[
    Path, typer.Option("--output", "-o", metavar="FOLDER", help="Folder; what an earlier demo wrote there is replaced.")
]


@dataclass(frozen=True, kw_only=True)
class Options:
    """Enlarge the packaged photo and show before and after."""

    output: _Output = Path("limner-demo")
    device: Device = "auto"
