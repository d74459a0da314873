"""`limner train`."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from limner.cli.options import Device

_Name = Annotated[str, typer.Argument(metavar="NAME", help="A system: see limner models.")]
_Data = Annotated[
    Path | None,
    typer.Option(metavar="FOLDER", help="Folder of training pictures; subfolders count too.", show_default=False),
]
_Styles = Annotated[
    list[str],
    typer.Option(
        "--style",
        metavar="NAME|FILE",
        help="A style to learn: a picture, or one of limner stylize --list. Repeatable.",
        show_default=False,
    ),
]
_Out = Annotated[
    Path | None, typer.Option(metavar="FOLDER", help="Folder of the run; without it runs/NAME.", show_default=False)
]
_Preset = Annotated[
    str | None, typer.Option(metavar="NAME", help="See limner models; without it the first.", show_default=False)
]
_Set = Annotated[
    list[str],
    typer.Option(
        "--set", metavar="FIELD=VALUE", help="Of the system, or fit.FIELD, data.FIELD. Repeatable.", show_default=False
    ),
]
_Minutes = Annotated[
    float | None,
    typer.Option(
        metavar="M", help="Training time over all resumptions; the schedule runs over it.", show_default=False
    ),
]
_Steps = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="Optimiser steps; without it those of the preset.", show_default=False),
]
_Seed = Annotated[
    int | None, typer.Option(min=0, metavar="N", help="Of weights and samples; without it 0.", show_default=False)
]
_StartFrom = Annotated[
    str | None,
    typer.Option(
        metavar="NAME|FILE|none",
        help="The model whose weights training begins with; without it that of the preset.",
        show_default=False,
    ),
]
_Workers = Annotated[
    int, typer.Option(min=0, metavar="N", help="Processes that draw samples; 0 draws them in this one.")
]
_Resume = Annotated[bool, typer.Option("--resume", help="Go on with the run in --out, also for more minutes or steps.")]
_TensorBoard = Annotated[bool, typer.Option("--tensorboard", help="Log for TensorBoard too (limner[train]).")]
_SaveEvery = Annotated[
    float, typer.Option(min=0, metavar="SECONDS", help="Seconds between two saves of the training state.")
]


@dataclass(frozen=True, kw_only=True)
class Options:
    """Train a system on your own pictures. Ctrl-C stops and saves; --resume goes on exactly."""

    name: _Name
    data: _Data = None
    styles: _Styles = field(default_factory=list)
    out: _Out = None
    preset: _Preset = None
    assignments: _Set = field(default_factory=list)
    minutes: _Minutes = None
    steps: _Steps = None
    device: Device = "auto"
    seed: _Seed = None
    start_from: _StartFrom = None
    workers: _Workers = 0
    resume: _Resume = False
    tensorboard: _TensorBoard = False
    save_every: _SaveEvery = 300.0
