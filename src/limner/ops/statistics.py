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
_RUN = 1024  # pixels in one running sum

Features = Float[Tensor, "n c h w"]


class Statistics(NamedTuple):
    """Of each channel of each map.

    Attributes:
        mean: mu, equation 5.
        deviation: sigma, equation 6: the root of the variance, divided by the number of places, plus epsilon.
    """

    mean: Float[Tensor, "n c 1 1"]
    deviation: Float[Tensor, "n c 1 1"]


def mean_and_deviation(x: Features, epsilon: float = EPSILON, correction: int = 0) -> Statistics:
    """Over all places; `epsilon` is added to variances, which are divided by the number of places less `correction`.

    >>> import torch
    >>> mean, deviation = mean_and_deviation(torch.tensor([[[[1.0, 3.0]]]]))
    >>> mean.item(), round(deviation.item(), 4)
    (2.0, 1.0)
    """
    variance = x.var((2, 3), correction=correction, keepdim=True)
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

    torch adds up a whole channels-last picture in one running float32 sum, which is 3e-5 off at 512x512. So pixels are
    taken many at a time, as if they were channels of one, which also fills the processor's lanes; then they are merged.
    """
    n, c, h, w = x.shape
    found = [_merged(*_moments(pixels)) for pixels in x.permute(0, 2, 3, 1).reshape(n, h * w, c)]
    mean, variance = (torch.stack(part)[:, :, None, None] for part in zip(*found, strict=True))
    return mean, variance


def _moments(pixels: Float[Tensor, "p c"]) -> tuple[Tensor, Tensor, Tensor]:
    """Numbers (k, 1), means (k, c) and variances (k, c) of k groups of pixels."""
    groups = max(1, len(pixels) // _RUN)
    run = len(pixels) // groups
    parts = [pixels[: groups * run].reshape(run, -1), pixels[groups * run :]]
    found = [_running_moments(part) for part in parts if len(part)]
    numbers = torch.full((groups + len(found) - 1, 1), float(run), dtype=torch.float64)
    numbers[groups:] = len(parts[1])
    means, variances = (torch.cat([one.view(-1, pixels.shape[1]) for one in part]) for part in zip(*found, strict=True))
    return numbers, means.double(), variances.double()


def _running_moments(table: Float[Tensor, "p k"]) -> tuple[Tensor, Tensor]:
    """Mean and variance of each column, each added up in one running sum."""
    aside = torch.ones(2, table.shape[1], dtype=torch.promote_types(table.dtype, torch.float32))
    mean, variance = torch.batch_norm_update_stats(table[None, :, None].permute(0, 3, 1, 2), aside[0], aside[1], 0.0)
    return mean, variance


def _merged(numbers: Tensor, means: Tensor, variances: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and variance of the whole, by those of its parts (Chan, Golub and LeVeque 1983)."""
    shares = numbers / numbers.sum()
    mean = (means * shares).sum(0)
    return mean, ((variances + (means - mean).square()) * shares).sum(0)


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
