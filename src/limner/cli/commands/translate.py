"""`limner translate`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from limner.cli.options import Device, Force, Output

_Picture = Annotated[Path, typer.Argument(metavar="PICTURE", help="Of the kind that the model was trained to take.")]
_Model = Annotated[str, typer.Option(metavar="NAME|FILE", help="What limner train wrote of a system that translates.")]
_Seed = Annotated[int, typer.Option(min=0, metavar="N", help="Of the noise that the model is given.")]


@dataclass(frozen=True, kw_only=True)
class Options:
    """Turn a picture of one kind into one of another.

    The model has learnt it from pairs.
    """

    picture: _Picture
    model: _Model
    output: Output = None
    seed: _Seed = 0
    device: Device = "auto"
    force: Force = False
