"""`limner evaluate`."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import typer

from limner.cli.command import command
from limner.cli.options import Device, ResultOptions, unset

app = typer.Typer(help="Measure models as their papers do.", rich_markup_mode=None)

_Data = Annotated[Path, typer.Option(metavar="FOLDER", help="Folder of benchmark sets (as Set5/HR), or of pictures.")]
_Models = Annotated[
    list[str],
    typer.Option(
        metavar="NAMES|all", help="Names or weight files, repeatable or with commas between; all: the embedded ones."
    ),
]
_Scale = Annotated[list[str], typer.Option(metavar="LIST", help="Enlargements, repeatable or with commas between.")]
_Protocol = Annotated[
    list[str],
    typer.Option(
        metavar="LIST",
        help="sr-y-shave (VDSR's), sr-y-4 (SRGAN's), rgb, photo (with blur, noise, JPEG); repeatable or with commas "
        "between.",
    ),
]
_Limit = Annotated[int | None, unset("N", "Only the first pictures of each set.", min=1)]
_Distance = Annotated[
    bool, typer.Option("--distance", help="Also compare colours as VGG-16 sees them, which takes longer.")
]
_Output = Annotated[
    Path, typer.Option("--output", "-o", metavar="FOLDER", help="Folder for super-resolution.md and .json.")
]
_Precision = Annotated[Literal["fast", "exact"], typer.Option(help="exact: float32; fast: bfloat16 where it pays.")]


@dataclass(frozen=True, kw_only=True)
class Options(ResultOptions):
    """PSNR and SSIM of bicubic and of each model, on each set, at each scale, beside the papers' figures."""

    data: _Data
    models: _Models = field(default_factory=lambda: ["all"])
    scale: _Scale = field(default_factory=lambda: ["2,3,4"])
    protocol: _Protocol = field(default_factory=lambda: ["sr-y-shave"])
    limit: _Limit = None
    distance: _Distance = False
    output: _Output = Path()
    precision: _Precision = "exact"
    device: Device = "auto"


@app.callback()
def _evaluate() -> None:
    pass


command(app, "super-resolution", Options, "limner.cli.work.evaluate:run")
