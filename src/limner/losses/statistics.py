"""Pictures compared by the mean and deviation of each channel of what a trained network makes of them.

Huang and Belongie, "Arbitrary style transfer in real-time with adaptive instance normalization", ICCV 2017,
arXiv:1703.06868, equation 13.
"""

from collections.abc import Iterable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from limner.losses.perceptual import Activations
from limner.ops.statistics import Statistics, quick_mean_and_deviation


def statistics_loss(found: Activations, wanted: Mapping[str, Statistics], layers: Iterable[str]) -> Tensor:
    """The distances of means and of deviations, mean squares over channels and pictures, summed over layers."""
    pairs = [(quick_mean_and_deviation(found[layer]), wanted[layer]) for layer in layers]
    return torch.stack([F.mse_loss(one, other) for pair in pairs for one, other in zip(*pair, strict=True)]).sum()
