"""`limner upscale`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from limner.cli.options import Device, Force, Json, Precision

_Photos = Annotated[list[Path], typer.Argument(metavar="PHOTO", help="Files, patterns such as '*.jpg', folders.")]
_Output = Annotated[
    str | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE|FOLDER",
        help="Without it: beside the photo, as photo_x2.jpg.",
        show_default=False,
    ),
]
_Scale = Annotated[
    int | None, typer.Option(metavar="2|3|4", help="Without it: 2, or what the model can.", show_default=False)
]
_Model = Annotated[str, typer.Option(metavar="NAME|FILE", help="See limner models; auto takes the best.")]
_Tile = Annotated[
    int | None, typer.Option(min=16, metavar="N", help="Side of a tile in pixels: smaller takes less memory.")
]
_Quality = Annotated[
    int | None, typer.Option(min=1, max=100, metavar="1-100", help="Of JPEG (default 95), WebP and AVIF.")
]
_Format = Annotated[
    Literal["png", "jpg", "webp", "tif", "bmp", "avif"] | None,
    typer.Option(help="Without it: that of the photo.", show_default=False),
]
_MaxPixels = Annotated[
    str, typer.Option(metavar="N|none", help="Refuse larger photos before they are decoded; none lifts the limit.")
]
_Recursive = Annotated[bool, typer.Option("--recursive", "-r", help="Search the subfolders of folders too.")]
_Compare = Annotated[bool, typer.Option("--compare", help="Also write a before/after picture, photo_compare.png.")]
_Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Say in the end how long it took and what memory.")]


def upscale(
    photos: _Photos,
    output: _Output = None,
    scale: _Scale = None,
    model: _Model = "auto",
    device: Device = "auto",
    precision: Precision = "fast",
    tile: _Tile = None,
    quality: _Quality = None,
    format: _Format = None,
    max_pixels: _MaxPixels = "178956970",
    force: Force = False,
    recursive: _Recursive = False,
    compare: _Compare = False,
    as_json: Json = False,
    verbose: _Verbose = False,
) -> None:
    """Enlarge photos two, three or four times.

    Colour, transparency, 16 bits, profile and metadata stay. Existing files are never replaced without --force.
    """
    from limner.cli.inputs import find_pictures

    found = find_pictures(photos, recursive=recursive)
    from limner.cli.enlarging import Enlarging, Options

    options = Options(output, scale, model, device, precision, tile, quality, format, max_pixels, force, compare)
    Enlarging(options, found).run(as_json=as_json, verbose=verbose)
