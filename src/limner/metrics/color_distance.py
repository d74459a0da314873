"""How far the colours of a picture are from those of another: how strong they are, and which hues there are."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from limner.ops.color import rgb_to_ycbcr
from limner.types import Image

_QUANTILES = 256
_HUES = 24
_NEUTRAL = 128 / 255  # Cb and Cr of grays


def chroma_distance(image: Image, other: Float[Tensor, "n 3 H W"]) -> Tensor:
    """The mean distance between chromas of one rank: how far colours are from gray, in [0, 1] of YCbCr.

    It is the Wasserstein-1 distance of their distributions, (n,).

    >>> gray, red = torch.full((1, 3, 4, 4), 0.5), torch.tensor([1.0, 0.0, 0.0]).view(1, 3, 1, 1).expand(1, 3, 8, 8)
    >>> chroma_distance(gray, red).round(decimals=3)
    tensor([0.4640])
    """
    ranks = (torch.arange(_QUANTILES) + 0.5) / _QUANTILES
    one, two = (_polar(picture)[0].quantile(ranks.to(picture), dim=1) for picture in (image, other))
    return (one - two).abs().mean(0)


def hue_distance(image: Image, other: Float[Tensor, "n 3 H W"]) -> Tensor:
    """Half the L1 distance of histograms of hues, each place counted by its chroma: from 0 to 1, where none is shared.

    >>> red, blue = (torch.tensor(color).view(1, 3, 1, 1).expand(1, 3, 4, 4) for color in ([1.0, 0, 0], [0, 0, 1.0]))
    >>> hue_distance(red, blue), hue_distance(red, red)
    (tensor([1.]), tensor([0.]))
    """
    return (_hues(image) - _hues(other)).abs().sum(1) / 2


def _hues(image: Image) -> Tensor:
    chroma, hue = _polar(image)
    places = ((hue / (2 * math.pi) + 0.5) * _HUES).long().clamp(max=_HUES - 1)
    found = torch.zeros(len(image), _HUES).to(chroma).scatter_add_(1, places, chroma)
    return found / found.sum(1, keepdim=True).clamp(min=1e-9)


def _polar(image: Image) -> tuple[Tensor, Tensor]:
    """Chroma and hue, in radians, of all places (n, p)."""
    blue, red = (rgb_to_ycbcr(image)[:, 1:] - _NEUTRAL).flatten(2).unbind(1)
    return blue.hypot(red), torch.atan2(red, blue)
