"""`limner train`."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import typer

from limner.cli.options import Device, DryRun, Json, unset

_Name = Annotated[str, typer.Argument(metavar="NAME", help="A system: see limner models.")]
_Data = Annotated[Path | None, unset("FOLDER", "Folder of training pictures; subfolders count too.")]
_Styles = Annotated[
    list[str],
    unset("NAME|FILE", "A style to learn: a picture, or one of limner stylize --list. Repeatable.", "--style"),
]
_Derive = Annotated[
    Literal["edges", "gray", "low-resolution", "mask-holes", "noise"] | None,
    typer.Option(
        "--derive",
        help="For pix2pix: make what goes in from plain photos: drawing -> photo, colours for gray, detail, holes "
        "filled, less noise.",
        show_default=False,
    ),
]
_Output = Annotated[Path | None, unset("FOLDER", "Folder of the run. Without it: runs/NAME.", "--output", "-o")]
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
_Steps = Annotated[
    int | None,
    unset("N", "Optimiser steps. Without it: the preset's, 3,000 to 200,000; --dry-run says how many.", min=1),
]
_LearningRate = Annotated[float | None, unset("X", "Of every player. Without it: the preset's.", "--lr")]
_BatchSize = Annotated[int | None, unset("N", "Samples of one step. Without it: the preset's.", "--batch-size", min=1)]
_Validation = Annotated[
    str,
    typer.Option(
        metavar="SHARE|FOLDER",
        help="Pictures that are kept from training, for measuring what it is worth: a share of those of --data, or a "
        "folder of others; 0 for none.",
    ),
]
_Force = Annotated[bool, typer.Option("--force", help="Begin anew where a run is already.")]
_Seed = Annotated[int | None, unset("N", "Of weights and samples; without it 0.", min=0)]
_StartFrom = Annotated[
    list[str],
    unset(
        "NAME|FILE|none",
        "The model whose weights training begins with, or a discriminator that was imported. Repeatable. Without it: "
        "that of the preset.",
        "--start-from",
    ),
]
_Workers = Annotated[
    int, typer.Option(min=0, metavar="N", help="Processes that draw samples; 0 draws them in this one.")
]
_Resume = Annotated[
    bool, typer.Option("--resume", help="Go on with the run in --output, also for more minutes or steps.")
]
_TensorBoard = Annotated[bool, typer.Option("--tensorboard", help="Log for TensorBoard too (the extra train).")]
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
    """Train a system on your own pictures. Ctrl-C stops and saves; --resume goes on exactly.

    Without --minutes or --steps a run takes the steps of its preset, which are many: limner models --long says.

    Examples:
        limner train vdsr --data photos/ --minutes 60
        limner train pix2pix --data photos/ --derive edges --output runs/drawings
        limner train vdsr --output runs/vdsr --resume --minutes 120
    """

    name: _Name
    data: _Data = None
    styles: _Styles = field(default_factory=list)
    derive: _Derive = None
    output: _Output = None
    validation: _Validation = "0.1"
    preset: _Preset = None
    assignments: _Set = field(default_factory=list)
    minutes: _Minutes = None
    steps: _Steps = None
    learning_rate: _LearningRate = None
    batch_size: _BatchSize = None
    device: Device = "auto"
    seed: _Seed = None
    start_from: _StartFrom = field(default_factory=list)
    workers: _Workers = 0
    memory: _Memory = None
    resume: _Resume = False
    accept_changes: _AcceptChanges = False
    tensorboard: _TensorBoard = False
    save_every: _SaveEvery = 300.0
    force: _Force = False
    dry_run: DryRun = False
    as_json: Json = False
