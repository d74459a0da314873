"""Patterns that repeat every few pixels, as networks that enlarge leave them: peaks of a picture's spectrum."""

import torch
from torch import Tensor

from limner.ops.color import luminance
from limner.ops.spectrum import peak_of_rows
from limner.types import Image


def grid_peak(image: Image, period: int) -> Tensor:
    """How far the power at a period, across or down, stands out of that of its neighbours: 1 is not at all, (n,).

    Args:
        image: RGB (n, 3, h, w) in [0, 1]; sides are cut to multiples of the period, of at least 16 periods.
        period: In pixels, 2 or more.
    """
    gray = luminance(image)[:, 0]
    return torch.maximum(peak_of_rows(gray, period), peak_of_rows(gray.mT, period))
