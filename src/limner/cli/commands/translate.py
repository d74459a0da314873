"""`limner translate`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from limner.arguments import LEAST_TILE
from limner.cli.options import (
    ComputeOptions,
    Crf,
    ManyOptions,
    MaxPixels,
    On,
    Output,
    name_option,
    unset,
)

_Photos = Annotated[
    list[Path],
    typer.Argument(
        metavar="PHOTO",
        help="What the model was trained to take: pictures and videos, patterns such as '*.png', folders of photos.",
    ),
]
_Model = Annotated[
    str, typer.Option(metavar="NAME|FILE|RUN", help="What limner train wrote of a system that translates.")
]
_Direction = Annotated[
    str | None,
    typer.Option(
        metavar="AB|BA|KIND",
        help="Of a model that translates both ways: from A to B, back, or the kind that is wanted, as its folder was "
        "called in training. Without it: AB.",
    ),
]
_Seed = Annotated[int, typer.Option(min=0, metavar="N", help="Of the noise that the model is given.")]
_Nearest = Annotated[
    bool, typer.Option("--nearest", help="For label pictures: of other colours, as of smooth edges, take the nearest.")
]
_Derive = Annotated[
    bool, typer.Option("--derive", help="Make lines, gray and so on from photos first, as in training with --derive.")
]
_Choices = Annotated[
    bool, typer.Option("--choices", help="All pictures that a model such as crn makes of one, side by side.")
]
_StylePhoto = Annotated[
    Path | None,
    unset("FILE", "A photo whose colours and light all results take, for a model such as spade.", "--style-photo"),
]
_Tile = Annotated[
    int | None, typer.Option(min=LEAST_TILE, metavar="N", help="Side of a tile in pixels: smaller takes less memory.")
]
_Name = Annotated[str | None, name_option("{stem}_{model}", "{stem}, {model} and {seed}")]


@dataclass(frozen=True, kw_only=True)
class Options(ComputeOptions, ManyOptions):
    """Turn pictures of one kind into ones of another.

    The model has learnt it from pairs, or both ways from two kinds of pictures without pairs. A label picture has the
    colours that limner info shows of the model. Pictures of any size are run in parts where memory is short, exactly.

    Examples:
        limner translate maps/ --model aerial.safetensors --output aerial/ --seed 4
        limner translate photo.jpg --model runs/drawings --derive
        limner translate zebras.mp4 --model runs/cyclegan --direction BA --crf 20
    """

    photos: _Photos
    model: _Model
    direction: _Direction = None
    output: Output = None
    name: _Name = None
    seed: _Seed = 0
    nearest: _Nearest = False
    derive: _Derive = False
    choices: _Choices = False
    style_photo: _StylePhoto = None
    tile: _Tile = None
    crf: Crf = None
    max_pixels: MaxPixels = "178956970"
    on: On = None
