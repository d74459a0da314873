"""`limner models`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from limner.cli.command import command, command_with_words
from limner.cli.options import Force, Json, ResultOptions, unset

app = typer.Typer(rich_markup_mode=None)

_Long = Annotated[bool, typer.Option("--long", help="With presets, papers, licences and figures.")]

_Palette = Annotated[
    str | None,
    unset("NAME|FILE|RUN", "Write the colours of a model's classes as a palette for paint programs (.gpl)."),
]
_Gallery = Annotated[
    bool,
    typer.Option(
        "--gallery", help="Write a page of all systems and models, with pictures, to --output, or gallery.html."
    ),
]
_Output = Annotated[
    Path | None,
    unset(
        "FILE", "Where the palette or the page goes. Without it a palette goes to standard output.", "--output", "-o"
    ),
]
_Name = Annotated[str, typer.Argument(metavar="OWNER/NAME", help="With @REVISION of a branch, a tag or a commit.")]
_Copy = Annotated[
    Path | None,
    unset("FILE", "Copy it there too. Without it: this system's folder for what is kept.", "--output", "-o"),
]
_File = Annotated[str, typer.Argument(metavar="FILE", help="A weight file, the folder of a run, or a model's name.")]
_Repository = Annotated[str, typer.Argument(metavar="OWNER/NAME", help="Made where it is not there.")]


@dataclass(frozen=True, kw_only=True)
class Options:
    """List models and systems; pull and push models.

    Examples:
        limner models
        limner models --gallery
        limner models --palette runs/pix2pix -o palette.gpl
    """

    long: _Long = False
    gallery: _Gallery = False
    palette: _Palette = None
    output: _Output = None
    force: Force = False
    as_json: Json = False


@dataclass(frozen=True, kw_only=True)
class PullOptions(ResultOptions):
    """Fetch a model from the Hugging Face Hub, check it and keep it.

    Every --model takes its name then. The commit and the SHA-256 are kept with it. A commit that is kept is not asked
    for again. Needs the extra hub.

    Examples:
        limner models pull acme/photo-x2
        limner models pull acme/photo-x2@v1 --json
        limner models pull acme/photo-x2 -o photo.safetensors
    """

    name: _Name
    output: _Copy = None


@dataclass(frozen=True, kw_only=True)
class PushOptions(ResultOptions):
    """Write a model to the Hugging Face Hub, with a page on it.

    The page says what the weight file and its card say. It takes the token that hf auth login has kept, or HF_TOKEN,
    and asks for nothing. Needs the extra hub.

    Examples:
        limner models push runs/vdsr acme/photo-x2
        limner models push mine.safetensors acme/photo-x2 --dry-run
        limner models push mine.safetensors acme/photo-x2 --force
    """

    file: _File
    repository: _Repository


command_with_words(app, Options, "limner.cli.work.models:run")
command(app, "pull", PullOptions, "limner.cli.work.hub:pull_model")
command(app, "push", PushOptions, "limner.cli.work.hub:push_model")
