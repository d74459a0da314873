"""How generated pictures stand beside each other: on a sheet, or one after the other in an animation."""

import math
from os import PathLike
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from limner.data.rendered import on_white
from limner.files.animation import is_animation_path, write_animation
from limner.files.image import Picture, from_tensor, write_image

USUAL_COUNT = 16
"""Pictures that are made where nobody says how many."""
USUAL_FRAMES = 7
"""Pictures along a direction."""
_OPAQUE = frozenset({".jpg", ".jpeg", ".bmp"})


def columns_of(
    total: int,
    *,
    count: int | None,
    frames: int | None,
    mix: str | None,
    noise_draws: int | None,
    direction: int | str | None,
    is_way: bool,
    is_sum: bool,
    is_projection: bool,
    truncations: int,
) -> int | None:
    """How many of all pictures stand in a row of a sheet, as they were asked of `generate`; None leaves that open."""
    if mix is not None:
        return 1 + sources_of(count)
    if noise_draws is not None:
        return noise_draws + 1
    if direction is not None:
        return (frames or USUAL_FRAMES) + is_projection
    if is_way:
        return frames or USUAL_COUNT
    if is_sum:
        return total
    if is_projection:
        return 2
    if frames is not None and total > frames:
        return frames
    return total // truncations if truncations > 1 else None


def sources_of(count: int | None) -> int:
    """Pictures in the first row and column of so many mixtures."""
    return math.isqrt(count or USUAL_COUNT)


def write_made(
    output: str | PathLike[str],
    made: Float[Tensor, "n c h w"],
    columns: int | None = None,
    *,
    quality: int | None = None,
    overwrite: bool = False,
) -> tuple[int, int]:
    """Write pictures as a sheet, or one after the other where the name says so; what has no place for opacity is white.

    Args:
        output: Of the file.
        made: The pictures, in [0, 1].
        columns: Of the sheet, or how many come one after the other, those of the other rows beside them; None: as many
            columns as rows, about, or one after the other all.
        quality: As for `generate`.
        overwrite: Whether a file that is there may be replaced.

    Returns:
        Width and height of what was written, in pixels.

    Raises:
        LimnerError: If it cannot be written.
    """
    if is_animation_path(output):
        opaque = on_white(made) if made.shape[1] == 4 else made.expand(-1, 3, -1, -1)
        rows = opaque.unflatten(0, (-1, columns or len(opaque)))
        beside = torch.cat(list(rows), dim=-1)
        frames = (255 * beside).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
        write_animation(output, list(frames), overwrite=overwrite)
        return beside.shape[-1], beside.shape[-2]
    is_flat = made.shape[1] == 4 and Path(output).suffix.lower() in _OPAQUE
    sheet = sheet_of(on_white(made) if is_flat else made, columns)
    write_image(output, sheet, quality=quality, overwrite=overwrite)
    return sheet.width, sheet.height


def sheet_of(made: Float[Tensor, "n c h w"], columns: int | None = None) -> Picture:
    """Pictures in rows; None: as many as there are columns or fewer."""
    columns = math.ceil(math.sqrt(len(made))) if columns is None else columns
    blank = made.new_zeros(-len(made) % columns, *made.shape[1:])
    rows = [torch.cat(list(row), dim=-1) for row in torch.cat([made, blank]).split(columns)]
    sheet = torch.cat(rows, dim=-2)[None]
    alpha = sheet[:, 3:] if sheet.shape[1] == 4 else None
    like = Picture(np.zeros((1, 1, min(made.shape[1], 3)), np.uint8))
    return from_tensor(sheet[:, :3].expand(-1, 3, -1, -1), like=like, alpha=alpha)
