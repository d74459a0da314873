"""`limner redirect`."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from limner.cli.options import Crf, Device, ManyOptions, Output, name_option, unset

_Photos = Annotated[
    list[Path],
    typer.Argument(metavar="PHOTO", help="Photos and videos of faces, patterns such as '*.jpg', folders of photos."),
]
_Angle = Annotated[
    str,
    typer.Option(
        metavar="YAW,PITCH", help="Degrees to the right of the photo and upwards, on top of where the eyes look."
    ),
]
_Model = Annotated[str, typer.Option(metavar="NAME|FILE|RUN", help="See limner models, or what limner train wrote.")]
_Eyes = Annotated[
    list[str],
    unset("X,Y,W,H", "A rectangle around an eye, in pixels; repeatable. Without it they are found.", "--eyes"),
]
_To = Annotated[
    str | None,
    unset("YAW,PITCH", "Of one photo: an animation, a .gif or an .mp4, from --angle to this angle and back.", "--to"),
]
_Frames = Annotated[int, typer.Option(min=2, metavar="N", help="Pictures of such an animation.")]
_Name = Annotated[str | None, name_option("{stem}_redirected", "{stem} and {model}")]


@dataclass(frozen=True, kw_only=True)
class Options(ManyOptions):
    """Let the eyes of photos and videos look elsewhere.

    Only the eyes are changed. Turns are at most 30 degrees sideways and 20 up or down.

    Examples:
        limner redirect portrait.jpg --angle 15,0
        limner redirect family/ --angle 0,10 --output looking-up/
        limner redirect portrait.jpg --angle -25,0 --to 25,0 --output look.gif
    """

    photos: _Photos
    angle: _Angle
    model: _Model = "gaze"
    eyes: _Eyes = field(default_factory=list)
    to: _To = None
    frames: _Frames = 24
    crf: Crf = None
    output: Output = None
    name: _Name = None
    device: Device = "auto"
