"""`generate`: new pictures by a trained generator, from chance or of what it knows."""

import math
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn

from limner.arguments import check_seed, check_whole, check_word
from limner.catalog.models import load
from limner.errors import LimnerError
from limner.files.animation import is_animation_path
from limner.files.atomic import check_place
from limner.media.any_picture import check_sheet
from limner.runtime.device import choose_device
from limner.tasks.generate import GENERATE, Between, Viewed
from limner.verbs.between import between
from limner.verbs.generated_sheet import USUAL_COUNT, USUAL_FRAMES, columns_of, sources_of, write_made
from limner.verbs.latents import Latents, Place, with_standing_statistics
from limner.verbs.project import projections
from limner.verbs.styles import Styles, along, edited, latents_of, line_of, mixture, noise_variation
from limner.verbs.views import USUAL_VIEW, View, views_of

_AT_ONCE = 50  # pictures that are made together
_SPACES = ("z", "w", "w+")


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
    direction: int | str | None = None,
    space: str | None = None,
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
        frames: Of such a model: so many pictures on the way from the first object and view to the last; of a biggan a
            row of them for each of `count` latents, from the first class to the last. With `interpolate`: of each
            class, one class after the other; None takes 16.
        interpolate: Two latents, the pictures lie on the way between: seeds, or of a model with an encoder or with
            styles pictures, or folders, which mean their average.
        arithmetic: A sum of latents, such as `3,7 - 4 + 9`, whose terms are averages over seeds, or of a model with an
            encoder or with styles over the pictures of a folder: the pictures are those of the terms, and at last that
            of the sum.
        project: Photos: each is followed by what the model can make that is most like it, whose latent is sought; with
            `direction` by `frames` pictures along that.
        truncation: How near to the mean latents are: of a model with styles a factor on what these have beside it, as
            0.7; of one with normal latents the most that a number of these may be. Of several, a row for each.
        mix: Of a model with styles: a row of pictures, and a row for each of as many others, whose styles of the
            `coarse`, `middle` or `fine` layers it takes. `count` is that of all mixtures.
        noise_draws: Of such a model: so many pictures of each seed by other noise, and how much each pixel deviates.
        direction: Of such a model: `frames` pictures of each seed, along that principal direction of its styles, or
            along a difference of means as of `arithmetic`, such as `3,7 - 4` or `glasses - faces`.
        space: Of such a model, where `project` seeks: `w`, one style for all layers, the usual; `w+`, one for each
            layer, which is more like the photo and less like what the model makes; `z`, the latent.
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
    ways |= {"noise_draws": noise_draws, "direction": None if project is not None else direction}
    ways["several truncations"] = truncation if len(truncations) > 1 else None
    _refuse_two(ways)
    if space is not None and project is None:
        raise LimnerError("space says where a photo is sought: name one with project, or leave it out")
    system, _ = load(model, GENERATE)
    several = [classes] if isinstance(classes, int | str) else None if classes is None else list(classes)
    system.to(choose_device(device))
    if isinstance(system, Viewed):
        if truncation is not None or any(one is not None for one in ways.values()):
            raise LimnerError(f"{model} makes objects with names, not latents: name classes and frames instead")
        pictures = views_of(
            system, several, (USUAL_VIEW,) if views is None else views, transform=transform, frames=frames,
            count=count or USUAL_COUNT,
        )  # fmt: skip
    elif views is not None or transform is not None or _unused(frames, system, several, interpolate, direction):
        raise LimnerError(f"{model} knows no objects that are seen from somewhere: leave out views, transform, frames")
    else:
        seeds = range(seed, seed + (count or USUAL_COUNT))
        drawing = [latents_of(str(model), system, one) for one in truncations]
        labels = _classes(str(model), drawing[0].num_classes, several)
        if project is not None:
            photos = [project] if isinstance(project, str | PathLike) else project
            pictures = _of_photos(drawing[0], photos, labels, seed, space, direction, frames)
        elif mix is not None or noise_draws is not None or direction is not None:
            pictures = _of_styles(drawing[0], seeds, mix, noise_draws, direction, frames)
        elif frames is not None and interpolate is None:
            assert labels is not None
            with_standing_statistics(drawing[0])
            pictures = between(drawing[0], seeds, labels, frames)
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
    direction: int | str | None,
    frames: int | None,
) -> Float[Tensor, "n c h w"]:
    """What only models with styles make."""
    styles = _with_styles(latents)
    if mix is not None:
        side = sources_of(len(seeds))
        return mixture(styles, seeds[:side], range(seeds[0] + side, seeds[0] + 2 * side), mix)
    if noise_draws is not None:
        check_whole("noise_draws", noise_draws, 2, "give how many pictures of a seed")
        return noise_variation(styles, seeds, noise_draws)
    assert direction is not None
    middle = torch.stack([styles.of_seed(seed) for seed in seeds])
    return along(styles, middle, styles.noises_of(seeds), line_of(styles, direction, frames or USUAL_FRAMES))


def _of_photos(
    latents: Latents,
    photos: Sequence[str | PathLike[str]],
    labels: Tensor | None,
    seed: int,
    space: str | None,
    direction: int | str | None,
    frames: int | None,
) -> Float[Tensor, "n c h w"]:
    """Photos, and what is most like them."""
    space = space or ("w" if isinstance(latents, Styles) else "z")
    check_word("space", space, _SPACES)
    if space == "z" and direction is None:
        return projections(Latents(latents.name, latents.system), photos, labels, seed=seed)
    styles = _with_styles(latents)
    if space == "z":
        raise LimnerError("a direction is one of styles, got space z: pass w or w+")
    num_layers = len(styles.styled.layer_sides) if space == "w+" else None
    if direction is None:
        return projections(styles, photos, None, seed=seed, num_layers=num_layers)
    line = line_of(styles, direction, frames or USUAL_FRAMES)
    return edited(styles, photos, line, seed=seed, num_layers=num_layers)


def _with_styles(latents: Latents) -> Styles:
    if not isinstance(latents, Styles):
        raise LimnerError(
            f"{latents.name} has no styles, a stylegan has: leave out mix, noise_draws, direction and space"
        )
    return latents


def _unused(
    frames: int | None,
    system: nn.Module,
    classes: Sequence[int | str] | None,
    interpolate: tuple[Place, Place] | None,
    direction: int | str | None,
) -> bool:
    """Whether so many pictures lie on no way."""
    is_way = isinstance(system, Between) and classes is not None and len(classes) > 1
    return frames is not None and interpolate is None and direction is None and not is_way


def _drawn(
    latents: Latents,
    seeds: Sequence[int],
    frames: int | None,
    interpolate: tuple[Place, Place] | None,
    arithmetic: str | None,
) -> tuple[Float[Tensor, "n z"], int | None]:
    """The latents that are asked for, and how many of them stand in a row of a sheet; None leaves that open."""
    if interpolate is not None:
        drawn = latents.way(*interpolate, frames or USUAL_COUNT)
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
