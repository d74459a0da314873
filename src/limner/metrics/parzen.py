"""How likely real pictures are to be made: by a Gaussian about each of a generator's samples.

Breuleux, Bengio and Vincent 2011; the measure of Goodfellow et al. 2014, arXiv:1406.2661, section 5.
"""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

_AT_ONCE = 100  # real pictures, whose distances to all samples are held together


def parzen_log_likelihood(
    samples: Float[Tensor, "n d"], real: Float[Tensor, "m d"], sigma: float
) -> Float[Tensor, " m"]:
    """The logarithm of the density at each real picture, in nats: log of the mean of N(x; sample, sigma^2 I).

    Args:
        samples: Pictures of a generator, flat.
        real: Pictures that it has not seen, flat.
        sigma: Deviation of each Gaussian.

    >>> parzen_log_likelihood(torch.zeros(1, 2), torch.zeros(1, 2), 1.0)  # -log(2 pi)
    tensor([-1.8379])
    """
    constant = math.log(len(samples)) + samples.shape[1] * math.log(sigma * math.sqrt(2 * math.pi))
    found = [
        torch.logsumexp(-torch.cdist(some, samples).square() / (2 * sigma**2), 1) - constant
        for some in real.split(_AT_ONCE)
    ]
    return torch.cat(found)


def best_sigma(samples: Float[Tensor, "n d"], real: Float[Tensor, "m d"], sigmas: Sequence[float]) -> float:
    """That of the highest mean likelihood of validation pictures."""
    return max(sigmas, key=lambda sigma: parzen_log_likelihood(samples, real, sigma).mean().item())
