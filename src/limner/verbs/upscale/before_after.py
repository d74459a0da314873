"""Before/after pictures: the most detailed part of a photo, side by side and large enough to see the difference."""

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from limner.data.degrade import bicubic_enlarge, crop_to_multiple, published_low_resolution
from limner.errors import LimnerError
from limner.files.image import Picture, alpha_tensor, to_tensor
from limner.media.any_picture import AnyPicture, open_picture, picture_of
from limner.media.contact_sheet import Panel, contact_sheet
from limner.metrics.protocols import SR_Y_SHAVE, score
from limner.ops.color import luminance
from limner.ops.resample import imresize, scaled_size
from limner.verbs.upscale.blocks import Side
from limner.verbs.upscale.passes import check_factor
from limner.verbs.upscale.upscale import Upscaler, scale_text

_SIDE, _SIDE_OF_TRUTH = 160, 96  # of the part that is shown, in pixels of the enlargement
_PANEL = 480  # of the longer side of a panel, at least, in pixels


class Truth(NamedTuple):
    """A photo that was shrunk and enlarged again, beside itself."""

    sheet: Picture
    bicubic: float
    """PSNR of the luminance, decibels."""
    model: float
    """PSNR of the luminance, decibels."""


def before_after(
    before: AnyPicture | Picture,
    after: AnyPicture | Picture,
    scale: float | None = None,
    *,
    label: str = "Limner",
) -> Picture:
    """Left the bicubic enlargement of `before`, right `after`: their most detailed part, magnified.

    Args:
        before: The picture as it was: a `Picture`, or as for `open_picture`.
        after: Its enlargement.
        scale: By which; None finds a whole number.
        label: What stands above the right panel.

    Returns:
        A picture, whose `pixels` are an array (h, w, 3) of uint8.

    Raises:
        LimnerError: If `after` is not `scale` times as large as `before`.

    Example:
        >>> import limner, numpy
        >>> small, large = numpy.zeros((16, 24, 3), numpy.uint8), numpy.zeros((32, 48, 3), numpy.uint8)
        >>> limner.before_after(small, large).pixels.shape[2]
        3
    """
    if scale is not None:
        check_factor(scale)
    before, after = _picture(before), _picture(after)
    scale, size = scale or after.width // before.width, (after.height, after.width)
    if size != scaled_size((before.height, before.width), scale):
        raise LimnerError(
            f"after must be {'a whole number of' if scale == int(scale) else scale} times as large as before, got "
            f"{after.width}x{after.height} for {before.width}x{before.height}: pass the two of one enlargement"
        )
    small = _on_white(before)
    top, left, height, width = most_detailed(small, math.ceil(_SIDE / scale))
    down, across = Side(before.height, after.height), Side(before.width, after.width)
    bottom, right = down.edge(top + height), across.edge(left + width)
    top, left = down.edge(top), across.edge(left)
    panels = [
        Panel(f"bicubic x{scale_text(scale)}", imresize(small, size=size).clamp(0, 1)),
        Panel(f"{label} x{scale_text(scale)}", _on_white(after)),
    ]
    cut = [Panel(text, image[..., top:bottom, left:right]) for text, image in panels]
    return replace(contact_sheet(cut, least=_PANEL), icc_profile=before.icc_profile)


def _picture(given: AnyPicture | Picture) -> Picture:
    if isinstance(given, Picture):
        return given
    opened = open_picture(given)
    return opened.picture or picture_of(opened.image, Picture(np.zeros((1, 1, 3), np.uint8)))


def with_truth(upscaler: Upscaler, original: Picture, *, label: str = "Limner") -> Truth:
    """Shrink a picture, enlarge it again, and show its most detailed part: bicubic, the model's, and as it really is.

    Args:
        upscaler: Its scale, a whole number, is the one by which the picture is shrunk first.
        original: Should be larger than what is shown: 96 pixels a side.
        label: What stands above the panel in the middle.

    Raises:
        LimnerError: If the scale is no whole number, or the photo too small for it.
    """
    scale = int(upscaler.scale)
    if scale != upscaler.scale:
        raise LimnerError(f"a photo is shrunk by a whole number, got {upscaler.scale}: enlarge by 2, 3, 4 or 8")
    real = crop_to_multiple(_on_white(original), scale)
    small = published_low_resolution((real * 255).round().to(torch.uint8), scale).float() / 255
    bicubic, sharp = bicubic_enlarge(small, scale).clamp(0, 1), upscaler.enlarge(small)
    top, left, height, width = most_detailed(real, _SIDE_OF_TRUTH)
    of_bicubic, of_model = (
        score(SR_Y_SHAVE, result, real, scale, gray=original.is_gray).psnr for result in (bicubic, sharp)
    )
    panels = [
        Panel(f"bicubic: {of_bicubic:.2f} dB", bicubic),
        Panel(f"{label}: {of_model:.2f} dB", sharp),
        Panel("the real photo", real),
    ]
    cut = [Panel(text, image[..., top : top + height, left : left + width]) for text, image in panels]
    return Truth(replace(contact_sheet(cut, least=_PANEL), icc_profile=original.icc_profile), of_bicubic, of_model)


def most_detailed(image: Float[Tensor, "1 3 h w"], side: int) -> tuple[int, int, int, int]:
    """The window where the gradient of the luminance varies most: top, left, height, width, in pixels.

    Args:
        image: RGB in [0, 1].
        side: Of the window; it is as large as the picture where that is smaller.

    >>> image = torch.zeros(1, 3, 40, 40)
    >>> image[..., 24:32:2, 8:16:2] = 1
    >>> top, left, height, width = most_detailed(image, 16)
    >>> top <= 24 < 32 <= top + height and left <= 8 < 16 <= left + width
    True
    """
    height, width = (min(side, length) for length in image.shape[-2:])
    padded = F.pad(luminance(image), (1, 0, 1, 0), mode="replicate")
    gradient = torch.hypot(padded.diff(dim=-1)[..., 1:, :], padded.diff(dim=-2)[..., 1:])
    step = max(1, side // 8)
    mean, square = (F.avg_pool2d(values, (height, width), stride=step) for values in (gradient, gradient.square()))
    variance = (square - mean.square())[0, 0]
    row, column = divmod(int(variance.argmax()), variance.shape[1])
    return row * step, column * step, height, width


def _on_white(picture: Picture) -> Float[Tensor, "1 3 h w"]:
    alpha = alpha_tensor(picture)
    image = to_tensor(picture)
    return image if alpha is None else image * alpha + (1 - alpha)
