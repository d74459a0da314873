"""`limner learn-style`."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from limner.cli.options import Device, ResultOptions, Resume, Seed, unset

_Paintings = Annotated[
    list[Path],
    typer.Argument(metavar="PAINTING", help="Pictures: each becomes a style of its own.", show_default=False),
]
_Output = Annotated[
    Path | None,
    unset(
        "FILE",
        "Of one painting: a .safetensors file for stylize --model. Without it the style is kept, and stylize --style "
        "PAINTING paints in it at once.",
        "--output",
        "-o",
    ),
]
_Minutes = Annotated[
    float | None,
    unset(
        "M",
        "Of learning, for each style and over all resumptions; more is better. Without it: 600 steps, and at most 5 "
        "minutes.",
    ),
]
_Size = Annotated[
    int,
    typer.Option(
        min=64,
        metavar="N",
        help="The painting's shorter side in pixels, as it is looked at: more gives broader strokes.",
    ),
]
_Photos = Annotated[Path | None, unset("FOLDER", "Photos that are painted in learning; without it those of Limner.")]
_Trunk = Annotated[
    str | None,
    unset("FILE", "What limner train many-styles wrote, whose convolutions are kept; without it those of Limner."),
]
_Preview = Annotated[
    Path | None,
    unset("FILE", "A picture that is renewed every few seconds: the painting, and photos as they are painted so far."),
]
_Forget = Annotated[
    list[str],
    unset("NAME|PAINTING", "Remove a learnt style that is kept: see stylize --list. Repeatable.", "--forget"),
]


@dataclass(frozen=True, kw_only=True)
class Options(ResultOptions):
    """Learn the styles of paintings, each in minutes.

    A style that is learnt paints any photo in one pass, at any size. Paintings whose styles are kept already are
    not learnt again.

    Examples:
        limner learn-style painting.jpg
        limner learn-style one.jpg two.jpg --minutes 20 --size 480
        limner learn-style painting.jpg --output mine.safetensors
    """

    paintings: _Paintings = field(default_factory=list)
    output: _Output = None
    minutes: _Minutes = None
    size: _Size = 320
    photos: _Photos = None
    trunk: _Trunk = None
    device: Device = "auto"
    seed: Seed = 0
    preview: _Preview = None
    resume: Resume = False
    forgotten: _Forget = field(default_factory=list)
