"""What repeats every few pixels, in the spectrum of rows."""

import torch
from jaxtyping import Float
from torch import Tensor

_AROUND = 6  # frequencies on each side that a peak is held against


def peak_of_rows(rows: Float[Tensor, "n h w"], period: int) -> Float[Tensor, " n"]:
    """How far the mean power of rows at a period stands out of that of its neighbours: 1 is not at all.

    Rows are cut to multiples of the period and seen under a Hann window; neighbours are the six frequencies on either
    side but the nearest, of which the median counts.
    """
    length = rows.shape[-1] // period * period
    cut = rows[..., :length]
    cut = (cut - cut.mean(-1, keepdim=True)) * torch.hann_window(length).to(cut)
    power = torch.view_as_real(torch.fft.rfft(cut)).square().sum(-1).mean(1)
    place = length // period
    around = [k for k in range(place - _AROUND, place + _AROUND + 1) if abs(k - place) > 1 and 0 < k < power.shape[-1]]
    return power[:, place] / power[:, around].median(-1).values.clamp(min=1e-9)
