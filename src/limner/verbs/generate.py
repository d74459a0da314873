"""`generate`: new pictures by a trained generator, from chance or of what it knows."""

import math
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from limner.arguments import check_seed, check_whole
from limner.catalog.models import load
from limner.data.rendered import on_white
from limner.errors import LimnerError
from limner.files.animation import is_animation_path, write_animation
from limner.files.atomic import check_place
from limner.files.image import Picture, from_tensor, write_image
from limner.media.any_picture import check_sheet
from limner.ports import Port, Ported
from limner.runtime.device import choose_device
from limner.tasks.draw_inputs import with_drawn
from limner.tasks.generate import GENERATE, Viewed
from limner.verbs.views import USUAL_VIEW, View, views_of

_USUAL_COUNT = 16
_OPAQUE = frozenset({".jpg", ".jpeg", ".bmp"})


def generate(
    model: str | PathLike[str],
    classes: int | str | Sequence[int | str] | None = None,
    *,
    count: int | None = None,
    seed: int = 0,
    views: Sequence[View] | None = None,
    transform: Mapping[str, float] | None = None,
    frames: int | None = None,
    output: str | PathLike[str] | None = None,
    device: str = "auto",
    quality: int | None = None,
    overwrite: bool = False,
) -> Float[Tensor, "n c h w"]:
    """New pictures, in [0, 1]; those from chance are made by the seeds `seed + k`, however many there are.

    Args:
        model: The name of an embedded model, a path to a weight file, or the folder of a run.
        classes: The class of all pictures, or several that come in turn; None takes all that the model knows. Of
            objects that have names: a name, a number, or a sum such as `sofa + 0.5*stool - chair`.
        count: Of pictures from chance, or of objects where none are named; None takes 16.
        seed: Of their latents.
        views: Of such a model: elevation and azimuth in degrees; each object is seen from each.
        transform: Of such a model: `turn`, `right`, `down`, `zoom`, `stretch`, `hue`, `saturation`, `brightness`.
        frames: Of such a model: so many pictures on the way from the first object and view to the last.
        output: Where to write a sheet of all, too; a .gif or .mp4 shows one after the other.
        device: `auto`, `cpu`, `cuda` or `mps`.
        quality: Of JPEG, WebP and AVIF, 1 to 100; None takes the usual.
        overwrite: Replace an existing output.

    Returns:
        Of a model of objects with names, four channels: the last one is opacity.

    Raises:
        LimnerError: If there is no such model, it makes no pictures, it knows no such class, or the output is there.

    Example:
        >>> limner.generate("runs/conditional-gan", 3, count=25, output="threes.png").shape  # doctest: +SKIP
        torch.Size([25, 1, 28, 28])
        >>> limner.generate("chairs", ["sofa", "stool"], frames=16, output="morph.gif").shape  # doctest: +SKIP
        torch.Size([16, 4, 64, 64])
    """
    if isinstance(output, str | PathLike) and is_animation_path(output):
        check_place(Path(output), overwrite=overwrite)
    else:
        check_sheet(output, quality=quality, overwrite=overwrite)
    check_whole("count", count, 1, "give how many pictures")
    check_seed(seed)
    system, _ = load(model, GENERATE)
    several = [classes] if isinstance(classes, int | str) else None if classes is None else list(classes)
    system.to(choose_device(device))
    if isinstance(system, Viewed):
        pictures = views_of(
            system, several, (USUAL_VIEW,) if views is None else views, transform=transform, frames=frames,
            count=count or _USUAL_COUNT,
        )  # fmt: skip
    elif views is not None or transform is not None or frames is not None:
        raise LimnerError(f"{model} knows no objects that are seen from somewhere: leave out views, transform, frames")
    else:
        pictures = _by_chance(model, system, several, count or _USUAL_COUNT, seed)
    if output is not None:
        write_made(output, pictures, quality=quality, overwrite=overwrite)
    return pictures


@torch.inference_mode()
def _by_chance(
    model: str | PathLike[str], system: nn.Module, classes: Sequence[int | str] | None, count: int, seed: int
) -> Tensor:
    """Picture k by the seed `seed + k`."""
    assert isinstance(system, Ported)
    ports, made = system.inputs, []
    device, wanted = next(system.parameters()).device, _classes(model, ports, classes, count)
    for number in range(count):
        labels = [] if wanted is None else [wanted[number : number + 1]]
        rng = torch.Generator().manual_seed(seed + number)
        inputs = with_drawn(ports, labels, number=1, rng=rng)
        made.append(system(*(one.to(device) for one in inputs)).float().cpu())
    return torch.cat(made).clamp(0, 1)


def write_made(
    output: str | PathLike[str],
    made: Float[Tensor, "n c h w"],
    *,
    quality: int | None = None,
    overwrite: bool = False,
) -> tuple[int, int]:
    """Write pictures as a sheet, or one after the other where the name says so; what has no place for opacity is white.

    Returns:
        Width and height of what was written, in pixels.

    Raises:
        LimnerError: If it cannot be written.
    """
    if is_animation_path(output):
        opaque = on_white(made) if made.shape[1] == 4 else made.expand(-1, 3, -1, -1)
        frames = (255 * opaque).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
        write_animation(output, list(frames), overwrite=overwrite)
        return made.shape[-1], made.shape[-2]
    is_flat = made.shape[1] == 4 and Path(output).suffix.lower() in _OPAQUE
    sheet = sheet_of(on_white(made) if is_flat else made)
    write_image(output, sheet, quality=quality, overwrite=overwrite)
    return sheet.width, sheet.height


def sheet_of(made: Float[Tensor, "n c h w"]) -> Picture:
    """Pictures in rows, as many as there are columns or fewer."""
    columns = math.ceil(math.sqrt(len(made)))
    blank = made.new_zeros(-len(made) % columns, *made.shape[1:])
    rows = [torch.cat(list(row), dim=-1) for row in torch.cat([made, blank]).split(columns)]
    sheet = torch.cat(rows, dim=-2)[None]
    alpha = sheet[:, 3:] if sheet.shape[1] == 4 else None
    like = Picture(np.zeros((1, 1, min(made.shape[1], 3)), np.uint8))
    return from_tensor(sheet[:, :3].expand(-1, 3, -1, -1), like=like, alpha=alpha)


def _classes(
    model: str | PathLike[str], ports: Sequence[Port], asked: Sequence[int | str] | None, count: int
) -> Tensor | None:
    """The class of each picture; None where the model knows none."""
    known = next((port.channels for port in ports if port.kind == "class"), None)
    if known is None:
        if asked is not None:
            raise LimnerError(f"{model} knows no classes: ask for none")
        return None
    several = list(range(known)) if asked is None else [int(one) if _is_number(one) else one for one in asked]
    for one in several:
        check_whole("a class", one, 0, f"name one from 0 to {known - 1}", known - 1)
    return torch.tensor([several[number % len(several)] for number in range(count)])


def _is_number(word: int | str) -> bool:
    return isinstance(word, str) and word.isdecimal()
