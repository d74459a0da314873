"""`limner demo`."""

from pathlib import Path
from typing import Annotated

import typer

from limner.cli.options import Device


def demo(
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="FOLDER", help="Folder; what an earlier demo wrote there is replaced."),
    ] = Path("limner-demo"),
    device: Device = "auto",
) -> None:
    """Enlarge the packaged photo and show before and after."""
    from limner.cli.work.demo import demonstrate

    for line in demonstrate(output, device):
        print(line, flush=True)
