"""`stylize`: a picture in the style of other pictures."""

from collections.abc import Sequence
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image as PillowImage
from torch import Tensor

from limner.catalog import embedded
from limner.errors import LimnerError
from limner.loops.coarse_to_fine import with_steps
from limner.loops.optimize import Optimized, Watch
from limner.ops.framing import with_longer_side
from limner.ops.resample import imresize
from limner.runtime.device import choose_device
from limner.runtime.memory import activations_budget
from limner.systems.optimize import style as system
from limner.systems.optimize.style import Reference, StyleConfig
from limner.types import Image, Precision
from limner.verbs.given import Given, give_back, read_given, whiteness
from limner.verbs.named_styles import style_picture
from limner.verbs.painter import EMBEDDED, Painter, known_styles, one_pass

Method: TypeAlias = Literal["auto", "fast", "gatys"]
Preset: TypeAlias = Literal["modern", "quick", "paper"]
AnyPicture: TypeAlias = str | PathLike[str] | PillowImage.Image | np.ndarray | Tensor

PRESETS: dict[Preset, StyleConfig] = {
    "modern": system.STYLE_MODERN,
    "quick": system.STYLE_QUICK,
    "paper": system.STYLE_GATYS_2016,
}

GATYS_SIZE = 512
"""The longer side of what is painted by optimisation, in pixels, where nobody says."""

_INSIDE = 0.5  # of a mask, in [0, 1]


class Style(NamedTuple):
    """A picture whose style is wanted.

    Attributes:
        image: As for `read_given`, or the name of a style that comes with Limner.
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
    method: Method = "auto",
    model: str | None = None,
    output: str | PathLike[str] | None = None,
    size: int | Literal["photo"] | None = None,
    strength: float = 1.0,
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
        style: A picture or the name of a style that comes with Limner, or several, or each with its weight, mask and
            scale.
        method: `fast` paints in one pass, in the styles of `model`; `gatys` by optimisation, in any. `auto` is fast
            where it can be.
        model: For `fast`: a file that `limner train fast-style` or `texture-network` wrote. None: the embedded one.
        output: Where to write the result of a path; None puts it beside the picture as `<name>_stylized`.
        size: The longer side of the result in pixels, or `photo` for that of the content; None is `photo` for `fast`
            and 512 for `gatys`.
        strength: From 0, the content itself, to 1, the painting.
        keep_colors: Keep the content's colours.
        preset: For `gatys`: `modern`, `quick`, or `paper` as published.
        config: For `gatys`: instead of a preset.
        features: For `gatys`: a file of weights of VGG-16 or VGG-19; None takes the embedded ones.
        device: `auto`, `cpu`, `cuda` or `mps`.
        precision: `fast` or `exact`.
        memory: Bytes that the process may hold in all; None takes half of what is free.
        seed: Of the noise that optimisation begins with, or that a network is given.
        watch: For `gatys`: told after each step; a true answer ends the run.
        overwrite: Replace an existing output.

    Raises:
        LimnerError: If a picture cannot be read or is too small, or a mask has another size than the content.
    """
    opened = read_given(image)
    given = style if isinstance(style, Sequence) and not isinstance(style, str | Style) else [style]
    styles = [one if isinstance(one, Style) else Style(one) for one in given]
    if chosen_method(styles, method, model, is_slow=bool(config or features or preset != "modern")) == "fast":
        network = one_pass(weights_by_name(styles), model or EMBEDDED)
        longest = None if size is None or size == "photo" else size
        painter = Painter(
            network, strength=strength, keep_colors=keep_colors, size=longest, seed=seed, device=device,
            precision=precision, memory=memory,
        )  # fmt: skip
        painted = painter.paint(opened.image)
    else:
        painted = paint(
            opened.image,
            styles,
            config or PRESETS[preset],
            size=GATYS_SIZE if size is None else None if size == "photo" else size,
            strength=strength,
            keep_colors=keep_colors,
            features=None if features is None else Path(features),
            device=device,
            precision=precision,
            memory=memory,
            seed=seed,
            watch=watch,
        ).image.cpu()
    target = None
    if isinstance(image, str | PathLike):
        target = Path(output) if output else beside(Path(image))
    return give_back(painted, image, opened.picture, target, overwrite=overwrite)


