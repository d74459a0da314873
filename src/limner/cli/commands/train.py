"""`limner train`."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from limner.cli.options import Device, unset

_Name = Annotated[str, typer.Argument(metavar="NAME", help="A system: see limner models.")]
_Data = Annotated[Path | None, unset("FOLDER", "Folder of training pictures; subfolders count too.")]
_Styles = Annotated[
    list[str],
    unset("NAME|FILE", "A style to learn: a picture, or one of limner stylize --list. Repeatable.", "--style"),
]
_Out = Annotated[Path | None, unset("FOLDER", "Folder of the run; without it runs/NAME.")]
_Preset = Annotated[str | None, unset("NAME", "See limner models; without it the first.")]
_Set = Annotated[
    list[str],
    unset(
        "FIELD=VALUE",
        "Of the system, or fit.FIELD, data.FIELD. Repeatable. With --resume of fit alone: rates, clips, schedules.",
        "--set",
    ),
]
_Minutes = Annotated[float | None, unset("M", "Training time over all resumptions; the schedule runs over it.")]
_Steps = Annotated[int | None, unset("N", "Optimiser steps; without it those of the preset.", min=1)]
_Seed = Annotated[int | None, unset("N", "Of weights and samples; without it 0.", min=0)]
_StartFrom = Annotated[
    str | None,
    unset("NAME|FILE|none", "The model whose weights training begins with; without it that of the preset."),
]
_Workers = Annotated[
    int, typer.Option(min=0, metavar="N", help="Processes that draw samples; 0 draws them in this one.")
]
_Resume = Annotated[bool, typer.Option("--resume", help="Go on with the run in --out, also for more minutes or steps.")]
_TensorBoard = Annotated[bool, typer.Option("--tensorboard", help="Log for TensorBoard too (limner[train]).")]
_AcceptChanges = Annotated[
    bool, typer.Option("--accept-changes", help="Resume although pictures have changed since the run began.")
]
_Memory = Annotated[
    str | None, unset("SIZE", "Of pictures that each process keeps; others are read again. Without it: 512MB.")
]
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
    memory: _Memory = None
    resume: _Resume = False
    accept_changes: _AcceptChanges = False
    tensorboard: _TensorBoard = False
    save_every: _SaveEvery = 300.0
