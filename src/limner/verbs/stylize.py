"""`stylize`: a picture in the style of other pictures."""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
from PIL import Image as PillowImage
from torch import Tensor

from limner.errors import LimnerError
from limner.loops.optimize import Optimized, Watch, with_steps
from limner.ops.resample import imresize
from limner.runtime.device import choose_device
from limner.runtime.memory import activations_budget
from limner.systems.optimize import style as system
from limner.systems.optimize.style import Reference, StyleConfig
from limner.types import Image, Precision
from limner.verbs.given import Given, give_back, read_given

Preset: TypeAlias = Literal["modern", "quick", "paper"]
AnyPicture: TypeAlias = str | PathLike[str] | PillowImage.Image | np.ndarray | Tensor

PRESETS: dict[Preset, StyleConfig] = {
    "modern": system.STYLE_MODERN,
    "quick": system.STYLE_QUICK,
    "paper": system.STYLE_GATYS_2016,
}

_INSIDE = 0.5  # of a mask, in [0, 1]


class Style(NamedTuple):
    """A picture whose style is wanted.

    Attributes:
        image: As for `read_given`.
        weight: Beside the other styles of the same place.
        mask: A picture as large as the content, white where this style is wanted; None: wherever no mask is.
        scale: Of its strokes: 1 shows the style picture as large as the result.
    """

    image: AnyPicture
    weight: float = 1.0
    mask: AnyPicture | None = None
    scale: float = 1.0


def stylize(
    image: Given,
    style: AnyPicture | Style | Sequence[AnyPicture | Style],
    *,
    output: str | PathLike[str] | None = None,
    size: int | None = 512,
    keep_colors: bool = False,
    preset: Preset = "modern",
    config: StyleConfig | None = None,
    features: str | PathLike[str] | None = None,
    device: str = "auto",
    precision: Precision = "fast",
    memory: int | None = None,
    seed: int = 0,
    watch: Watch | None = None,
    overwrite: bool = False,
) -> Given:
    """The content of one picture in the style of others, in the kind that was given: a path for a path.

    Args:
        image: The content, as for `read_given`.
        style: A picture, or several, or each with its weight, mask and scale.
        output: Where to write the result of a path; None puts it beside the picture as `<name>_stylized`.
        size: The longer side of the result in pixels; None keeps that of the content.
        keep_colors: Keep the content's colours.
        preset: `modern`, `quick`, or `paper` as published.
        config: Instead of a preset.
        features: A file of weights of VGG-16 or VGG-19; None takes the embedded ones.
        device: `auto`, `cpu`, `cuda` or `mps`.
        precision: `fast` or `exact`.
        memory: Bytes that the process may hold in all; None takes half of what is free.
        seed: Of the noise, where it begins with that.
        watch: Told after each step; a true answer ends the run.
        overwrite: Replace an existing output.

    Raises:
        LimnerError: If a picture cannot be read or is too small, or a mask has another size than the content.
    """
    opened = read_given(image)
    given = style if isinstance(style, Sequence) and not isinstance(style, str | Style) else [style]
    result = paint(
        opened.image,
        [one if isinstance(one, Style) else Style(one) for one in given],
        config or PRESETS[preset],
        size=size,
        keep_colors=keep_colors,
        features=None if features is None else Path(features),
        device=device,
        precision=precision,
        memory=memory,
        seed=seed,
        watch=watch,
    )
    target = None
    if isinstance(image, str | PathLike):
        target = Path(output) if output else beside(Path(image))
    return give_back(result.image.cpu(), image, opened.picture, target, overwrite=overwrite)


def beside(source: Path) -> Path:
    """Where the result goes when nobody says: `photo.jpg` -> `photo_stylized.jpg`."""
    return source.with_name(f"{source.stem}_stylized{source.suffix}")


def paint(
    content: Image,
    styles: Sequence[Style],
    config: StyleConfig,
    *,
    steps: int | None = None,
    size: int | None = 512,
    keep_colors: bool = False,
    features: Path | None = None,
    device: str = "auto",
    precision: Precision = "fast",
    memory: int | None = None,
    seed: int = 0,
    watch: Watch | None = None,
    state: Path | None = None,
    resume: bool = False,
) -> Optimized:
    """The run behind `stylize`, from tensor to tensor, of so many steps in all, to be stopped and resumed."""
    if steps is not None:
        config = config.model_copy(update={"passes": with_steps(config.passes, steps)})
    chosen = choose_device(device)
    content = content[:1]
    wanted = size or max(content.shape[-2:])
    references = [_reference(one, content, wanted) for one in styles]
    return system.stylize(
        _sized(content, wanted).to(chosen),
        [Reference(one.image.to(chosen), one.weight, _on(one.mask, chosen)) for one in references],
        config,
        keep_colors=keep_colors,
        weights=features,
        precision=precision,
        memory=activations_budget(chosen, memory),
        seed=seed,
        watch=watch,
        state=state,
        resume=resume,
    )


def _reference(style: Style, content: Image, size: int) -> Reference:
    if not style.scale > 0:
        raise LimnerError(f"the scale of a style must be above 0, got {style.scale:g}: 1 is that of its picture")
    image = _sized(read_given(style.image).image[:1], max(1, round(style.scale * size)))
    return Reference(image, style.weight, None if style.mask is None else _mask(style.mask, content, size))


def _mask(given: AnyPicture, content: Image, size: int) -> Tensor:
    """White is 1, black is 0; as large as the result."""
    mask = read_given(given).image[:1].mean(1, keepdim=True)
    if mask.shape[-2:] != content.shape[-2:]:
        name = given if isinstance(given, str | PathLike) else "the mask"
        raise LimnerError(
            f"{name}: a mask must be as large as the content, {content.shape[-1]}x{content.shape[-2]}, "
            f"got {mask.shape[-1]}x{mask.shape[-2]}: resize it"
        )
    if not bool((mask > _INSIDE).any()):
        raise LimnerError("a mask must be white where its style is wanted, got one without white")
    return _sized(mask, size)


def _sized(image: Tensor, size: int) -> Tensor:
    """With a longer side of so many pixels."""
    height, width = image.shape[-2:]
    scale = size / max(height, width)
    if scale == 1:
        return image
    return imresize(image, size=(max(1, round(scale * height)), max(1, round(scale * width)))).clamp(0, 1)


def _on(mask: Tensor | None, device: object) -> Tensor | None:
    return None if mask is None else mask.to(device)  # type: ignore[call-overload]  # of torch
