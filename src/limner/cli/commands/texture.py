"""`limner texture`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer

from limner.cli.options import FeatureOptions, Output, Preset, unset

_Picture = Annotated[
    Path | None,
    typer.Argument(metavar="PICTURE", help="A picture of the texture; a network needs none.", show_default=False),
]
_Method = Annotated[
    Literal["optimize", "network"],
    typer.Option(help="optimize: seek the texture of PICTURE; network: draw that of --model, at once."),
]
_Model = Annotated[str | None, unset("NAME|FILE", "Of --method network: what limner train texture-network wrote.")]
_Size = Annotated[str, typer.Option(metavar="N|WxH", help="Of the result, in pixels.")]
_Seamless = Annotated[
    bool, typer.Option("--seamless", help="Let the borders fit each other, so that it can be laid like tiles.")
]


@dataclass(frozen=True, kw_only=True)
class Options(FeatureOptions):
    """Make more of a texture, of any size, seamless if need be.

    It begins with noise and has the correlations of the picture's features in the end.
    Ctrl-C keeps the picture that was reached. A network that was trained on the texture needs no picture and one pass.
    """

    picture: _Picture = None
    output: Output = None
    method: _Method = "optimize"
    model: _Model = None
    size: _Size = "512"
    seamless: _Seamless = False
    preset: Preset = "modern"
