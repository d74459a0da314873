"""`restore`: take noise away, fill in what is missing, enlarge, by a network that has seen no other picture."""

import math
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any, Literal, TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor

from limner.arguments import check_finite, check_seed, check_size, check_steps, check_word, shown
from limner.catalog.optimized import DEEP_IMAGE_PRIOR
from limner.errors import LimnerError
from limner.loops.optimize import Objective, Optimized, RunControl, Watch
from limner.media.any_picture import OpenedPicture, PictureT, as_same_kind, check_output, open_picture, whiteness
from limner.media.names import Naming
from limner.ops.framing import with_longer_side
from limner.ops.resample import imresize
from limner.processor import dtype_on
from limner.runtime.memory import format_bytes
from limner.runtime.run_options import RunOptions
from limner.systems.optimize import deep_image_prior as system
from limner.systems.optimize.deep_image_prior import DeepImagePriorConfig
from limner.tasks.restore import DENOISE, ENLARGE_BY_PRIOR, INPAINT
from limner.types import Image, Precision

Task: TypeAlias = Literal["denoise", "inpaint", "upscale"]
Missing: TypeAlias = Float[Tensor, "1 1 H W"]

PRESETS: dict[Task, dict[str, DeepImagePriorConfig]] = {
    "denoise": DEEP_IMAGE_PRIOR.configs(DENOISE),
    "inpaint": DEEP_IMAGE_PRIOR.configs(INPAINT),
    "upscale": DEEP_IMAGE_PRIOR.configs(ENLARGE_BY_PRIOR),
}
"""The first one is meant where none is named; all but `modern` and `quick` are the authors' for such pictures."""

_NOISY = 50  # sigma in 8-bit levels from which the authors add more noise to z
_MORE_NOISE = 1 / 20
_LEAST_SHARE = 0.2  # of a larger pixel that must be known, for it to be
_WORKING = 1.35  # gradients and the like beside what is kept for them, as measured from 256x256 to 384x384


def settings(
    task: Task,
    preset: str = "modern",
    *,
    scale: int = 4,
    sigma: float | None = None,
    steps: int | None = None,
    seed: int = 0,
) -> DeepImagePriorConfig:
    """The configuration of a task.

    Args:
        task: `denoise`, `inpaint` or `upscale`.
        preset: One of `PRESETS`.
        scale: Of `upscale`: 2, 4 or 8.
        sigma: Of `denoise`: the deviation of the noise in 8-bit levels, if it is known.
        steps: Instead of the preset's.
        seed: Of the network's weights, of z and of the noise.

    Raises:
        LimnerError: If there is no such preset or scale.
    """
    check_word("task", task, PRESETS)
    check_word(f"preset of {task}", preset, PRESETS[task])
    check_seed(seed)
    check_steps(steps)
    if scale not in (2, 4, 8):
        raise LimnerError(f"scale must be 2, 4 or 8, got {shown(scale)}")
    if sigma is not None:
        check_finite("sigma", sigma, "it is the deviation of the noise in levels of 255")
    config = PRESETS[task][preset]
    if config is system.UPSCALE_X4 and scale == 8:
        config = system.UPSCALE_X8
    if sigma is not None and sigma >= _NOISY:
        config = config.model_copy(update={"noise": max(config.noise, _MORE_NOISE)})
    own = config.optimize.model_copy(update={"seed": seed, "steps": steps or config.optimize.steps})
    return config.model_copy(update={"optimize": own})


