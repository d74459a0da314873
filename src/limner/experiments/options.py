"""The options that experiments share, and the pictures that they take by default."""

from pathlib import Path
from typing import Annotated

import typer

from limner.arguments import MOST_THREADS

_PACKAGED = Path(__file__).parents[1] / "demo"
PHOTO = _PACKAGED / "chelsea.jpg"
ASTRONAUT = _PACKAGED / "astronaut.jpg"
PAINTING = _PACKAGED / "starry_night_sky.jpg"

Output = Annotated[
    Path, typer.Option("--output", "-o", metavar="FILE", help="The sheet; one that is there is replaced.")
]
TableBeside = Annotated[Path, typer.Option("--table", metavar="FILE", help="The tables, as Markdown.")]
Photo = Annotated[Path, typer.Option(metavar="FILE", help="Another photo.")]
Painting = Annotated[Path, typer.Option(metavar="FILE", help="Another painting or texture.")]
Size = Annotated[int, typer.Option(min=32, metavar="N", help="The longer side of each picture, in pixels.")]
Steps = Annotated[int | None, typer.Option(min=1, metavar="N", help="Of each picture.", show_default="the preset's")]
Seed = Annotated[int, typer.Option(min=0, metavar="N", help="Of all that is random.")]
Seeds = Annotated[int, typer.Option(min=2, metavar="N", help="Trainings of each kind.")]
Threads = Annotated[
    int | None, typer.Option(min=1, max=MOST_THREADS, metavar="N", help="CPU threads.", show_default="torch's choice")
]
