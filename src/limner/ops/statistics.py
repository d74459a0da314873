"""Mean and deviation of each channel of a feature map, and giving one map those of another.

Huang and Belongie, "Arbitrary style transfer in real-time with adaptive instance normalization", ICCV 2017,
arXiv:1703.06868, section 5.
"""

from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

EPSILON = 1e-5
"""Added to variances, so that a channel that is the same everywhere can be divided by its deviation."""

_EMPTY = 1e-6  # weight below which no place counts
_PIXELS = {torch.bfloat16: 16384}  # in one running sum
_EXACT_PIXELS = 4096

Features = Float[Tensor, "n c h w"]


class Statistics(NamedTuple):
    """Of each channel of each map.

    Attributes:
        mean: mu, equation 5.
        deviation: sigma, equation 6: the root of the variance, divided by the number of places, plus epsilon.
    """

    mean: Float[Tensor, "n c 1 1"]
    deviation: Float[Tensor, "n c 1 1"]


def mean_and_deviation(x: Features, epsilon: float = EPSILON) -> Statistics:
    """Over all places; `epsilon` is added to variances.

    >>> import torch
    >>> mean, deviation = mean_and_deviation(torch.tensor([[[[1.0, 3.0]]]]))
    >>> mean.item(), round(deviation.item(), 4)
    (2.0, 1.0)
    """
    variance = x.var((2, 3), correction=0, keepdim=True)
    return Statistics(x.mean((2, 3), keepdim=True), (variance + epsilon).sqrt())


def quick_mean_and_deviation(x: Features) -> Statistics:
    """The same in float32, for maps of any type that are learnt through; their gradient is made in one pass.

    Autograd would keep, read and write several copies of the map in float32. It cannot be differentiated twice, nor
    traced.
    """
    if x.device.type != "cpu":
        return mean_and_deviation(x.float())
    mean, variance = _Moments.apply(x)  # type: ignore[no-untyped-call]  # of torch
    return Statistics(mean, (variance + EPSILON).sqrt())


class _Moments(torch.autograd.Function):
    """Mean and variance of each channel of each map (n, c, h, w), as (n, c, 1, 1)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> tuple[Tensor, Tensor]:
        mean, variance = (part.to(torch.promote_types(x.dtype, torch.float32)) for part in channel_statistics(x))
        ctx.save_for_backward(x, mean)
        return mean, variance

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, of_mean: Tensor, of_variance: Tensor) -> Tensor:
        """(2 (x - mean) dL/dvariance + dL/dmean) / places, which is what a batch norm by given statistics comes to."""
        x, mean = ctx.saved_tensors
        scale, shift = (part.div(x[0, 0].numel()).flatten(1) for part in (2 * of_variance, of_mean))
        rows = zip(x.split(1), mean.flatten(1), scale, shift, strict=True)
        return torch.cat([F.batch_norm(one, m, torch.ones_like(m), a, b, eps=0.0) for one, m, a, b in rows])


def channel_statistics(x: Features) -> tuple[Tensor, Tensor]:
    """Mean and variance over both axes of (n, c, h, w), as (n, c, 1, 1) in float64.

    torch adds up a whole channels-last picture in one running float32 sum, which is 3e-5 off at 512x512. So it is
    given some rows at a time, and these are merged.
    """
    kind = torch.promote_types(x.dtype, torch.float32)
    aside = torch.zeros(x.shape[1], dtype=kind), torch.ones(x.shape[1], dtype=kind)  # their type is that of the result
    strips = x.split(max(1, _PIXELS.get(x.dtype, _EXACT_PIXELS) // x.shape[3]), 2)
    weight = torch.tensor([strip.shape[2] for strip in strips], dtype=torch.float64).div(x.shape[2])[:, None, None]
    seen = [[torch.batch_norm_update_stats(one[None], *aside, 0.0) for one in strip] for strip in strips]
    means, variances = (
        torch.stack([torch.stack([pair[part] for pair in strip]) for strip in seen]).double() for part in (0, 1)
    )  # (strips, n, c)
    mean = (means * weight).sum(0)
    variance = ((variances + (means - mean).square()) * weight).sum(0)
    return mean[:, :, None, None], variance[:, :, None, None]


def mean_and_deviation_within(x: Features, mask: Float[Tensor, "#n 1 h w"], epsilon: float = EPSILON) -> Statistics:
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
    return Statistics(mean, (variance + epsilon).sqrt())


def with_statistics(x: Features, own: Statistics, wanted: Statistics) -> Features:
    """Each channel of `x`, whose statistics are `own`, with other ones."""
    return (x - own.mean) / own.deviation * wanted.deviation + wanted.mean


def adain(x: Features, y: Float[Tensor, "#n c H W"]) -> Features:
    """sigma(y) (x - mu(x)) / sigma(x) + mu(y), equation 8; `y` may have another size.

    >>> import torch
    >>> adain(torch.tensor([[[[1.0, 3.0]]]]), torch.tensor([[[[10.0, 30.0, 10.0, 30.0]]]])).flatten().round(decimals=2)
    tensor([10.0000, 30.0000])
    """
    return with_statistics(x, mean_and_deviation(x), mean_and_deviation(y))
