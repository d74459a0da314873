"""The words that every floor shares: image tensors, precisions, training batches, and a player's turn."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias

from jaxtyping import Float, Int
from torch import Tensor, nn

Image: TypeAlias = Float[Tensor, "n 3 h w"]
"""RGB, float32, in [0, 1]."""

Luminance: TypeAlias = Float[Tensor, "n 1 h w"]
"""The Y of ITU-R BT.601 as MATLAB's `rgb2ycbcr` scales it: in [16/255, 235/255]."""


OnProgress: TypeAlias = Callable[[int, int], None]
"""Is told how many of how many are done."""

Precision: TypeAlias = Literal["fast", "exact"]
"""bfloat16 where it pays, or float32."""


class Pair(NamedTuple):
    """A batch of what goes in and what should come out."""

    source: Float[Tensor, "n c h w"]
    target: Float[Tensor, "n k H W"]

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        """What the system's forward pass is given."""
        return (self.source,)


class Styled(NamedTuple):
    """A batch of what is to be painted, and of pictures whose styles it is to have."""

    source: Image
    style: Float[Tensor, "n 3 H W"]

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        """What the system's forward pass is given."""
        return (self.source, self.style)


class Stylization(NamedTuple):
    """A batch of photos and the style that each is to be painted in.

    Attributes:
        source: The photos.
        style: Its number; a number means the same picture in a whole run.
        style_crops: Both ends of each photo's style picture, which together show all of it that a square can.
    """

    source: Float[Tensor, "n 3 h w"]
    style: Int[Tensor, " n"]
    style_crops: Float[Tensor, "n 2 3 s s"]

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        """What the system's forward pass is given."""
        return (self.source,)


class Turn(NamedTuple):
    """Whose move it is in a training step, and the named, already weighted losses that this player lowers."""

    player: str
    losses: Mapping[str, Tensor]

    @property
    def total(self) -> Tensor:
        """The sum of the losses, a scalar."""
        return sum(self.losses.values())  # type: ignore[return-value]  # sum of tensors is a tensor


class System(Protocol):
    """What `loops.fit` trains: an `nn.Module` that names its players and plays their turns."""

    @property
    def players(self) -> Mapping[str, nn.Module]:
        """Who is trained, by name, in turn order."""

    def turns(self, batch: Any) -> Iterator[Turn]:
        """Play one training step: each yield hands one player its losses and goes on once it has moved."""