def restore(
    photo: PictureT,
    task: Task,
    *,
    mask: Any = None,
    mask_is_kept: bool = False,
    scale: int = 4,
    sigma: float | None = None,
    output: str | PathLike[str] | None = None,
    preset: str = "modern",
    config: DeepImagePriorConfig | None = None,
    device: str = "auto",
    precision: Precision = "fast",
    memory: int | None = None,
    seed: int = 0,
    steps: int | None = None,
    size: int | None = None,
    watch: Watch | None = None,
    quality: int | None = None,
    overwrite: bool = False,
) -> PictureT:
    """Restore a photo by the deep image prior, and give back what was given: a path for a path.

    Args:
        photo: As for `open_picture`.
        task: `denoise`, `inpaint` or `upscale`.
        mask: Of `inpaint`, any of the kinds of `photo`: white where it is missing.
        mask_is_kept: The mask is white where the photo is to be kept instead, as the paper's are.
        scale: Of `upscale`: 2, 4 or 8.
        sigma: Of `denoise`: the deviation of the noise in 8-bit levels, if it is known.
        output: Where to write the result; None puts that of a path beside it, as `restored_path` says.
        preset: One of `PRESETS`: `modern`, `quick`, or the authors' for such a picture.
        config: Instead of a preset, whose seed is then its own.
        device: `auto`, `cpu`, `cuda` or `mps`.
        precision: `fast` or `exact`.
        memory: Bytes that the process may hold in all; None takes half of what is free.
        seed: Of all that is random.
        steps: Instead of the preset's.
        size: The longer side that a larger photo is reduced to first, in pixels; None leaves it.
        watch: Called after each step; a true answer ends the run.
        quality: Of JPEG, WebP and AVIF, 1 to 100; None takes the usual.
        overwrite: Replace an existing output.

    Raises:
        LimnerError: If the photo or the mask cannot be read or do not fit, it is too small or too large, there is no
            such task or preset, or the output is there.

    Example:
        >>> limner.restore("cat.jpg", "denoise")  # doctest: +SKIP
        'cat_denoised.jpg'
    """
    check_word("task", task, PRESETS)
    check_size(size)
    config = config or settings(task, preset, scale=scale, sigma=sigma, steps=steps, seed=seed)

    def usual(path: Path) -> Path:
        return restored_path(path, task, scale)

    check_output(photo, output, usual, quality=quality, overwrite=overwrite)
    opened = open_picture(photo)
    missing = None if mask is None else missing_of(mask, inverted=mask_is_kept)
    result = restore_image(
        with_longer_side(one_channel_if_gray(opened), size, enlarge=False),
        task,
        config,
        missing=None if missing is None else (with_longer_side(missing, size, enlarge=False) > 0).float(),
        scale=scale,
        options=RunOptions(device=device, precision=precision, memory=memory),
        control=RunControl(watch),
    )
    return as_same_kind(result.image.cpu(), photo, opened.picture, output, usual, quality=quality, overwrite=overwrite)


def restored_path(source: Path, task: Task, scale: int = 4) -> Path:
    """Where a restored photo goes by default: `cat.jpg` -> `cat_denoised.jpg`."""
    return restore_naming(task, scale).path(source)


def restore_naming(task: Task, scale: int = 4, *, seed: int = 0, template: str | None = None) -> Naming:
    """How restored photos are called: by what was done.

    Raises:
        LimnerError: If the template does not fit.
    """
    usual = {"denoise": "{stem}_denoised", "inpaint": "{stem}_inpainted", "upscale": "{stem}_x{scale}"}[task]
    values = {"scale": scale, "seed": seed} if task == "upscale" else {"seed": seed}
    return Naming(template or usual, None, (usual,), **values)


def one_channel_if_gray(opened: OpenedPicture) -> Float[Tensor, "n c h w"]:
    """A gray picture's one channel, for its network paints no colours."""
    return opened.image[:, :1] if opened.picture and opened.picture.is_gray else opened.image


def missing_of(mask: Any, *, inverted: bool = False) -> Missing:
    """1 where a mask is white, for there the photo is missing; what is transparent in it counts as black.

    Raises:
        LimnerError: If it cannot be read.
    """
    return ((whiteness(mask) > 0.5) != inverted).float()


