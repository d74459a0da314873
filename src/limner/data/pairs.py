"""Training pairs of what goes in and what should come out."""

from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor


class Pair(NamedTuple):
    """A batch of what goes in and what should come out."""

    source: Float[Tensor, "n c h w"]
    target: Float[Tensor, "n k H W"]

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        """What the system's forward pass is given."""
        return (self.source,)
