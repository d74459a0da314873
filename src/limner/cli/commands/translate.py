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
_Seed = Annotated[int, typer.Option(min=0, metavar="N", help="Of the noise that the model is given.")]
_Name = Annotated[str | None, name_option("{stem}_{model}", "{stem}, {model} and {seed}")]


@dataclass(frozen=True, kw_only=True)
class Options(ManyOptions):
    """Turn pictures of one kind into ones of another.

    The model has learnt it from pairs.

    Examples:
        limner translate map.png --model runs/pix2pix
        limner translate maps/ --model aerial.safetensors --output aerial/
        limner translate map.png --model runs/pix2pix --seed 4 --format jpg
    """

    photos: _Photos
    model: _Model
    output: Output = None
    name: _Name = None
    seed: _Seed = 0
    device: Device = "auto"
