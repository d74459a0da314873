"""A picture that is made of no photo: where it goes, and how it is written."""

import os
from pathlib import Path

import numpy as np

from limner.cli.options import PictureOptions
from limner.files.image import Picture, check_writable, write_image
from limner.files.space import check_folder
from limner.media.outputs import refuse_existing

BLANK = Picture(np.zeros((1, 1, 3), np.uint8))
"""What it takes its depth from."""


def place_of_one(name: str, options: PictureOptions, *, output: str | None, force: bool | None = None) -> Path:
    """The file that is named, or a name in a folder that is.

    Args:
        name: Without a suffix.
        options: Of the command.
        output: As it was asked for.
        force: Whether a file that is there may be replaced; None: what the options say.

    Raises:
        LimnerError: If it is there already, or cannot be written.
    """
    usual = f"{name}{options.suffix or '.png'}"
    if output is None:
        target = Path(usual)
    elif output.endswith(("/", os.sep)) or Path(output).is_dir():
        target = Path(output) / usual
    else:
        target = Path(output)
    if not (options.force if force is None else force):
        refuse_existing(target)
    check_writable(target, BLANK, quality=options.quality)
    check_folder(target.parent, mend="name another place with --output")
    return target


def write_one(target: Path, picture: Picture, options: PictureOptions) -> None:
    """Write it, and make the folder that it lies in.

    Raises:
        LimnerError: If it cannot be written.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    write_image(target, picture, quality=options.quality, overwrite=options.force)
