"""`generate`: new pictures from chance, by a trained generator."""

import math
from collections.abc import Sequence
from os import PathLike
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from limner.arguments import check_path, check_seed, check_whole
from limner.catalog.models import load
from limner.errors import LimnerError
from limner.files.animation import is_animation_path, write_animation
from limner.files.atomic import check_place
from limner.files.image import Picture, from_tensor, write_image
from limner.media.any_picture import check_sheet
from limner.runtime.device import choose_device
from limner.tasks.generate import GENERATE
from limner.verbs.latents import Latents, Place, total

_AT_ONCE = 50  # pictures that are made together


def generate(
    model: str | PathLike[str],
    classes: int | Sequence[int] | None = None,
    *,
    count: int = 16,
    seed: int = 0,
    interpolate: tuple[Place, Place] | None = None,
    arithmetic: str | None = None,
    output: str | PathLike[str] | None = None,
    device: str = "auto",
    quality: int | None = None,
    overwrite: bool = False,
) -> Float[Tensor, "n c h w"]:
    """New pictures, in [0, 1]; picture k is made by the seed `seed + k`, however many there are.

    Args:
        model: The name of an embedded model, a path to a weight file, or the folder of a run.
        classes: The class of all pictures, or several that come in turn; None takes all that the model knows.
        count: Of pictures; with `interpolate` of those of each class.
        seed: Of their latents.
        interpolate: Two seeds, or of a model with an encoder pictures or folders: the pictures lie on the way from one
            to the other, those of one class after those of another.
        arithmetic: A sum of latents, such as `3,7 - 4 + 9`, whose terms are averages over seeds, or of a model with an
            encoder over the pictures of a folder: the pictures are those of the terms, and at last that of the sum.
        output: Where to write a sheet of all, too; of the way from one to the other also a GIF or an MP4.
        device: `auto`, `cpu`, `cuda` or `mps`.
        quality: Of JPEG, WebP and AVIF, 1 to 100; None takes the usual.
        overwrite: Replace an existing output.

    Raises:
        LimnerError: If there is no such model, it makes no pictures, it knows no such class, or the output is there.

    Example:
        >>> limner.generate("runs/conditional-gan", 3, count=25, output="threes.png").shape  # doctest: +SKIP
        torch.Size([25, 1, 28, 28])
    """
    check_generated(output, is_way=interpolate is not None, quality=quality, overwrite=overwrite)
    check_whole("count", count, 1, "give how many pictures")
    check_seed(seed)
    if interpolate is not None and arithmetic is not None:
        raise LimnerError("pictures are those of a way or of a sum: leave out interpolate or arithmetic")
    system, _ = load(model, GENERATE)
    latents = Latents(str(model), system)
    with torch.inference_mode():
        if interpolate is not None:
            drawn, columns = latents.way(*interpolate, count), count
        elif arithmetic is not None:
            terms = latents.terms(arithmetic)
            drawn, columns = torch.stack([*(term.latent for term in terms), total(terms)]), len(terms) + 1
        else:
            drawn, columns = torch.stack([latents.of_seed(seed + number) for number in range(count)]), None
        labels = _classes(str(model), latents.num_classes, classes)
        if labels is not None and columns is not None:
            drawn, labels = drawn.repeat(len(labels), 1), labels.repeat_interleave(columns)
        pictures = _made(latents, drawn, labels, choose_device(device))
    if output is not None:
        write_generated(Path(output), pictures, columns, quality=quality, overwrite=overwrite)
    return pictures


def _made(latents: Latents, drawn: Tensor, labels: Tensor | None, device: torch.device) -> Float[Tensor, "n c h w"]:
    """The picture of each latent; classes come in turn."""
    system, made = latents.system.to(device), []
    for first in range(0, len(drawn), _AT_ONCE):
        some = drawn[first : first + _AT_ONCE]
        given = {"latent": some.to(device)}
        if labels is not None:
            numbers = torch.arange(first, first + len(some)) % len(labels)
            given["class"] = labels[numbers].to(device)
        made.append(system(*(given[port.kind] for port in latents.ports)).float().cpu())
    return torch.cat(made).clamp(0, 1)


def check_generated(
    output: str | PathLike[str] | None, *, is_way: bool, quality: int | None = None, overwrite: bool = False
) -> None:
    """Refuse, before the work, an output that cannot be written; None is none.

    Raises:
        LimnerError: If it cannot be written, or is there and may not be replaced, or is to hold what does not move.
    """
    if output is not None:
        check_path("output", output)
        if not is_animation_path(Path(output)):
            check_sheet(output, quality=quality, overwrite=overwrite)
        elif not is_way:
            raise LimnerError(f"{output} is for pictures on a way: pass --interpolate, or name a PNG")
        else:
            check_place(Path(output), overwrite=overwrite)


def write_generated(
    path: Path,
    made: Float[Tensor, "n c h w"],
    columns: int | None,
    *,
    quality: int | None = None,
    overwrite: bool = False,
) -> tuple[int, int]:
    """Write pictures as a sheet, or those of a way as frames, those of several classes side by side.

    Args:
        path: Of the file.
        made: The pictures, in [0, 1].
        columns: Of the sheet, or how many frames there are; None: as many as rows, about.
        quality: As for `generate`.
        overwrite: Whether a file that is there may be replaced.

    Returns:
        Its width and height, in pixels.
    """
    if not is_animation_path(path):
        sheet = sheet_of(made, columns)
        write_image(path, sheet, quality=quality, overwrite=overwrite)
        return sheet.width, sheet.height
    assert columns is not None
    rows = made.unflatten(0, (-1, columns))
    frames = [_colours(sheet_of(rows[:, number])) for number in range(columns)]
    write_animation(path, frames, overwrite=overwrite)
    return frames[0].shape[1], frames[0].shape[0]


def sheet_of(made: Float[Tensor, "n c h w"], columns: int | None = None) -> Picture:
    """Pictures in rows; None: as many as there are columns or fewer."""
    columns = math.ceil(math.sqrt(len(made))) if columns is None else columns
    blank = made.new_zeros(-len(made) % columns, *made.shape[1:])
    rows = [torch.cat(list(row), dim=-1) for row in torch.cat([made, blank]).split(columns)]
    sheet = torch.cat(rows, dim=-2).expand(3, -1, -1)[None]
    return from_tensor(sheet, like=Picture(np.zeros((1, 1, made.shape[1]), np.uint8)))


def _colours(picture: Picture) -> np.ndarray:
    """uint8 (h, w, 3)."""
    return np.repeat(picture.pixels, 3, axis=2) if picture.is_gray else picture.pixels


def _classes(model: str, known: int | None, asked: int | Sequence[int] | None) -> Tensor | None:
    """The classes that come in turn; None where the model knows none."""
    if known is None:
        if asked is not None:
            raise LimnerError(f"{model} knows no classes: ask for none")
        return None
    several = list(range(known)) if asked is None else [asked] if isinstance(asked, int) else list(asked)
    for one in several:
        check_whole("a class", one, 0, f"name one from 0 to {known - 1}", known - 1)
    return torch.tensor(several)
