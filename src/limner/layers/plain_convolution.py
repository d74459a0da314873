"""What a call of `F.conv2d` is, where it is one that can be computed in other ways, and its gradients by oneDNN."""

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import torch
from torch import Tensor

Padding: TypeAlias = tuple[int, int]
"""Zeros around a picture: rows and columns."""

_TYPES = (torch.float32, torch.bfloat16)


class Convolution(NamedTuple):
    """A convolution with stride 1, without gaps and groups, in float32 or bfloat16.

    Attributes:
        x: (n, c, h, w).
        weight: (k, c, H, W).
        bias: (k,) or None.
        padding: Zeros around the picture.
        dtype: That it is computed in: that of all these, or that which autocast would cast them to.
    """

    x: Tensor
    weight: Tensor
    bias: Tensor | None
    padding: Padding
    dtype: torch.dtype

    def cast(self) -> tuple[Tensor, Tensor, Tensor | None]:
        """Picture, weights and bias of that type."""
        return (
            self.x.to(self.dtype),
            self.weight.to(self.dtype),
            None if self.bias is None else self.bias.to(self.dtype),
        )


def plain_convolution(
    input: Tensor,  # torch's own name, by which it may be given
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Convolution | None:
    """The convolution that `F.conv2d` would compute of these on a CPU; None where it is no such one."""
    plain = all(_pair(value) == (1, 1) for value in (stride, dilation)) and groups == 1 and not isinstance(padding, str)
    floats = input.dtype in _TYPES and weight.dtype in _TYPES
    if not plain or not floats or input.dim() != 4 or input.device.type != "cpu":
        return None
    cast = torch.is_autocast_enabled("cpu")
    if not cast and input.dtype != weight.dtype:
        return None
    return Convolution(input, weight, bias, _pair(padding), torch.get_autocast_dtype("cpu") if cast else input.dtype)


def gradients(
    upstream: Tensor,
    x: Tensor,
    weight: Tensor,
    bias_sizes: list[int] | None,
    padding: Padding,
    needed: Sequence[bool],
) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
    """Those to picture, weights and bias, which can be differentiated; None for what is not needed."""
    windows = (bias_sizes, [1, 1], list(padding), [1, 1], False, [0, 0], 1)
    if not any(needed):
        return None, None, None
    found = torch.ops.aten.convolution_backward(upstream, x, weight, *windows, list(needed))
    return found[0], found[1], found[2]


def _pair(value: Any) -> Any:
    """For rows and columns."""
    return tuple(value) if isinstance(value, tuple | list) else (value, value)
