"""`limner texture`."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import typer

from limner.cli.options import PHOTOS, FeatureOptions, Output, Preset, name_option, unset

_Photos = Annotated[
    list[Path],
    typer.Argument(metavar="PHOTO", help=f"Of the texture; a network needs none. {PHOTOS}", show_default=False),
]
_Name = Annotated[str | None, name_option("{stem}_texture", "{stem}, {model} and {seed}")]
_Method = Annotated[
    Literal["optimize", "network"],
    typer.Option(help="optimize: seek the texture of PHOTO; network: draw that of --model, at once."),
]
_Model = Annotated[str | None, unset("NAME|FILE", "Of --method network: what limner train texture-network wrote.")]
_Size = Annotated[str, typer.Option(metavar="N|WxH", help="Of the result, in pixels.")]
_Seamless = Annotated[
    bool, typer.Option("--seamless", help="Let the borders fit each other, so that it can be laid like tiles.")
]


@dataclass(frozen=True, kw_only=True)
class Options(FeatureOptions):
    """Make more of a texture, of any size, seamless if need be.

    A picture of noise is changed until its patterns are those of the texture.
    Ctrl-C keeps the picture that was reached. A network that was trained on the texture needs no picture and one pass.

    Examples:
        limner texture bark.jpg --size 1024
        limner texture photos/ --seamless --output tiles/
        limner texture --method network --model texture-starry-night --seed 3
    """

    photos: _Photos = field(default_factory=list)
    output: Output = None
    name: _Name = None
    method: _Method = "optimize"
    model: _Model = None
    size: _Size = "512"
    seamless: _Seamless = False
    preset: Preset = "modern"
