"""`limner check`."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from limner.cli.options import Force, Json, unset

_Data = Annotated[Path, typer.Argument(metavar="DATA", help="Folder of the data; train and test in it are compared.")]
_For = Annotated[str | None, unset("SYSTEM", "What is to be trained with it: see limner models.", "--for")]
_Preset = Annotated[str | None, unset("NAME", "Of the system; without it the first.")]
_Set = Annotated[
    list[str], unset("FIELD=VALUE", "As for limner train, such as data.masks=FOLDER. Repeatable.", "--set")
]
_Output = Annotated[Path | None, unset("FILE", "Write a page of HTML with small pictures.", "--output", "-o")]
_Fix = Annotated[
    Path | None, unset("FOLDER", "Write a copy without what is wrong; the data stay as they are.", "--fix")
]
_Workers = Annotated[
    int | None, unset("N", "Processes that read; 0 reads in this one. Without it: one for each core.", min=0)
]
_Fresh = Annotated[bool, typer.Option("--fresh", help="Read all again, also what has not changed since the last time.")]
_NoTrial = Annotated[
    bool, typer.Option("--no-trial", help="With --for: make no steps to see what they take in time and memory.")
]


@dataclass(frozen=True, kw_only=True)
class Options:
    """Look whether pictures are fit to learn from.

    The exit code is 1 if training would refuse them.

    Examples:
        limner check photos/
        limner check photos/ --for pix2pix --set data.derive=edges -o report.html
        limner check cells/ --for unet --fix clean/
    """

    data: _Data
    system: _For = None
    preset: _Preset = None
    assignments: _Set = field(default_factory=list)
    output: _Output = None
    fix: _Fix = None
    workers: _Workers = None
    fresh: _Fresh = False
    no_trial: _NoTrial = False
    force: Force = False
    as_json: Json = False
