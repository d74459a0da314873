"""`limner generate`."""

from pathlib import Path
from typing import Annotated

import typer

from limner.cli.options import Device, Force

_Model = Annotated[str, typer.Option(metavar="NAME|FILE", help="What limner train wrote of a system that generates.")]
_Class = Annotated[
    list[int] | None,
    typer.Option("--class", min=0, metavar="N", help="A class of the model; repeatable. Without it: all in turn."),
]
_Count = Annotated[int, typer.Option(min=1, metavar="N", help="Pictures to make.")]
_Seed = Annotated[int, typer.Option(min=0, metavar="N", help="Picture k is that of seed + k.")]
_Output = Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="The sheet that shows them all.")]


def generate(
    model: _Model,
    classes: _Class = None,
    count: _Count = 16,
    seed: _Seed = 0,
    output: _Output = Path("generated.png"),
    device: Device = "auto",
    force: Force = False,
) -> None:
    """Make new pictures from chance, on one sheet."""
    from limner.cli.work.generate import run

    run(model, classes, count=count, seed=seed, output=output, device=device, force=force)
