"""Two translators, there and back: what comes back of a picture, and whether the way there keeps light and dark.

Chu, Zhmoginov and Sandler, "CycleGAN, a master of steganography", 2017, arXiv:1712.02950: a picture may come back from
what nobody sees of its translation. A translation that is rounded and a little blurred does not carry that.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor

from limner.ops.color import luminance
from limner.types import Image

Translate: TypeAlias = Callable[[Image], Image]

_HIDDEN = 2.0  # times what rounding and blurring should cost
_SMALLEST = 1e-6  # of a variance that is divided by


class CycleErrors(NamedTuple):
    """Mean absolute differences, in [0, 1], of pictures and what comes back of them.

    Attributes:
        plain: As it is.
        rounded: By way of a translation in 8 bits.
        blurred: By way of one that is also blurred lightly.
        blur: Of pictures and themselves, blurred so.
    """

    plain: float
    rounded: float
    blurred: float
    blur: float

    @property
    def limit(self) -> float:
        """What `blurred` is at most where the translation itself says what the picture was."""
        return _HIDDEN * (self.plain + self.blur)


def cycle_errors(there: Translate, back: Translate, photo: Image) -> CycleErrors:
    """What comes back of pictures.

    Args:
        there: The translator that they are given.
        back: The one that is given what comes of them.
        photo: Pictures in [0, 1].

    >>> import torch
    >>> cycle_errors(lambda x: 1 - x, lambda x: 1 - x, torch.full((1, 3, 8, 8), 0.25)).plain
    0.0
    """
    made = there(photo)
    rounded = (made.clamp(0, 1) * 255).round() / 255

    def error(translation: Image) -> float:
        return _apart(back(translation), photo)

    return CycleErrors(
        error(made), error(rounded), error(lightly_blurred(rounded)), _apart(lightly_blurred(photo), photo)
    )


def lightly_blurred(image: Image) -> Image:
    """By (1, 2, 1) / 4 along rows and columns, a deviation of 0.7 pixels; borders go on beyond the picture."""
    weights = torch.tensor([1.0, 2.0, 1.0]) / 4
    kernel = torch.outer(weights, weights).to(image).expand(image.shape[1], 1, 3, 3)
    return F.conv2d(F.pad(image, (1, 1, 1, 1), mode="replicate"), kernel, groups=image.shape[1])


def likeness(made: Image, photo: Image) -> float:
    """How far light is light and dark is dark as before, from -1 (turned round) to 1: a mean of correlations.

    It is that of the luminance of each picture and what was made of it.
    """
    one, other = (luminance(image).flatten(1) for image in (made, photo))
    one, other = (values - values.mean(1, keepdim=True) for values in (one, other))
    scale = (one.square().mean(1) * other.square().mean(1)).sqrt().clamp(min=_SMALLEST)
    return float(((one * other).mean(1) / scale).mean())


def _apart(one: Tensor, other: Tensor) -> float:
    return float((one - other).abs().mean())
