"""`stylize`: a picture in the style of other pictures."""

from collections.abc import Sequence
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Literal, TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor

from limner.arguments import check_path, check_seed, check_size, check_steps, check_word, model_text
from limner.catalog.optimized import STYLE_TRANSFER
from limner.loops.coarse_to_fine import with_steps
from limner.loops.optimize import Optimized, RunControl, Watch
from limner.media.any_picture import AnyPicture, PictureT, as_same_kind, check_output, open_picture, resized_photo
from limner.ops.luminance_alone import has_no_color, luma_of
from limner.ops.resample import imresize
from limner.runtime.run_options import RunOptions
from limner.systems.optimize import style as system
from limner.systems.optimize.style import Reference, StyleConfig
from limner.tasks.stylize import STYLIZE
from limner.types import Image, Precision
from limner.verbs.learn_style import learn_style
from limner.verbs.stylize.methods import Method, chosen_method, new_painting, one_pass_painter
from limner.verbs.stylize.network_painter import check_strength
from limner.verbs.stylize.strokes import Stroke
from limner.verbs.stylize.style import Style, open_style, styles_of
from limner.verbs.stylize.stylize_names import stylize_naming

Preset: TypeAlias = Literal["modern", "quick", "paper", "released"]

PRESETS = STYLE_TRANSFER.configs(STYLIZE)

GATYS_SIZE = 512
"""The longer side of what is painted by optimisation, in pixels, by default."""


def stylize(
    image: PictureT,
    style: AnyPicture | Style | Sequence[AnyPicture | Style],
    *,
    method: Method = "auto",
    model: str | PathLike[str] | None = None,
    output: str | PathLike[str] | None = None,
    learn: bool = False,
    size: int | Literal["photo"] | None = None,
    stroke: Stroke = 1.0,
    strength: float = 1.0,
    keep_colors: bool = False,
    preset: Preset = "modern",
    config: StyleConfig | None = None,
    features: str | PathLike[str] | None = None,
    device: str = "auto",
    precision: Precision = "fast",
    backend: Literal["auto", "torch", "onnxruntime", "openvino"] = "auto",
    tile: int | None = None,
    memory: int | None = None,
    threads: int | None = None,
    seed: int = 0,
    steps: int | None = None,
    watch: Watch | None = None,
    quality: int | None = None,
    overwrite: bool = False,
) -> PictureT:
    """The content of one picture in the style of others, in the kind that was given: a path for a path.

    Args:
        image: The content, as for `open_picture`.
        style: A picture or the name of a style that comes with Limner, or several, or each with its weight, mask and
            scale.
        method: `fast` paints in one pass, in the styles of `model`; `any-style` and `adain` in one pass, in any;
            `gatys` by optimisation, in any. `auto` chooses as `chosen_method` says.
        model: In one pass: a file that `limner train` wrote of a system that paints.
            None takes the embedded one.
        learn: With `auto` and `fast`: learn the style of one painting that is new first, in minutes, and keep it for
            the next photo, as `learn_style` does, which can also show how far it is; else `auto` takes what is there.
            The command learns unless `--quick` is given, so for that leave it, or pass `preset="quick"` with `gatys`.
        output: Where to write the result; None puts that of a path beside it as `<name>_<style>`.
        size: The longer side of the result in pixels, or `photo` for that of the content; None is `photo` in one pass,
            and 512 for `gatys`.
        stroke: In one pass: how many times as wide strokes are as the network paints them, which is as many pixels on
            every photo; `auto`: as wide beside the picture as on one of 512 pixels.
        strength: From 0, the content itself (with `adain`, as its network sees it), to 1, the painting.
        keep_colors: Keep the content's colours: `any-style` and `adain` give them to the styles first, the others
            paint the luminance alone.
        preset: For `gatys`: `modern`, `quick` for a first look, `paper` as published, or `released` as in the
            authors' code.
        config: For `gatys`: instead of a preset.
        features: For `gatys`: a file of weights of VGG-16 or VGG-19; None takes the embedded ones.
        device: `auto`, `cpu`, `cuda` or `mps`.
        precision: `fast` or `exact`.
        backend: In one pass: what computes on the CPU; `auto` takes the fastest that was measured here.
        tile: In one pass: side of a tile in pixels, at least 16; the result is the same.
        memory: Bytes that the process may hold in all; None takes half of what is free.
        threads: Of the CPU; None takes one for each core.
        seed: Of the noise that optimisation begins with, or that a network is given.
        steps: For `gatys`: instead of the preset's.
        watch: For `gatys`: called after each step; a true answer ends the run.
        quality: Of JPEG, WebP and AVIF, 1 to 100; None takes the usual.
        overwrite: Replace an existing output.

    Raises:
        LimnerError: If a picture cannot be read or is too small, a mask has another size than the content, there is no
            such model, an option does not fit the method, or the output is there.

    Example:
        >>> import limner, numpy
        >>> limner.stylize(numpy.zeros((32, 48, 3), numpy.uint8), "great-wave").shape
        (32, 48, 3)
    """
    check_seed(seed)
    check_steps(steps)
    if features is not None:
        check_path("features", features)
    if size != "photo":
        check_size(size)
    check_strength(strength)
    model = None if model is None else model_text(model)
    styles = styles_of(style, of_model=model is not None)
    naming = stylize_naming(styles, method=method, model=model, seed=seed)
    check_output(image, output, naming.path, quality=quality, overwrite=overwrite)
    check_word("preset", preset, PRESETS)
    opened = open_picture(image)
    options = RunOptions(device=device, precision=precision, backend=backend, tile=tile, memory=memory, threads=threads)
    slow = {"preset": preset != "modern", "config": config, "features": features, "steps": steps, "watch": watch}
    of_gatys = [name for name, value in slow.items() if value]
    of_one_pass = [name for name, given in {"model": model, "stroke": stroke != 1}.items() if given]
    chosen = chosen_method(styles, method, model, learn=learn, of_gatys=of_gatys, of_one_pass=of_one_pass)
    if learn and chosen == "fast" and model is None and (new := new_painting(styles)):
        learn_style(new, device=device)
    if chosen != "gatys":
        painter = one_pass_painter(
            chosen, styles, model, strength=strength, keep_colors=keep_colors,
            size=None if size is None or size == "photo" else size, stroke=stroke, seed=seed, options=options,
        )  # fmt: skip
        painted = painter.paint(opened.image)
    else:
        painted = optimize_style(
            opened.image,
            styles,
            config or PRESETS[preset],
            steps=steps,
            size=GATYS_SIZE if size is None else None if size == "photo" else size,
            strength=strength,
            keep_colors=keep_colors,
            features=None if features is None else Path(features),
            options=options,
            seed=seed,
            control=RunControl(watch),
        ).image.cpu()
    return as_same_kind(painted, image, opened.picture, output, naming.path, quality=quality, overwrite=overwrite)


