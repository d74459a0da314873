"""`limner morph`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from limner.cli.options import ResultOptions, unset

_First = Annotated[Path, typer.Argument(metavar="PHOTO", help="The photo that it begins with.")]
_Second = Annotated[Path, typer.Argument(metavar="PHOTO", help="The photo that it ends with.")]
_Frames = Annotated[int, typer.Option(min=2, metavar="N", help="Pictures, both photos included.")]
_Size = Annotated[
    int, typer.Option(min=16, metavar="N", help="Longer side in pixels, where the first photo is larger.")
]
_Rate = Annotated[int, typer.Option(min=1, metavar="N", help="Pictures a second.")]
_Output = Annotated[
    Path | None, unset("FILE", "A .gif or an .mp4. Without it: beside the first photo, A_to_B.gif.", "--output", "-o")
]


@dataclass(frozen=True, kw_only=True)
class Options(ResultOptions):
    """Move from one photo to another.

    Two views of one thing go best, or two moments. Photos of different things dissolve into each other.

    Examples:
        limner morph left.jpg right.jpg
        limner morph left.jpg right.jpg --frames 24 --output between.mp4
        limner morph before.png after.png --size 400 --rate 8 -o change.gif
    """

    first: _First
    second: _Second
    frames: _Frames = 16
    size: _Size = 640
    rate: _Rate = 12
    output: _Output = None
