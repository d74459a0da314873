"""`limner translate`."""

from pathlib import Path
from typing import Annotated

import typer

from limner.cli.options import Device, Force

_Photo = Annotated[Path, typer.Argument(metavar="PICTURE", help="Of the kind that the model was trained to take.")]
_Model = Annotated[str, typer.Option(metavar="NAME|FILE", help="What limner train wrote of a system that translates.")]
_Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="Without it NAME_translated.", show_default=False),
]
_Seed = Annotated[int, typer.Option(min=0, metavar="N", help="Of the noise that the model is given.")]


def translate(
    photo: _Photo,
    model: _Model,
    output: _Output = None,
    seed: _Seed = 0,
    device: Device = "auto",
    force: Force = False,
) -> None:
    """Turn a picture of one kind into one of another, as a model has learnt it from pairs."""
    from limner.verbs.translate import beside
    from limner.verbs.translate import translate as work

    target = output or beside(photo)
    print(work(photo, model, output=target, seed=seed, device=device, overwrite=force))
