"""Unpooling: making a map twice as large without weights."""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor


def nails(channels: int, factor: int = 2) -> Float[Tensor, "c 1 f f"]:
    """The kernel whose transposed convolution, a group for each channel, is the bed of nails."""
    return F.pad(torch.ones(channels, 1, 1, 1), (0, factor - 1, 0, factor - 1))


def bed_of_nails(x: Float[Tensor, "n c h w"], factor: int = 2) -> Float[Tensor, "n c H W"]:
    """Each value at the upper left of its cell, and zeros elsewhere.

    >>> import torch
    >>> bed_of_nails(torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]]))[0, 0]
    tensor([[1., 0., 2., 0.],
            [0., 0., 0., 0.],
            [3., 0., 4., 0.],
            [0., 0., 0., 0.]])
    """
    return F.conv_transpose2d(x, nails(x.shape[1], factor).to(x), stride=factor, groups=x.shape[1])


def max_unpool(
    x: Float[Tensor, "n c h w"], places: Int[Tensor, "n c h w"], factor: int = 2
) -> Float[Tensor, "n c H W"]:
    """Each value where the paired max pool found its maximum, and zeros elsewhere.

    Args:
        x: As large as what the pool gave.
        places: What `max_pool2d(..., return_indices=True)` gave, of a map whose sides are multiples of `factor`.
        factor: Of that pool.

    >>> import torch
    >>> pooled, places = F.max_pool2d(torch.tensor([[[[1.0, 2.0], [6.0, 3.0]]]]), 2, return_indices=True)
    >>> max_unpool(pooled * 0 + 5, places)[0, 0]
    tensor([[0., 0.],
            [5., 0.]])
    """
    if torch._C._is_tracing():  # sizes are tensors then, which F.max_unpool2d does not take
        sizes = [factor * x.shape[2], factor * x.shape[3]]
        made: Tensor = torch._C._nn.max_unpool2d(x, places, sizes)  # torch.ops.aten.max_unpool2d would fix the sizes
        return made
    return F.max_unpool2d(x, places, [factor, factor])