def chosen_method(
    styles: Sequence[Style], method: Method, model: str | None = None, *, is_slow: bool = False
) -> Literal["fast", "gatys"]:
    """How some styles are painted.

    Args:
        styles: At least one.
        method: What was asked for.
        model: For one pass; with `auto`, naming one asks for `fast`.
        is_slow: Whether anything is asked for that optimisation alone can do.

    Raises:
        LimnerError: If there is no such model.
    """
    if method != "auto":
        return method
    if is_slow or any(one.mask is not None or one.scale != 1 for one in styles):
        return "gatys"
    if model is not None:
        return "fast"
    known = known_styles() if EMBEDDED in embedded() else ()
    are_known = all(str(one.image) in known and not Path(str(one.image)).exists() for one in styles)
    return "fast" if are_known else "gatys"


def weights_by_name(styles: Sequence[Style]) -> dict[str, float]:
    """The styles of a network by name, with their weights.

    Raises:
        LimnerError: If one is given as pixels.
    """
    found: dict[str, float] = {}
    for one in styles:
        if not isinstance(one.image, str | PathLike):
            raise LimnerError("a style that is painted in one pass is given by its name: pass method='gatys'")
        found[str(one.image)] = found.get(str(one.image), 0) + one.weight
    return found


def beside(source: Path) -> Path:
    """Where the result goes when nobody says: `photo.jpg` -> `photo_stylized.jpg`."""
    return source.with_name(f"{source.stem}_stylized{source.suffix}")


def paint(
    content: Image,
    styles: Sequence[Style],
    config: StyleConfig,
    *,
    steps: int | None = None,
    size: int | None = GATYS_SIZE,
    strength: float = 1.0,
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
    """The run behind `gatys`, from tensor to tensor, of so many steps in all, to be stopped and resumed."""
    if not 0 <= strength <= 1:
        raise LimnerError(f"strength must be between 0, the photo, and 1, the painting, got {strength:g}")
    if steps is not None:
        config = config.model_copy(update={"passes": with_steps(config.passes, steps)})
    chosen = choose_device(device)
    content = content[:1]
    wanted = size or max(content.shape[-2:])
    references = [_reference(one, content, wanted) for one in styles]
    photo = with_longer_side(content, wanted).to(chosen)
    done = system.stylize(
        photo,
        [Reference(one.image.to(chosen), one.weight, _on(one.mask, chosen)) for one in references],
        config,
        keep_colors=keep_colors,
        weights=features,
        precision=precision,
        room=partial(activations_budget, chosen, memory),
        seed=seed,
        watch=watch and _blending(watch, photo, strength),
        state=state,
        resume=resume,
    )
    return done._replace(image=_blended(photo, done.image, strength))


def _blended(photo: Image, painting: Float[Tensor, "n 3 H W"], strength: float) -> Float[Tensor, "n 3 H W"]:
    """Part of the way from the photo to the painting, which may be smaller."""
    if strength == 1:
        return painting
    return torch.lerp(imresize(photo, size=(painting.shape[-2], painting.shape[-1])).clamp(0, 1), painting, strength)


def _blending(watch: Watch, photo: Image, strength: float) -> Watch:
    return lambda progress: watch(progress._replace(image=_blended(photo, progress.image, strength)))


def _reference(style: Style, content: Image, size: int) -> Reference:
    if not style.scale > 0:
        raise LimnerError(f"the scale of a style must be above 0, got {style.scale:g}: 1 is that of its picture")
    picture = style_picture(style.image) if isinstance(style.image, str | PathLike) else style.image
    image = with_longer_side(read_given(picture).image[:1], max(1, round(style.scale * size)))
    return Reference(image, style.weight, None if style.mask is None else _mask(style.mask, content, size))


def _mask(given: AnyPicture, content: Image, size: int) -> Tensor:
    """White is 1, black is 0; as large as the result."""
    mask, name = whiteness(given), given if isinstance(given, str | PathLike) else "the mask"
    if mask.shape[-2:] != content.shape[-2:]:
        raise LimnerError(
            f"{name}: a mask must be as large as the content, {content.shape[-1]}x{content.shape[-2]}, "
            f"got {mask.shape[-1]}x{mask.shape[-2]}: resize it"
        )
    if not bool((mask > _INSIDE).any()):
        raise LimnerError(f"{name}: a mask must be white where its style is wanted, got one without white: paint it so")
    return with_longer_side(mask, size)


def _on(mask: Tensor | None, device: object) -> Tensor | None:
    return None if mask is None else mask.to(device)  # type: ignore[call-overload]  # of torch
