"""`limner generate`."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from limner.cli.options import Device, Force, unset

_Model = Annotated[str, typer.Option(metavar="NAME|FILE", help="What limner train wrote of a system that generates.")]
_Class = Annotated[
    list[int],
    unset("N", "A class of the model; repeatable. Without it: all in turn.", "--class", min=0),
]  # fmt: skip
_Count = Annotated[int, typer.Option(min=1, metavar="N", help="Pictures to make.")]
_Seed = Annotated[int, typer.Option(min=0, metavar="N", help="Picture k is that of seed + k.")]
_Output = Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="The sheet that shows them all.")]


@dataclass(frozen=True, kw_only=True)
class Options:
    """Make new pictures from chance, on one sheet."""

    model: _Model
    classes: _Class = field(default_factory=list)
    count: _Count = 16
    seed: _Seed = 0
    output: _Output = Path("generated.png")
    device: Device = "auto"
    force: Force = False
