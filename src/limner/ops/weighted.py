"""Tensors between several, by weights."""

from collections.abc import Sequence

import torch
from torch import Tensor

from limner.errors import LimnerError


def shares_of(weights: Sequence[float]) -> list[float]:
    """Weights divided by their sum.

    Raises:
        LimnerError: If there is none, one is below 0, or all are 0.
    """
    if not weights or min(weights) < 0 or not sum(weights) > 0:
        given = ", ".join(f"{weight:g}" for weight in weights) or "none"
        raise LimnerError(f"styles need one weight each, none below 0 and not all 0, got {given}: give other weights")
    total = sum(weights)
    return [weight / total for weight in weights]


def weighted_mean(tensors: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
    """Of tensors of one shape, added up in float64; weights are divided by their sum.

    >>> weighted_mean([torch.tensor([1.0]), torch.tensor([4.0])], [1.0, 2.0])
    tensor([3.])

    Raises:
        LimnerError: If there is not one weight for each, one is below 0, or all are 0.
    """
    if len(tensors) != len(weights):
        raise LimnerError(f"styles need one weight each, got {len(tensors)} styles and {len(weights)} weights")
    parts = [share * one.double() for share, one in zip(shares_of(weights), tensors, strict=True)]
    return torch.stack(parts).sum(0).to(tensors[0].dtype)
