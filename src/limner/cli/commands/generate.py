"""`limner generate`."""

from dataclasses import dataclass
from typing import Annotated

import typer

from limner.cli.options import Device, PictureOptions, name_option, output_option, unset

_Model = Annotated[
    str,
    typer.Option(metavar="NAME|FILE|RUN", help="A model that generates, or what limner train wrote of such a system."),
]
_Classes = Annotated[str | None, unset("LIST", "Classes of the model, such as 3 or 0-9,12. Without it: all in turn.")]
_Count = Annotated[int, typer.Option(min=1, metavar="N", help="Pictures to make; on a way, those of each class.")]
_Seed = Annotated[int, typer.Option(min=0, metavar="N", help="Picture k is that of seed + k.")]
_Interpolate = Annotated[
    tuple[str, str] | None,
    unset(
        "FROM TO",
        "The way from one to the other: seeds, or of a vae pictures or folders, which mean their average. An --output "
        "that ends in .gif or .mp4 shows it moving.",
    ),
]
_Arithmetic = Annotated[
    str | None,
    unset(
        "SUM",
        "A sum such as '3,7 - 4 + 9': each term the average over seeds, or of a vae over the pictures of a folder.",
    ),
]
_Output = Annotated[str | None, output_option("FILE|FOLDER", "a sheet of all in this folder.")]
_Name = Annotated[str | None, name_option("{model}_generated", "{model} and {seed}")]


@dataclass(frozen=True, kw_only=True)
class Options(PictureOptions):
    """Make new pictures from chance, on one sheet.

    Examples:
        limner generate --model digits.safetensors --classes 3 --count 25
        limner generate --model runs/conditional-gan --seed 7 --output sheet.png
        limner generate --model runs/dcgan --interpolate 3 9 --count 24 --output way.gif
        limner generate --model runs/vae --arithmetic 'with/ - without/ + face.png'
    """

    model: _Model
    classes: _Classes = None
    count: _Count = 16
    seed: _Seed = 0
    interpolate: _Interpolate = None
    arithmetic: _Arithmetic = None
    output: _Output = None
    name: _Name = None
    device: Device = "auto"
