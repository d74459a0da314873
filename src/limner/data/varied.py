"""Pictures lit, turned in hue and toned at random, so that few of them show much."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

_BRIGHTEST = 0.7  # of a light that is added
_MOST_TONED = 0.8  # of log2 of a gamma
_TURNED, _SWAPPED, _TONED = 0.35, 0.15, 0.3  # shares of pictures

Crop = Float[Tensor, "3 h w"]


def lit(crop: Crop, rng: torch.Generator) -> Crop:
    """With a soft light or shadow of random place, width and strength, for photos have suns and dark corners.

    Instance norm measures by the whole photo: what is far brighter or darker than the rest must have been seen.

    Args:
        crop: Square, in [0, 1].
        rng: Of every random choice.
    """
    place = torch.arange(crop.shape[-1], dtype=torch.float32) / crop.shape[-1]
    (row, column, width, strength) = torch.rand(4, generator=rng).tolist()
    squares = (place[:, None] - row).square() + (place[None] - column).square()
    light = torch.exp(-squares / (2 * (0.05 + 0.3 * width) ** 2))
    return (crop + _BRIGHTEST * (2 * strength - 1) * light).clamp(0, 1)


def recolored(style: Crop, rng: torch.Generator) -> Crop:
    """In [0, 1]: about half of all with other hues, and some lighter or darker."""
    (how, toned, gamma) = torch.rand(3, generator=rng).tolist()
    if how < _TURNED:
        style = hues_turned(style, 2 * math.pi * float(torch.rand((), generator=rng))).clamp(0, 1)
    elif how < _TURNED + _SWAPPED:
        style = style[torch.randperm(3, generator=rng)]
    return style ** (2 ** (_MOST_TONED * (2 * gamma - 1))) if toned < _TONED else style


def hues_turned(picture: Crop, angle: float) -> Crop:
    """Colours turned about the axis of grays by `angle` radians, not clipped (Rodrigues' rotation).

    >>> hues_turned(torch.tensor([1.0, 0.0, 0.0]).view(3, 1, 1), 2 * math.pi / 3).flatten().round(decimals=3) + 0.0
    tensor([0., 1., 0.])
    """
    cosine, across = math.cos(angle), math.sin(angle) / math.sqrt(3)
    rest = (1 - cosine) / 3
    turn = [
        [cosine + rest, rest - across, rest + across],
        [rest + across, cosine + rest, rest - across],
        [rest - across, rest + across, cosine + rest],
    ]
    return torch.einsum("ij,jhw->ihw", torch.tensor(turn), picture)
