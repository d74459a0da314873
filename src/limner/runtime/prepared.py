"""What a prepared network is made of: modules that say what they look at and how large their result is."""

import math
from typing import Protocol, runtime_checkable

import torch
from torch import nn

from limner.runtime.operators import Axes


@runtime_checkable
class Prepared(Protocol):
    """A module that stands for one or more of the original ones; oneDNN's operators cannot run without data."""

    dtype: torch.dtype
    operations: float
    """Multiplications and additions for one pixel of the result."""

    def axes(self) -> Axes:
        """Which input pixels an output pixel is made from."""

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Of the result, for an input (n, c, h, w) of `shape`."""


def apply_activation(activation: nn.Module | None, x: torch.Tensor) -> torch.Tensor:
    """The activation of `x`, in place where torch can do so, so that `x` must have no other reader."""
    if activation is None:
        return x
    if isinstance(activation, nn.ReLU):
        return torch.relu_(x)
    if isinstance(activation, nn.LeakyReLU):
        return nn.functional.leaky_relu_(x, activation.negative_slope)
    result: torch.Tensor = activation(x)
    return result


def operations_per_pixel(module: nn.Module | None) -> float:
    """Multiplications and additions for one pixel of the result of a module; 0 if it is no convolution."""
    if isinstance(module, Prepared):
        return module.operations
    if not isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        return 0
    count = 2 * module.in_channels * module.out_channels // module.groups * math.prod(module.kernel_size)
    return count / math.prod(module.stride) if isinstance(module, nn.ConvTranspose2d) else count
