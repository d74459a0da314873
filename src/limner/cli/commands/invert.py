"""`limner invert`."""

from dataclasses import dataclass
from typing import Annotated, Literal

import typer

from limner.cli.options import FeatureOptions, Output, Photo

_Layer = Annotated[
    str, typer.Option(metavar="NAME", help="Of VGG-16: relu1_1 keeps nearly all, relu5_1 little. Also conv3_2, pool4.")
]
_Style = Annotated[
    bool, typer.Option("--style", help="Keep the look up to that layer, and not the places (Gram matrices).")
]
_Size = Annotated[int, typer.Option(min=16, metavar="N", help="The longer side of the result, in pixels.")]
_Prior = Annotated[
    Literal["tv", "dip"],
    typer.Option(help="What keeps it natural. tv: smooth pixels; dip: a network paints it (deep image prior, slower)."),
]


@dataclass(frozen=True, kw_only=True)
class Options(FeatureOptions):
    """Show what a layer of a network knows of a photo.

    A picture is made from noise that looks as the photo does to that layer. Ctrl-C keeps the picture that was reached.
    """

    photo: Photo
    layer: _Layer = "relu4_1"
    output: Output = None
    style: _Style = False
    prior: _Prior = "tv"
    size: _Size = 512
    memory: None = None
