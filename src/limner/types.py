"""The words that every floor shares: image tensors, precisions, a player's turn, and how far a run has come."""

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple, TypeAlias, get_args

from jaxtyping import Float
from torch import Tensor

Image: TypeAlias = Float[Tensor, "n 3 h w"]
"""RGB, float32, in [0, 1]."""

Luminance: TypeAlias = Float[Tensor, "n 1 h w"]
"""The Y of ITU-R BT.601 as MATLAB's `rgb2ycbcr` scales it: in [16/255, 235/255]."""


Precision: TypeAlias = Literal["fast", "exact"]
"""bfloat16 where it pays, or float32."""

PRECISIONS: tuple[Precision, ...] = get_args(Precision)

Forward: TypeAlias = Callable[[Tensor], Tensor]
"""Stands for a system's `forward`, for instance in parts."""

OnProgress: TypeAlias = Callable[[int, int], None]
"""Called after each piece of a longer work, with how many pieces are done and how many there are."""


class Progress(NamedTuple):
    """How far a training run has come when a step begins; by default, its start."""

    step: int = 0
    """Optimiser steps that have been made."""
    share: float = 0.0
    """Of the whole run, in [0, 1]: of its steps, or of its minutes where these end sooner."""


class Turn(NamedTuple):
    """Whose move it is in a training step, and the named, already weighted losses that this player lowers."""

    player: str
    losses: Mapping[str, Tensor]

    @property
    def total(self) -> Tensor:
        """The sum of the losses, a scalar."""
        return sum(self.losses.values())  # type: ignore[return-value]  # sum of tensors is a tensor
