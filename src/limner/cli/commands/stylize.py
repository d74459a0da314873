"""`limner stylize`."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import typer

from limner.arguments import LEAST_TILE
from limner.cli.options import (
    Backend,
    FeatureOptions,
    MaxPixels,
    Method,
    On,
    StyleModel,
    Styles,
    StyleScale,
    name_option,
    output_option,
    unset,
)

_Photos = Annotated[
    list[Path],
    typer.Argument(metavar="PHOTO", help="Photos, patterns such as '*.jpg', folders of photos.", show_default=False),
]
_Output = Annotated[str | None, output_option("FILE|FOLDER", "beside the photo, as photo_great-wave.jpg.")]
_Name = Annotated[
    str | None,
    name_option(
        "{stem}_{style}, with _{model} and _{method} where these are given",
        "{stem}, {style}, {model}, {method}, {seed}",
    ),
]
_List = Annotated[
    bool, typer.Option("--list", help="Write a sheet of the built-in styles to --output, or styles.png, and name them.")
]
_Size = Annotated[
    str | None,
    unset(
        "N|photo",
        "The longer side of the result in pixels; photo: that of the photo. Without it: photo with fast "
        "and adain, 512 with gatys.",
    ),
]
_Stroke = Annotated[
    str,
    typer.Option(
        metavar="X|auto",
        help="In one pass: how many times as wide strokes are; auto: beside the picture as wide as at 512 pixels.",
    ),
]
_Quick = Annotated[
    bool,
    typer.Option(
        "--quick",
        help="Take what paints at once: a new painting is not learnt first. With gatys a first look in under a minute.",
    ),
]
_Strength = Annotated[
    float, typer.Option(metavar="0-1", help="0 is the photo, with adain as its network sees it; 1 the painting.")
]
_KeepColors = Annotated[
    bool,
    typer.Option(
        "--keep-colors",
        help="Keep the photo's colours: any-style and adain give them to the style, others to the result.",
    ),
]
_Tile = Annotated[
    int | None,
    unset("N", "In one pass: side of a tile in pixels; the result is the same.", min=LEAST_TILE),
]
_Masks = Annotated[
    list[Path],
    unset(
        "FILE",
        "For any-style, adain and gatys: white where the style of the same place in the command is wanted, as large "
        "as the photo. Styles beyond the masks cover the rest.",
        "--mask",
    ),
]
_Start = Annotated[
    Literal["content", "noise"] | None,
    typer.Option(help="For gatys: what it begins with. Without it: the photo, as a rule.", show_default=False),
]
_Preset = Annotated[
    Literal["modern", "paper", "released"] | None,
    typer.Option(
        help="For gatys: modern; as published (keeps nearly all of the photo); released: the authors' code. Those two "
        "are slow.",
        show_default=False,
    ),
]


@dataclass(frozen=True, kw_only=True)
class Options(FeatureOptions):
    """Paint photos in the style of other pictures.

    A painting that is new is learnt first, in minutes; from then on it takes one pass.

    The photo's transparency, depth, profile and metadata stay. Ctrl-C keeps the picture that optimisation has reached.

    Examples:
        limner stylize photo.jpg --style great-wave
        limner stylize photos/ --style painting.jpg --output painted/
        limner stylize photo.jpg --style painting.jpg --method gatys --quick
    """

    photos: _Photos = field(default_factory=list)
    styles: Styles = field(default_factory=list)
    output: _Output = None
    name: _Name = None
    method: Method = "auto"
    model: StyleModel = None
    list_styles: _List = False
    size: _Size = None
    stroke: _Stroke = "1"
    quick: _Quick = False
    strength: _Strength = 1.0
    keep_colors: _KeepColors = False
    backend: Backend = "auto"
    tile: _Tile = None
    masks: _Masks = field(default_factory=list)
    style_scale: StyleScale = 1.0
    start: _Start = None
    preset: _Preset = None
    max_pixels: MaxPixels = "178956970"
    on: On = None
