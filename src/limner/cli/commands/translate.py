"""`limner translate`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from limner.cli.options import PHOTOS, Device, ManyOptions, Output, name_option

_Photos = Annotated[
    list[Path],
    typer.Argument(metavar="PHOTO", help=f"Pictures of the kind that the model was trained to take. {PHOTOS}"),
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
_Name = Annotated[str | None, name_option("{stem}_{model}", "{stem}, {model} and {seed}")]


@dataclass(frozen=True, kw_only=True)
class Options(ManyOptions):
    """Turn pictures of one kind into ones of another.

    The model has learnt it from pairs, or both ways from two folders of pictures without pairs.

    Examples:
        limner translate map.png --model runs/pix2pix
        limner translate maps/ --model aerial.safetensors --output aerial/
        limner translate zebra.png --model runs/cyclegan --direction BA --format jpg
    """

    photos: _Photos
    model: _Model
    direction: _Direction = None
    output: Output = None
    name: _Name = None
    seed: _Seed = 0
    device: Device = "auto"
