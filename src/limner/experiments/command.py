"""What the experiments do alike: begin, read a photo, and write a sheet."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
import typer

from limner.errors import LimnerError
from limner.files.image import read_image, write_image
from limner.files.visible import visible_tensor
from limner.loops.optimize import Optimized
from limner.media.contact_sheet import Panel, contact_sheet
from limner.ops.resample import imresize
from limner.runtime.allocator import keep_freed_memory
from limner.types import Image


def run_program(main: Callable[..., None]) -> None:
    """Do what an experiment's command line says, and end the process; what its user can mend is told on one line.

    Args:
        main: Its options are those of the command line, as typer reads them.

    Raises:
        SystemExit: With 2 if it was asked wrongly, with another number but 0 if something went wrong on the way.
    """
    try:
        typer.run(main)
    except LimnerError as error:
        tell(f"error: {' '.join(str(error).split())}")
        raise SystemExit(error.exit_code) from None
    except OSError as error:
        if error.filename is None:
            raise
        tell(f"error: {error.filename}: {(error.strerror or 'cannot be used').lower()}: name another place")
        raise SystemExit(2) from None


def begin(threads: int | None) -> None:
    """What a program does before it optimises."""
    keep_freed_memory()
    if threads is not None:
        torch.set_num_threads(threads)


def opened(path: Path, size: int) -> Image:
    """A photo resized to a given longer side."""
    image = visible_tensor(read_image(path))
    return imresize(image, size / max(image.shape[-2:])).clamp(0, 1)


def tell(line: str) -> None:
    """Say how far it is, on standard error."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201  # a program of its own


def image_of(result: Optimized) -> Image:
    """The picture that a run came to.

    Raises:
        typer.Exit: With 1, if it was stopped: half a sheet shows nothing.
    """
    if result.reason == "stopped":
        tell("stopped; no sheet is written")
        raise typer.Exit(1)
    return result.image.cpu()


def finish(output: Path, panels: Sequence[Panel], columns: int, *, least: int = 1) -> None:
    """Write the sheet and say where it lies; `least` is for `contact_sheet`."""
    write_image(output, contact_sheet(panels, columns, least=least), overwrite=True)
    print(output)  # noqa: T201
