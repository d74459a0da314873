"""One photo in many styles, a forward pass each.

`python -m limner.experiments.one_pass --output sheet.jpg` (Dumoulin et al. 2017, figure 1); with `--style FILE` of
pictures that no network was trained for, by AdaIN (Huang and Belongie 2017, figure 4).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import torch
import typer

from limner.experiments.command import begin, finish, opened, run_program, tell
from limner.experiments.options import PHOTO, Output, Photo, Size, Threads
from limner.media.contact_sheet import Panel
from limner.types import Image
from limner.verbs.stylize.network_painter import shown_styles
from limner.verbs.stylize.stylize import stylize

_Styles = Annotated[
    list[str] | None, typer.Option("--style", metavar="NAME|FILE", help="Repeatable.", show_default="all by name")
]
_Model = Annotated[str | None, typer.Option(metavar="NAME|FILE", help="Another network.")]
_Columns = Annotated[int, typer.Option(min=1, metavar="N", help="Of pictures.")]


def sheet(photo: Image, styles: Sequence[str], model: str | None = None) -> list[Panel]:
    """A photo, and itself in each style."""
    panels = [Panel("the photo", photo)]
    for name in styles:
        painted = stylize(photo, name, model=model, size="photo")
        assert isinstance(painted, torch.Tensor)
        panels.append(Panel(Path(name).stem, painted))
        tell(panels[-1].label)
    return panels


def main(
    output: Output = Path("one_pass.jpg"),
    photo: Photo = PHOTO,
    styles: _Styles = None,
    model: _Model = None,
    size: Size = 256,
    columns: _Columns = 5,
    threads: Threads = None,
) -> None:
    """Write the sheet."""
    begin(threads)
    finish(output, sheet(opened(photo, size), styles or list(shown_styles()), model), columns)


if __name__ == "__main__":
    run_program(main)
