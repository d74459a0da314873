"""Layers whose weights all learn equally fast, and what Karras' generators and discriminators have around them.

Karras, Aila, Laine and Lehtinen, "Progressive growing of GANs for improved quality, stability, and variation", ICLR
2018, arXiv:1710.10196, sections 3, 4.1 and 4.2.
"""

import math
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from limner import processes

RELU_GAIN = math.sqrt(2)
"""He et al. 2015, arXiv:1502.01852: what a ReLU takes of the deviation."""


class EqualizedLinear(nn.Module):
    """Weights begin as N(0, 1) and are divided by the root of their number, so that Adam moves all alike (section 4.1).

    Args of the constructor:
        in_channels: Given.
        out_channels: Made.
        gain: Deviation of what is made, where what is given has 1.
        rate: A factor on the learning rate.
        bias: Whether there is one.
    """

    def __init__(
        self, in_channels: int, out_channels: int, *, gain: float = RELU_GAIN, rate: float = 1.0, bias: bool = True
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels) / rate)
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None
        self.scale, self.rate = gain * rate / math.sqrt(in_channels), rate

    def forward(self, x: Float[Tensor, "n c"]) -> Float[Tensor, "n d"]:
        """Vectors."""
        return F.linear(x, self.weight * self.scale, None if self.bias is None else self.bias * self.rate)


class EqualizedConv2d(nn.Module):
    """The same of a convolution that keeps the side, or doubles or halves it.

    To double the side, the map is enlarged to its nearest pixels and convolved; to halve it, it is convolved and four
    pixels are averaged. Both are one convolution with stride, of a kernel that is a pixel larger, and 4/9 of the work.

    Args of the constructor:
        in_channels: Given.
        out_channels: Made.
        kernel: Side of the kernel; 3 where the side changes.
        gain: Deviation of what is made, where what is given has 1.
        side: What becomes of the side.
        bias: Whether there is one.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: Literal[1, 3] = 3,
        *,
        gain: float = RELU_GAIN,
        side: Literal["kept", "doubled", "halved"] = "kept",
        bias: bool = True,
    ) -> None:
        super().__init__()
        assert side == "kept" or kernel == 3
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None
        self.scale, self.side = gain / math.sqrt(in_channels * kernel**2), side

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d h2 w2"]:
        """Maps."""
        weight = self.weight * self.scale
        if self.side == "doubled":
            kernel = _widened(weight.flip(2, 3)).transpose(0, 1)
            return F.conv_transpose2d(x, kernel, self.bias, stride=2, padding=1)
        if self.side == "halved":
            return F.conv2d(x, _widened(weight) / 4, self.bias, stride=2, padding=1)
        return F.conv2d(x, weight, self.bias, padding=weight.shape[-1] // 2)


def _widened(weight: Float[Tensor, "d c 3 3"]) -> Float[Tensor, "d c 4 4"]:
    """The sum of a kernel at the four places of a square of two pixels."""
    wide = F.pad(weight, (1, 1, 1, 1))
    return wide[:, :, 1:, 1:] + wide[:, :, 1:, :-1] + wide[:, :, :-1, 1:] + wide[:, :, :-1, :-1]


def blur(x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
    """Convolved with 1, 2, 1 each way, zeros around.

    >>> blur(torch.eye(3)[None, None])[0, 0, 1]
    tensor([0.2500, 0.3750, 0.2500])
    """
    line = torch.tensor([0.25, 0.5, 0.25], dtype=x.dtype, device=x.device)
    kernel = (line[:, None] * line).expand(x.shape[1], 1, 3, 3)
    return F.conv2d(x, kernel, padding=1, groups=x.shape[1])


def pixel_norm(x: Float[Tensor, "n c *rest"]) -> Float[Tensor, "n c *rest"]:
    """Divided at each place by the root of the mean square over channels (section 4.2).

    >>> pixel_norm(torch.tensor([[3.0, 0.0, 0.0, 0.0]]))
    tensor([[2.0000, 0.0000, 0.0000, 0.0000]])
    """
    return x * torch.rsqrt(x.float().square().mean(1, keepdim=True) + 1e-8).to(x.dtype)


def with_deviation(x: Float[Tensor, "n c h w"], group: int) -> Float[Tensor, "n c2 h w"]:
    """A channel more, of how much the maps of a group differ: few if a generator makes one picture only (section 3).

    Args:
        x: Of pictures of one kind.
        group: How many are compared; fewer if they do not share the batch.
    """
    everything = processes.gathered(x.float())
    number = math.gcd(len(everything), group)
    groups = everything.unflatten(0, (number, -1))
    deviation = (groups.var(0, unbiased=False) + 1e-8).sqrt().mean((1, 2, 3))
    channel = processes.own_part(deviation.repeat(number))[:, None, None, None].expand(-1, 1, *x.shape[-2:])
    return torch.cat([x, channel.to(x.dtype)], 1)
