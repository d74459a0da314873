"""`limner segment`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer

from limner.cli.options import (
    ComputeOptions,
    Crf,
    MaxPixels,
    On,
    Recursive,
    ResultOptions,
    Resume,
    name_option,
    output_option,
    unset,
)

_Photos = Annotated[
    list[Path], typer.Argument(metavar="PHOTO", help="Photos and videos, patterns such as '*.png', folders of photos.")
]
_Model = Annotated[
    str, typer.Option(metavar="NAME|FILE|RUN", help="See limner models, or what limner train unet wrote.")
]
_Output = Annotated[
    str | None, output_option("FILE|FOLDER", "beside the photo, as photo_classes.png; a video as clip_overlay.mp4.")
]
_Name = Annotated[str | None, name_option("{stem}_classes, and {stem}_overlay for videos", "{stem} and {model}")]
_Overlay = Annotated[bool, typer.Option("--overlay", help="Also write the photo with its classes, photo_overlay.png.")]
_Objects = Annotated[
    bool,
    typer.Option(
        "--objects",
        help="Also number the objects, photo_objects.png of 16 bits, and measure them, photo_objects.csv: class, area, "
        "centroid, mean intensity.",
    ),
]
_Contours = Annotated[
    Literal["svg", "geojson"] | None,
    unset("svg|geojson", "Also write the outlines of the objects, photo_contours.svg.", "--contours"),
]
_LeastArea = Annotated[int, typer.Option("--least-area", min=1, metavar="N", help="Leave out objects of fewer pixels.")]
_Probabilities = Annotated[
    bool,
    typer.Option("--probabilities", help="Also write a page of 32-bit floats for each class, photo_probabilities.tif."),
]
_Views = Annotated[
    bool, typer.Option("--views", help="Take the mean over eight positions of the photo: slower and better.")
]


_Classes = Annotated[
    bool,
    typer.Option("--classes", help="Of a video, also write the classes of each frame as PNG, into clip_classes/."),
]


@dataclass(frozen=True, kw_only=True)
class Options(ComputeOptions, ResultOptions):
    """Tell what each pixel of photos or videos is.

    The result is a PNG with a palette whose numbers are the classes; of a video, the video with its classes over it.
    Photos of any size are run in parts, exactly; those that memory does not hold go from file to file.

    Examples:
        limner segment cells.png --model runs/unet --overlay
        limner segment scans/ --model cells.safetensors --objects --output found/
        limner segment clip.mp4 --model runs/unet --classes
    """

    photos: _Photos
    model: _Model
    output: _Output = None
    name: _Name = None
    overlay: _Overlay = False
    objects: _Objects = False
    contours: _Contours = None
    least_area: _LeastArea = 1
    probabilities: _Probabilities = False
    views: _Views = False
    classes: _Classes = False
    crf: Crf = None
    max_pixels: MaxPixels = "178956970"
    on: On = None
    recursive: Recursive = False
    resume: Resume = False
