"""`limner generate`."""

from dataclasses import dataclass, field
from typing import Annotated

import typer

from limner.cli.options import Device, PictureOptions, name_option, output_option, unset

_Model = Annotated[
    str, typer.Option(metavar="NAME|FILE|RUN", help="What limner train wrote of a system that generates.")
]
_Class = Annotated[
    list[int],
    unset("N", "A class of the model; repeatable. Without it: all in turn.", "--class", min=0),
]  # fmt: skip
_Count = Annotated[int, typer.Option(min=1, metavar="N", help="Pictures to make.")]
_Seed = Annotated[int, typer.Option(min=0, metavar="N", help="Picture k is that of seed + k.")]
_Output = Annotated[str | None, output_option("FILE|FOLDER", "a sheet of all in this folder.")]
_Name = Annotated[str | None, name_option("{model}_generated", "{model} and {seed}")]


@dataclass(frozen=True, kw_only=True)
class Options(PictureOptions):
    """Make new pictures from chance, on one sheet.

    Examples:
        limner generate --model runs/conditional-gan
        limner generate --model digits.safetensors --class 3 --count 25
        limner generate --model runs/conditional-gan --seed 7 --output sheet.png
    """

    model: _Model
    classes: _Class = field(default_factory=list)
    count: _Count = 16
    seed: _Seed = 0
    output: _Output = None
    name: _Name = None
    device: Device = "auto"
