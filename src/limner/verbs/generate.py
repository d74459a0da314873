"""`generate`: new pictures by a trained generator, from chance or of what it knows."""

import math
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from limner.arguments import check_seed, check_whole
from limner.catalog.models import load
from limner.data.rendered import on_white
from limner.errors import LimnerError
from limner.files.animation import is_animation_path, write_animation
from limner.files.atomic import check_place
from limner.files.image import Picture, from_tensor, write_image
from limner.media.any_picture import check_sheet
from limner.runtime.device import choose_device
from limner.tasks.generate import GENERATE, Viewed
from limner.verbs.latents import Latents, Place, with_standing_statistics
from limner.verbs.project import projections
from limner.verbs.styles import Styles, along, latents_of, mixture, noise_variation
from limner.verbs.views import USUAL_VIEW, View, views_of

_USUAL_COUNT = 16
_USUAL_FRAMES = 7  # along a direction
_AT_ONCE = 50  # pictures that are made together
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
    interpolate: tuple[Place, Place] | None = None,
    arithmetic: str | None = None,
    project: str | PathLike[str] | Sequence[str | PathLike[str]] | None = None,
    truncation: float | Sequence[float] | None = None,
    mix: str | None = None,
    noise_draws: int | None = None,
    direction: int | None = None,
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
        frames: Of such a model: so many pictures on the way from the first object and view to the last. With
            `interpolate`: of each class, one class after the other; None takes 16.
        interpolate: Two latents, the pictures lie on the way between: seeds, or of a model with an encoder pictures, or
            folders, which mean their average.
        arithmetic: A sum of latents, such as `3,7 - 4 + 9`, whose terms are averages over seeds, or of a model with an
            encoder over the pictures of a folder: the pictures are those of the terms, and at last that of the sum.
        project: Photos: each is followed by what the model can make that is most like it, whose latent is sought.
        truncation: How near to the mean latents are: of a model with styles a factor on what these have beside it, as
            0.7; of one with normal latents the most that a number of these may be. Of several, a row for each.
        mix: Of a model with styles: a row of pictures, and a row for each of as many others, whose styles of the
            `coarse`, `middle` or `fine` layers it takes. `count` is that of all mixtures.
        noise_draws: Of such a model: so many pictures of each seed by other noise, and how much each pixel deviates.
        direction: Of such a model: `frames` pictures of each seed, along that principal direction of its styles.
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
        >>> limner.generate("runs/chairs", ["sofa", "stool"], frames=16, output="morph.gif").shape  # doctest: +SKIP
        torch.Size([16, 4, 64, 64])
    """
    if isinstance(output, str | PathLike) and is_animation_path(output):
        check_place(Path(output), overwrite=overwrite)
    else:
        check_sheet(output, quality=quality, overwrite=overwrite)
    check_whole("count", count, 1, "give how many pictures")
    check_seed(seed)
    truncations = _truncations(truncation)
    ways: dict[str, object] = {"interpolate": interpolate, "arithmetic": arithmetic, "project": project, "mix": mix}
    ways |= {"noise_draws": noise_draws, "direction": direction}
    ways["several truncations"] = truncation if len(truncations) > 1 else None
    _refuse_two(ways)
    system, _ = load(model, GENERATE)
    several = [classes] if isinstance(classes, int | str) else None if classes is None else list(classes)
    system.to(choose_device(device))
    if isinstance(system, Viewed):
        if truncation is not None or any(one is not None for one in ways.values()):
            raise LimnerError(f"{model} makes objects with names, not latents: name classes and frames instead")
        pictures = views_of(
            system, several, (USUAL_VIEW,) if views is None else views, transform=transform, frames=frames,
            count=count or _USUAL_COUNT,
        )  # fmt: skip
    elif (
        views is not None or transform is not None or (frames is not None and interpolate is None and direction is None)
    ):
        raise LimnerError(f"{model} knows no objects that are seen from somewhere: leave out views, transform, frames")
    else:
        seeds = range(seed, seed + (count or _USUAL_COUNT))
        drawing = [latents_of(str(model), system, one) for one in truncations]
        labels = _classes(str(model), drawing[0].num_classes, several)
        if mix is not None or noise_draws is not None or direction is not None:
            pictures = _of_styles(drawing[0], seeds, mix, noise_draws, direction, frames)
        elif project is not None:
            photos = [project] if isinstance(project, str | PathLike) else project
            pictures = projections(Latents(str(model), system), photos, labels, seed=seed)
        else:
            made = []
            for latents in drawing:
                with_standing_statistics(latents)
                drawn, columns = _drawn(latents, seeds, frames, interpolate, arithmetic)
                made.append(_made(latents, drawn, labels, columns, seeds))
            pictures = torch.cat(made)
    if output is not None:
        columns = columns_of(
            len(pictures), count=count, frames=frames, mix=mix, noise_draws=noise_draws, direction=direction,
            is_way=interpolate is not None, is_sum=arithmetic is not None, is_projection=project is not None,
            truncations=len(truncations),
        )  # fmt: skip
        write_made(output, pictures, columns, quality=quality, overwrite=overwrite)
    return pictures


def columns_of(
    total: int,
    *,
    count: int | None,
    frames: int | None,
    mix: str | None,
    noise_draws: int | None,
    direction: int | None,
    is_way: bool,
    is_sum: bool,
    is_projection: bool,
    truncations: int,
) -> int | None:
    """How many of all pictures stand in a row of a sheet, as they were asked of `generate`; None leaves that open."""
    if mix is not None:
        return 1 + _sources(count)
    if noise_draws is not None:
        return noise_draws + 1
    if direction is not None:
        return frames or _USUAL_FRAMES
    if is_way:
        return frames or _USUAL_COUNT
    if is_sum:
        return total
    if is_projection:
        return 2
    return total // truncations if truncations > 1 else None


def _sources(count: int | None) -> int:
    """Pictures in the first row and column of so many mixtures."""
    return math.isqrt(count or _USUAL_COUNT)


def _truncations(truncation: float | Sequence[float] | None) -> list[float] | list[None]:
    """Those that come one after the other; None does not truncate."""
    if truncation is None:
        return [None]
    several = [float(one) for one in truncation] if isinstance(truncation, Sequence) else [float(truncation)]
    for one in several:
        if not 0 < one < math.inf:
            raise LimnerError(f"truncation must be above 0, got {one:g}: name one as 0.7")
    return several


def _refuse_two(asked: Mapping[str, object]) -> None:
    """Only one of these says what pictures are made.

    Raises:
        LimnerError: If there are two.
    """
    found = [name for name, value in asked.items() if value is not None]
    if len(found) > 1:
        raise LimnerError(f"only one can say what pictures are made: name one of {', '.join(asked)}")


def _of_styles(
    latents: Latents,
    seeds: Sequence[int],
    mix: str | None,
    noise_draws: int | None,
    direction: int | None,
    frames: int | None,
) -> Float[Tensor, "n c h w"]:
    """What only models with styles make."""
    if not isinstance(latents, Styles):
        raise LimnerError(f"{latents.name} has no styles, a stylegan has: leave out mix, noise_draws and direction")
    if mix is not None:
        side = _sources(len(seeds))
        return mixture(latents, seeds[:side], range(seeds[0] + side, seeds[0] + 2 * side), mix)
    if noise_draws is not None:
        check_whole("noise_draws", noise_draws, 2, "give how many pictures of a seed")
        return noise_variation(latents, seeds, noise_draws)
    assert direction is not None
    return along(latents, seeds, direction, frames or _USUAL_FRAMES)


@torch.inference_mode()
def _drawn(
    latents: Latents,
    seeds: Sequence[int],
    frames: int | None,
    interpolate: tuple[Place, Place] | None,
    arithmetic: str | None,
) -> tuple[Float[Tensor, "n z"], int | None]:
    """The latents that are asked for, and how many of them stand in a row of a sheet; None leaves that open."""
    if interpolate is not None:
        drawn = latents.way(*interpolate, frames or _USUAL_COUNT)
    elif arithmetic is not None:
        drawn = latents.sum_of(arithmetic)
    else:
        return torch.stack([latents.of_seed(seed) for seed in seeds]), None
    return drawn, len(drawn)


@torch.inference_mode()
def _made(
    latents: Latents, drawn: Float[Tensor, "n z"], labels: Tensor | None, columns: int | None, seeds: Sequence[int]
) -> Float[Tensor, "m c h w"]:
    """The picture of each latent, whose classes come in turn; of a row of latents, one row for each class.

    The noise of layers is that of the latent's seed; of a row, that of the first one.
    """
    if labels is not None and columns is not None:
        drawn, labels = drawn.repeat(len(labels), 1), labels.repeat_interleave(columns)
    made = []
    for first in range(0, len(drawn), _AT_ONCE):
        some = drawn[first : first + _AT_ONCE]
        numbers = range(first, first + len(some))
        noise = [latents.noise_of(seeds[0 if columns else number]) for number in numbers]
        label = None if labels is None else labels[torch.tensor(numbers) % len(labels)]
        made.append(latents.pictures_of(some, [torch.stack(one) for one in zip(*noise, strict=True)], label))
    return torch.cat(made)


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


def _classes(model: str, known: int | None, asked: Sequence[int | str] | None) -> Tensor | None:
    """The classes that come in turn; None where the model knows none."""
    if known is None:
        if asked is not None:
            raise LimnerError(f"{model} knows no classes: ask for none")
        return None
    several = list(range(known)) if asked is None else [int(one) if _is_number(one) else one for one in asked]
    for one in several:
        check_whole("a class", one, 0, f"name one from 0 to {known - 1}", known - 1)
    return torch.tensor(several)


def _is_number(word: int | str) -> bool:
    return isinstance(word, str) and word.isdecimal()
