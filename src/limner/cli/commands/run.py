"""`limner run`."""

from pathlib import Path
from typing import Annotated

import typer

from limner.cli.options import Force, Json, Precision

_File = Annotated[
    Path, typer.Argument(metavar="FILE", help="What limner export wrote, or an .onnx from pictures to pictures.")
]
_Photo = Annotated[Path, typer.Argument(metavar="PHOTO")]
_Output = Annotated[
    str | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE|FOLDER",
        help="Without it: beside the photo, as photo_x2.jpg or photo_FILE.jpg.",
        show_default=False,
    ),
]
_Scale = Annotated[
    int | None,
    typer.Option(metavar="2|3|4", help="For a network that enlarges; without it what it can.", show_default=False),
]
_Inputs = Annotated[
    list[str] | None,
    typer.Option(
        "--input",
        metavar="NAME=VALUE",
        help="What the network takes beside a photo: digit=3, view=0.5,1 or labels=map.png; may be repeated.",
        show_default=False,
    ),
]
_Seed = Annotated[int, typer.Option(metavar="N", min=0, help="Of the noise and the latents that are not given.")]
_MaxPixels = Annotated[
    str, typer.Option(metavar="N|none", help="Refuse a larger photo before it is decoded; none lifts the limit.")
]


def run(
    file: _File,
    photo: _Photo,
    output: _Output = None,
    scale: _Scale = None,
    inputs: _Inputs = None,
    seed: _Seed = 0,
    precision: Precision = "fast",
    max_pixels: _MaxPixels = "178956970",
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Use an exported network on a photo.

    A network that enlarges gives what limner upscale gives. Only OpenVINO has bfloat16 here; the others run in float32.
    """
    from limner.cli.work.run import Running

    running = Running(file, photo, output, scale, precision, max_pixels, force=force)
    running.run(inputs or [], seed, as_json=as_json)