def optimize_style(
    content: Image,
    styles: Sequence[Style],
    config: StyleConfig,
    *,
    steps: int | None = None,
    size: int | None = GATYS_SIZE,
    strength: float = 1.0,
    keep_colors: bool = False,
    features: Path | None = None,
    options: RunOptions = RunOptions(),
    seed: int = 0,
    control: RunControl = RunControl(),
) -> Optimized:
    """The run behind `gatys`, from tensor to tensor, of so many steps in all, to be stopped and resumed."""
    check_strength(strength)
    if steps is not None:
        config = config.model_copy(update={"passes": with_steps(config.passes, steps)})
    chosen = options.chosen_device
    content = content[:1]
    wanted = size or max(content.shape[-2:])
    photo = resized_photo(content, wanted).to(chosen)
    opened = [open_style(one) for one in styles]
    references = [one.reference(content, wanted) for one in opened]
    is_gray = has_no_color(content) and (keep_colors or all(has_no_color(one.image) for one in opened))
    show = partial(_blended, photo, strength=strength, is_gray=is_gray)
    done = system.stylize(
        photo,
        [Reference(one.image.to(chosen), one.weight, _on(one.mask, chosen)) for one in references],
        config,
        keep_colors=keep_colors,
        weights=features,
        precision=options.precision,
        budget=options.activations_budget,
        seed=seed,
        control=control.showing(show),
    )
    return done._replace(image=show(done.image))


def _blended(
    photo: Image, painting: Float[Tensor, "n 3 H W"], strength: float, *, is_gray: bool
) -> Float[Tensor, "n 3 H W"]:
    """Part of the way from the photo to the painting, which may be smaller, without colour where neither has any."""
    painting = luma_of(painting) if is_gray else painting
    if strength == 1:
        return painting
    return torch.lerp(imresize(photo, size=(painting.shape[-2], painting.shape[-1])).clamp(0, 1), painting, strength)


def _on(mask: Tensor | None, device: object) -> Tensor | None:
    return None if mask is None else mask.to(device)  # type: ignore[call-overload]  # of torch
