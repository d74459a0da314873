"""Options of the commands that optimise a picture; `cli.easel` shows it while it grows."""

from pathlib import Path
from typing import Annotated, Literal

import typer

Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="Without it: a name beside the picture.", show_default=False),
]
Size = Annotated[int, typer.Option(min=16, metavar="N", help="The longer side of the result, in pixels.")]
Steps = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="More are better and slower. Without it: the preset's.", show_default=False),
]
Quick = Annotated[bool, typer.Option("--quick", help="A first look in under a minute at 512 pixels.")]
Preset = Annotated[
    Literal["modern", "paper"], typer.Option(help="paper: as it was published, and slow; --set changes either.")
]
Features = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Weights of VGG-16 or VGG-19, .pth or .safetensors.", show_default=False),
]
Seed = Annotated[int, typer.Option(min=0, metavar="N", help="Of all that is random; one seed gives one picture.")]
PreviewEvery = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="N",
        help="Write the picture every N steps to a file beside the result, NAME_preview.png.",
        show_default=False,
    ),
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="FIELD=VALUE", help="A field of the configuration, as JSON. Repeatable.", show_default=False
    ),
]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with the picture of the same name that was stopped.")]
