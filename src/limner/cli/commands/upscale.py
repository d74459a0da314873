"""`limner upscale`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from limner.arguments import LEAST_TILE
from limner.cli.options import (
    Backend,
    ComputeOptions,
    Crf,
    ManyOptions,
    MaxPixels,
    On,
    name_option,
    output_option,
    unset,
)

_Photos = Annotated[
    list[Path], typer.Argument(metavar="PHOTO", help="Photos and videos, patterns such as '*.jpg', folders of photos.")
]
_Output = Annotated[str | None, output_option("FILE|FOLDER", "beside the photo, as photo_x2.jpg.")]
_Scale = Annotated[
    float | None,
    unset("X", "Above 1, at most 16, such as 1.5: sides times X, rounded. Without it: 2, or what the model can."),
]
_Model = Annotated[
    str,
    typer.Option(
        metavar="NAME|FILE",
        help="See limner models; auto takes the best; photo takes those for blurred, noisy and compressed photos.",
    ),
]
_Tile = Annotated[
    int | None, typer.Option(min=LEAST_TILE, metavar="N", help="Side of a tile in pixels: smaller takes less memory.")
]
_Name = Annotated[
    str | None, name_option("{stem}_x{scale}, with _{model} where --model is given", "{stem}, {scale} and {model}")
]
_Compare = Annotated[bool, typer.Option("--compare", help="Also write a before/after picture, photo_x2_compare.png.")]
_Explain = Annotated[
    bool, typer.Option("--explain", help="Say how each photo is cut to fit into the memory, and what that costs.")
]
_Verify = Annotated[bool, typer.Option("--verify", help="Compare parts with the whole on the middle of each photo.")]
_Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Say in the end how long it took and what memory.")]


@dataclass(frozen=True, kw_only=True)
class Options(ComputeOptions, ManyOptions):
    """Enlarge photos and videos, by any factor up to 16.

    Colour, transparency, 16 bits, profile and metadata stay; of videos audio, frame times and colour tags.
    Existing files are never replaced without --force.

    Examples:
        limner upscale photo.jpg --scale 4
        limner upscale photos/ --output large/ --format png
        limner upscale clip.mp4 --crf 20
    """

    photos: _Photos
    output: _Output = None
    name: _Name = None
    scale: _Scale = None
    model: _Model = "auto"
    backend: Backend = "auto"
    tile: _Tile = None
    crf: Crf = None
    max_pixels: MaxPixels = "178956970"
    on: On = None
    compare: _Compare = False
    explain: _Explain = False
    verify: _Verify = False
    verbose: _Verbose = False
