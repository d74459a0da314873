"""Where a picture of which little is known begins, and what keeps it natural."""

from typing import Literal, TypeAlias, get_args

import torch
from torch import nn

from limner.layers.hourglass import Hourglass, HourglassConfig
from limner.loops.pictures import NetworkPrior, Pixels
from limner.loops.spectrum import Spectrum
from limner.types import Precision

Prior: TypeAlias = Literal["fourier", "tv", "dip"]
PRIORS: tuple[Prior, ...] = get_args(Prior)
"""Its Fourier coefficients are what is changed; or its pixels, of which total variation is to be lowered; or the
weights of a network that paints it, the deep image prior."""

_FAINT = 0.05  # deviation of the noise on the pixels at the beginning
_HIGHEST = 0.1  # of z, which is uniform from 0 (Ulyanov et al., section 2)


def begin(
    prior: Prior,
    size: tuple[int, int],
    network: HourglassConfig,
    *,
    seed: int,
    decay: float = 1.0,
    noise: float = 0.0,
    precision: Precision = "exact",
    device: torch.device | str = "cpu",
) -> nn.Module:
    """Faint noise on gray, or what a network with fresh weights paints.

    Args:
        prior: What keeps it natural.
        size: Height and width, in pixels.
        network: Of the prior `dip`; scales that the size is too small for are left out.
        seed: Of the noise, z and the weights.
        decay: Of the prior `fourier`: as for `Spectrum`.
        noise: Of the prior `dip`: the deviation of what is added to z in each step.
        precision: Of the network.
        device: Where it is.
    """
    generator = torch.Generator().manual_seed(seed)
    if prior == "fourier":
        return Spectrum(*size, decay=decay, generator=generator).to(device)
    if prior == "tv":
        return Pixels((0.5 + _FAINT * torch.randn(1, 3, *size, generator=generator)).clamp(0, 1)).to(device)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        painter = Hourglass(network.fitting(min(size)))
        z = _HIGHEST * torch.rand(1, network.in_channels, *size)
    return NetworkPrior(painter, z, noise=noise, precision=precision, device=device)
