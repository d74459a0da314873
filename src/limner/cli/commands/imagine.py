"""`limner imagine`."""

from dataclasses import dataclass
from typing import Annotated, Literal

import typer

from limner.cli.options import FeatureOptions, output_option

_Units = Annotated[
    list[str],
    typer.Argument(
        metavar="UNIT",
        help="relu4_3:12 is channel 12 of that layer of VGG-16, fire9:12 of SqueezeNet, class:goldfish a class of "
        "ImageNet. Several give one sheet.",
    ),
]
_Output = Annotated[str | None, output_option("FILE|FOLDER", "named for the unit, in this folder.")]
_Size = Annotated[int, typer.Option(min=32, metavar="N", help="Both sides of a picture, in pixels.")]
_Neuron = Annotated[bool, typer.Option("--neuron", help="Let the place in the middle answer, and not all places.")]
_Prior = Annotated[
    Literal["fourier", "tv", "dip"],
    typer.Option(
        help="What keeps it natural. fourier: frequencies, and a picture that is moved about; tv: smooth pixels; "
        "dip: a network paints it (deep image prior; slower)."
    ),
]
_Columns = Annotated[int, typer.Option(min=1, metavar="N", help="Of pictures on a sheet.")]


@dataclass(frozen=True, kw_only=True)
class Options(FeatureOptions):
    """Show what a part of a network looks for.

    A picture is made from noise that this part answers to most. Ctrl-C keeps the picture that was reached.

    Examples:
        limner imagine class:goldfish
        limner imagine relu4_3:12 --size 256 --quick
        limner imagine relu4_3:12 relu4_3:13 fire9:7 --output sheet.png
    """

    units: _Units
    output: _Output = None
    size: _Size = 512
    neuron: _Neuron = False
    prior: _Prior = "fourier"
    columns: _Columns = 4
    memory: None = None
    recursive: Literal[False] = False