def restore_image(
    image: Float[Tensor, "n c h w"],
    task: Task,
    config: DeepImagePriorConfig,
    *,
    missing: Missing | None = None,
    scale: int = 4,
    options: RunOptions = RunOptions(),
    control: RunControl = RunControl(),
) -> Optimized:
    """The run behind `restore`, from a tensor of gray or RGB to RGB, to be stopped and resumed."""
    if len(image) != 1:
        raise LimnerError(f"one photo is restored at a time, got {len(image)}: pass them one by one")
    chosen = options.chosen_device
    height, width = image.shape[-2:]
    size = (scale * height, scale * width) if task == "upscale" else (height, width)
    config = config.model_copy(update={"network": config.network.model_copy(update={"out_channels": image.shape[1]})})
    painted = _painted_size(size, (height, width), config.most_pixels)
    precision = options.precision
    _check_memory(painted, config, dtype_on(chosen, precision), options.activations_budget())
    observed = image.to(chosen)
    known = 1 - _checked(missing, size).to(chosen) if task == "inpaint" else None
    enlarging = config if task == "upscale" else None
    finished = partial(_finished, size=size, observed=observed, known=known, enlarging=enlarging)
    found = system.restore(
        _energy(task, observed, known, painted),
        painted,
        config,
        device=chosen,
        precision=precision,
        control=control.showing(finished),
        made_of=[task, observed, known],
    )
    return found._replace(image=finished(found.image))


def _finished(
    image: Tensor,
    *,
    size: tuple[int, int],
    observed: Tensor,
    known: Tensor | None,
    enlarging: DeepImagePriorConfig | None,
) -> Image:
    """A picture of the network at its full size, with all that is known of the photo put back."""
    large = (image if tuple(image.shape[-2:]) == size else imresize(image, size=size)).clamp(0, 1)
    if enlarging is not None:
        large = system.enlargement(large, observed, enlarging)
    if known is not None:
        large = observed * known + large * (1 - known)  # what is known stays as it was
    return large.expand(-1, 3, -1, -1)


def _painted_size(size: tuple[int, int], observed: tuple[int, int], most: int | None) -> tuple[int, int]:
    """What the network paints: at most so many pixels, but no less than what was observed for an enlargement."""
    height, width = size
    factor = min(1.0, math.sqrt(most / (height * width))) if most else 1.0
    if observed != size:
        factor = max(factor, observed[0] / height)
    return max(1, round(factor * height)), max(1, round(factor * width))


def _energy(task: Task, observed: Tensor, known: Tensor | None, size: tuple[int, int]) -> Objective:
    """Of pictures of the size that is painted."""
    if task == "upscale":
        return system.super_resolution(observed)
    if tuple(observed.shape[-2:]) == size:
        return system.denoising(observed) if known is None else system.inpainting(observed, known)
    if known is None:
        return system.denoising(imresize(observed, size=size, kernel="area"))
    share = imresize(known, size=size, kernel="area")
    seen = imresize(observed * known, size=size, kernel="area") / share.clamp(min=_LEAST_SHARE)
    return system.inpainting(seen, (share >= _LEAST_SHARE).to(seen))


def _checked(missing: Missing | None, size: tuple[int, int]) -> Missing:
    if missing is None:
        raise LimnerError("to fill in what is missing, say where it is: pass a mask that is white there")
    if missing.shape[-2:] != size:
        theirs, ours = (f"{width}x{height}" for height, width in (missing.shape[-2:], size))
        raise LimnerError(f"the mask is {theirs}, the picture {ours}: they must have one size")
    share = missing.mean().item()
    if share in (0, 1):
        is_all = "all of the picture" if share else "nothing"
        raise LimnerError(
            f"by the mask {is_all} is missing: it must be white there, and black where the picture is kept"
        )
    return missing


def _check_memory(size: tuple[int, int], config: DeepImagePriorConfig, dtype: torch.dtype, free: int | None) -> None:
    needed = size[0] * size[1] * config.network.values_per_pixel * _WORKING * dtype.itemsize
    if free is not None and needed > free:
        raise LimnerError(
            f"a picture of {size[1]}x{size[0]} takes about {format_bytes(needed)}, and {format_bytes(free)} may be "
            "used: shrink it first, as by a smaller size, or allow more memory"
        )
