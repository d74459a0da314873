"""Statistics of a whole picture, gathered part by part.

Chan, Golub, LeVeque, "Algorithms for computing the sample variance", The American Statistician 37(3), 1983.
"""

from typing import NamedTuple

import torch
from torch import Tensor


class Moments(NamedTuple):
    """Number, mean and sum of squared deviations, over what has been seen; float64."""

    number: int
    mean: Tensor
    squares: Tensor

    @classmethod
    def of(cls, values: Tensor, dims: tuple[int, ...]) -> "Moments":
        """Of `values` over the dimensions `dims`, which stay with size 1."""
        count = 1
        for dim in dims:
            count *= values.shape[dim]
        variance, mean = torch.var_mean(values.double(), dims, correction=0, keepdim=True)
        return cls(count, mean, variance * count)

    def merge(self, other: "Moments") -> "Moments":
        """Of both together."""
        count = self.number + other.number
        difference = other.mean - self.mean
        mean = self.mean + difference * (other.number / count)
        squares = self.squares + other.squares + difference.square() * (self.number * other.number / count)
        return Moments(count, mean, squares)

    def variance(self, correction: int = 0) -> Tensor:
        """The variance: squared deviations over number - correction."""
        return self.squares / (self.number - correction)
