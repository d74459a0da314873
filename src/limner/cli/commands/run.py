"""`limner run`."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from limner.cli.options import MaxPixels, Precision, ResultOptions, output_option, unset

_File = Annotated[
    Path, typer.Argument(metavar="FILE", help="What limner export wrote, or an .onnx from pictures to pictures.")
]
_Output = Annotated[str | None, output_option("FILE|FOLDER", "beside the photo, as photo_x2.jpg or photo_FILE.jpg.")]
_Scale = Annotated[int | None, unset("2|3|4", "For a network that enlarges; without it what it can.")]
_Photo = Annotated[
    Path | None, typer.Argument(metavar="PHOTO", help="For a network that takes one.", show_default=False)
]
_Inputs = Annotated[
    list[str],
    unset(
        "NAME=VALUE",
        "What the network takes beside a photo: digit=3, view=0.5,1 or labels=map.png; may be repeated.",
        "--input",
    ),
]
_Trust = Annotated[
    bool, typer.Option("--trust", help="Run a TorchScript file: it is a program, and can do more than compute.")
]
_Seed = Annotated[int, typer.Option(metavar="N", min=0, help="Of the noise and the latents that are not given.")]


@dataclass(frozen=True, kw_only=True)
class Options(ResultOptions):
    """Use an exported network on a photo, or from chance.

    A network that enlarges gives what limner upscale gives. Only OpenVINO has bfloat16 here; the others run in float32.
    """

    file: _File
    photo: _Photo = None
    output: _Output = None
    scale: _Scale = None
    inputs: _Inputs = field(default_factory=list)
    seed: _Seed = 0
    precision: Precision = "fast"
    max_pixels: MaxPixels = "178956970"
    trust: _Trust = False
