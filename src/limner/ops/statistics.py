"""Mean and deviation of each channel of a feature map, and giving one map those of another.

Huang and Belongie, "Arbitrary style transfer in real-time with adaptive instance normalization", ICCV 2017,
arXiv:1703.06868, section 5.
"""

from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor

EPSILON = 1e-5
"""Added to variances, so that a channel that is the same everywhere can be divided by its deviation."""

_EMPTY = 1e-6  # weight below which no place counts

Features = Float[Tensor, "n c h w"]


class Statistics(NamedTuple):
    """Of each channel of each map.

    Attributes:
        mean: mu, equation 5.
        deviation: sigma, equation 6: the root of the variance, divided by the number of places, plus `EPSILON`.
    """

    mean: Float[Tensor, "n c 1 1"]
    deviation: Float[Tensor, "n c 1 1"]


def mean_and_deviation(x: Features) -> Statistics:
    """Over all places.

    >>> import torch
    >>> mean, deviation = mean_and_deviation(torch.tensor([[[[1.0, 3.0]]]]))
    >>> mean.item(), round(deviation.item(), 4)
    (2.0, 1.0)
    """
    variance = x.var((2, 3), correction=0, keepdim=True)
    return Statistics(x.mean((2, 3), keepdim=True), (variance + EPSILON).sqrt())


def mean_and_deviation_within(x: Features, mask: Float[Tensor, "#n 1 h w"]) -> Statistics:
    """Over the places of a mask, which counts each by its value, 0 or more (section 7.4, spatial control).

    >>> import torch
    >>> x, mask = torch.tensor([[[[1.0, 3.0, 50.0]]]]), torch.tensor([[[[1.0, 1.0, 0.0]]]])
    >>> mean, deviation = mean_and_deviation_within(x, mask)
    >>> mean.item(), round(deviation.item(), 4)
    (2.0, 1.0)
    """
    places = mask.sum((2, 3), keepdim=True).clamp(min=_EMPTY)
    mean = (x * mask).sum((2, 3), keepdim=True) / places
    variance = ((x - mean).square() * mask).sum((2, 3), keepdim=True) / places
    return Statistics(mean, (variance + EPSILON).sqrt())


def with_statistics(x: Features, own: Statistics, wanted: Statistics) -> Features:
    """Each channel of `x`, whose statistics are `own`, with other ones."""
    return wanted.deviation * ((x - own.mean) / own.deviation) + wanted.mean


def adain(x: Features, y: Float[Tensor, "#n c H W"]) -> Features:
    """sigma(y) (x - mu(x)) / sigma(x) + mu(y), equation 8; `y` may have another size.

    >>> import torch
    >>> adain(torch.tensor([[[[1.0, 3.0]]]]), torch.tensor([[[[10.0, 30.0, 10.0, 30.0]]]])).flatten().round(decimals=2)
    tensor([10.0000, 30.0000])
    """
    return with_statistics(x, mean_and_deviation(x), mean_and_deviation(y))
