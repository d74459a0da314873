"""The largest of several linear functions for each unit: Goodfellow et al. 2013, arXiv:1302.4389, section 2."""

from jaxtyping import Float
from torch import Tensor, nn


class Maxout(nn.Module):
    """A linear layer of `units` times `pieces`, of which the largest piece is each unit's."""

    def __init__(self, in_channels: int, units: int, pieces: int) -> None:
        super().__init__()
        self.linear, self.shape = nn.Linear(in_channels, units * pieces), (units, pieces)

    def forward(self, x: Float[Tensor, "n a"]) -> Float[Tensor, "n b"]:
        """(n, in_channels) -> (n, units)."""
        return self.linear(x).unflatten(1, self.shape).amax(2)
