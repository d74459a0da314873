"""Patterns that repeat every few pixels, as networks that enlarge leave them: peaks of a picture's spectrum."""

import torch
from torch import Tensor

from limner.ops.color import luminance
from limner.types import Image

_AROUND = 6  # frequencies on each side that a peak is held against


def grid_peak(image: Image, period: int) -> Tensor:
    """How far the power at a period, across or down, stands out of that of its neighbours: 1 is not at all, (n,).

    The power is the mean over all rows, or columns, of the luminance under a Hann window; neighbours are the six
    frequencies on either side but the nearest, of which the median counts.

    Args:
        image: RGB (n, 3, h, w) in [0, 1]; sides are cut to multiples of the period, of at least 16 periods.
        period: In pixels, 2 or more.
    """
    gray = luminance(image)[:, 0]
    return torch.maximum(_peak(gray, period), _peak(gray.mT, period))


def _peak(rows: Tensor, period: int) -> Tensor:
    length = rows.shape[-1] // period * period
    cut = rows[..., :length]
    cut = (cut - cut.mean(-1, keepdim=True)) * torch.hann_window(length).to(cut)
    power = torch.fft.rfft(cut).abs().square().mean(1)
    place = length // period
    around = [k for k in range(place - _AROUND, place + _AROUND + 1) if abs(k - place) > 1 and k < power.shape[-1]]
    return power[:, place] / power[:, around].median(-1).values.clamp(min=1e-12)
