"""`limner generate`."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from limner.cli.options import Device, PictureOptions, name_option, output_option, unset

_Model = Annotated[
    str,
    typer.Option(metavar="NAME|FILE|RUN", help="A model that generates, or what limner train wrote of such a system."),
]
_Class = Annotated[
    list[str],
    unset(
        "N|NAME|SUM",
        "A class of the model, or some as 0-9,12; repeatable. Of objects with names also 'sofa + 0.5*stool'. Without "
        "it: all in turn.",
        "--classes",
        "--class",
    ),
]
_View = Annotated[
    list[str],
    unset("ELEVATION,AZIMUTH", "From where objects with names are seen, in degrees. Repeatable.", "--view"),
]
_Transform = Annotated[
    list[str],
    unset(
        "NAME=NUMBER",
        "turn, hue in degrees; right, down as shares; zoom, stretch, saturation, brightness as factors. Repeatable.",
        "--transform",
    ),
]
_Morph = Annotated[
    tuple[str, str] | None,
    unset(
        "A B",
        "From one object with a name, or class of a biggan, to another, in --frames pictures.",
        "--morph",
    ),
]
_Interpolate = Annotated[
    tuple[str, str] | None,
    unset(
        "A B",
        "From one latent to another, in --frames pictures of each class: seeds, or of a vae or a model with styles "
        "pictures or folders, which mean their average.",
        "--interpolate",
    ),
]
_Arithmetic = Annotated[
    str | None,
    unset(
        "SUM",
        "Of latents, as '3,7 - 4 + 9': each term the average over seeds, or of a vae or a model with styles over the "
        "pictures of a folder.",
    ),
]
_Project = Annotated[
    list[str],
    unset("FILE", "A photo: beside it stands what the model can make that is most like it. Repeatable.", "--project"),
]
_Frames = Annotated[
    int | None,
    unset(
        "N",
        "Pictures on the way from the first object and view to the last, from a latent to another (16), or along a "
        "direction (7).",
        min=2,
    ),
]
_Truncation = Annotated[
    str | None,
    unset(
        "T|A..B",
        "How near to the mean latents are: a factor on styles, as 0.7, or the most that a number of a normal latent "
        "may be. Several, as 0.5,1 or as 0.1..1.0 for ten, come one below the other.",
    ),
]
_Sweep = Annotated[
    Path | None,
    unset(
        "FOLDER",
        "Draw precision, recall and distance over --truncation, by these real pictures and as many from chance.",
    ),
]
_Mix = Annotated[
    str | None,
    unset("coarse|middle|fine", "Of a model with styles: a table of pictures, each with such layers of another."),
]
_NoiseDraws = Annotated[
    int | None,
    unset("N", "Of a model with styles: each picture by N draws of noise, and how much each pixel deviates.", min=2),
]
_Direction = Annotated[
    str | None,
    unset(
        "N|DIFFERENCE",
        "Of a model with styles: pictures along the principal direction N of its styles, as many as --frames says; or "
        "along a difference of means as of --arithmetic, such as '3,7 - 4' or 'glasses - faces'. Also of --project.",
    ),
]
_Space = Annotated[
    str | None,
    unset(
        "w|w+|z",
        "Of a model with styles: where --project seeks. w, the usual: one style for all layers; w+: one for each; z: a "
        "latent.",
    ),
]
_Count = Annotated[int, typer.Option(min=1, metavar="N", help="Pictures to make.")]
_Seed = Annotated[int, typer.Option(min=0, metavar="N", help="Picture k is that of seed + k.")]
_Output = Annotated[
    str | None, output_option("FILE|FOLDER", "a sheet of all in this folder. A .gif or .mp4 shows one after the other.")
]
_Name = Annotated[str | None, name_option("{model}_generated", "{model} and {seed}")]


@dataclass(frozen=True, kw_only=True)
class Options(PictureOptions):
    """Make new pictures from chance, or of known objects.

    Examples:
        limner generate --model runs/conditional-gan --classes 0-3 --count 25
        limner generate --model runs/stylegan --truncation 0.1..1.0 --sweep held-out
        limner generate --model runs/dcgan --project face.png
    """

    model: _Model
    classes: _Class = field(default_factory=list)
    views: _View = field(default_factory=list)
    transforms: _Transform = field(default_factory=list)
    morph: _Morph = None
    interpolate: _Interpolate = None
    arithmetic: _Arithmetic = None
    project: _Project = field(default_factory=list)
    truncation: _Truncation = None
    sweep: _Sweep = None
    mix: _Mix = None
    noise_draws: _NoiseDraws = None
    direction: _Direction = None
    space: _Space = None
    frames: _Frames = None
    count: _Count = 16
    seed: _Seed = 0
    output: _Output = None
    name: _Name = None
    device: Device = "auto"
