"""Instance norm for inference: statistics in float32, one pass to apply them, the activation in place."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limner.ops.statistics import channel_statistics
from limner.runtime.operators import POINTWISE, Axes
from limner.runtime.prepared import apply_activation


class ChannelNorm(nn.Module):
    """Instance norm without running statistics, and the activation after it.

    torch's own is slow for channels-last feature maps. Its group norm is the same function there and fast, but takes
    the variance as E[x^2] - E[x]^2, which loses every digit where the mean is large. The statistics of batch norm
    are taken in two passes, and fast.
    """

    def __init__(self, norm: nn.InstanceNorm2d, activation: nn.Module | None, dtype: torch.dtype) -> None:
        super().__init__()
        self.eps, self.activation, self.dtype, self.operations = norm.eps, activation, dtype, 0.0
        affine = norm.weight is not None
        self.weight = norm.weight.detach().float() if affine else torch.ones(norm.num_features)
        self.bias = norm.bias.detach().float() if affine else torch.zeros(norm.num_features)

    def axes(self) -> Axes:
        """Pointwise, once the statistics are known."""
        return POINTWISE

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """That of the input."""
        return shape

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, h, w), every picture and channel by its own statistics."""
        return self.normalise(x, *channel_statistics(x))

    def normalise(self, x: Tensor, mean: Tensor, variance: Tensor) -> Tensor:
        """The same by given statistics (n, c, 1, 1)."""
        if not x.is_contiguous():
            x = x.contiguous(memory_format=torch.channels_last)  # torch is slow on a part that is cut out of one
        normal = [
            F.batch_norm(one[None], m.flatten().float(), v.flatten().float(), self.weight, self.bias, eps=self.eps)
            for one, m, v in zip(x, mean, variance, strict=True)
        ]
        return apply_activation(self.activation, normal[0] if len(normal) == 1 else torch.cat(normal))
