"""`limner demo`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from limner.cli.options import Device, DryRun, Json

_Output = Annotated[
    Path, typer.Option("--output", "-o", metavar="FOLDER", help="Folder; what an earlier demo wrote there is replaced.")
]


@dataclass(frozen=True, kw_only=True)
class Options:
    """Enlarge the packaged photo and show before and after.

    Examples:
        limner demo
        limner demo --output shown/
        limner demo --device cpu --json
    """

    output: _Output = Path("limner-demo")
    device: Device = "auto"
    dry_run: DryRun = False
    as_json: Json = False
