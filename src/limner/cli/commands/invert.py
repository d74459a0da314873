"""`limner invert`."""

from dataclasses import dataclass
from typing import Annotated, Literal

import typer

from limner.cli.options import FeatureOptions, Output, Photos, name_option

_Layer = Annotated[
    str, typer.Option(metavar="NAME", help="Of VGG-16: relu1_1 keeps nearly all, relu5_1 little. Also conv3_2, pool4.")
]
_Gram = Annotated[bool, typer.Option("--gram", help="Keep the style up to that layer, not the places: Gram matrices.")]
_Name = Annotated[str | None, name_option("{stem}_{layer}", "{stem}, {layer}, {seed}")]
_Size = Annotated[int, typer.Option(min=16, metavar="N", help="The longer side of the result, in pixels.")]
_Prior = Annotated[
    Literal["tv", "dip"],
    typer.Option(help="What keeps it natural. tv: smooth pixels; dip: a network paints it (deep image prior, slower)."),
]


@dataclass(frozen=True, kw_only=True)
class Options(FeatureOptions):
    """Show what a layer of a network knows of a photo.

    A picture is made from noise that looks as the photo does to that layer. Ctrl-C keeps the picture that was reached.

    Examples:
        limner invert photo.jpg --layer relu4_1
        limner invert photo.jpg --layer relu3_1 --gram
        limner invert photos/ --quick --output inverted/
    """

    photos: Photos
    layer: _Layer = "relu4_1"
    output: Output = None
    name: _Name = None
    gram: _Gram = False
    prior: _Prior = "tv"
    size: _Size = 512
    memory: None = None
