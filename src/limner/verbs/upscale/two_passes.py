"""Two enlargers as one: what no network enlarges by, one enlarges by after another."""

from collections.abc import Callable
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from limner.ports import PHOTO, Port
from limner.types import Image


class TwoPasses(nn.Module):
    """Enlarges by the first network, then what that gives by the second; both take RGB and give RGB."""

    inputs = (PHOTO,)
    needs_whole = False

    def __init__(self, first: nn.Module, second: nn.Module) -> None:
        super().__init__()
        self.first, self.second = first, second

    @property
    def scales(self) -> tuple[int, ...]:
        """The product of theirs."""
        first, second = (self._scale(network) for network in (self.first, self.second))
        return (first * second,)

    @property
    def outputs(self) -> tuple[Port, ...]:
        """The picture, as many times larger."""
        return (Port("result", "photo", scale=self.scales[0]),)

    @staticmethod
    def _scale(network: Any) -> int:
        (scale,) = network.scales
        return int(scale)

    def forward(self, image: Image) -> Float[Tensor, "n 3 H W"]:
        """RGB in [0, 1] -> RGB about [0, 1], not clipped."""
        between = self.first(image).clamp(0, 1)
        return self.second(between)

    def enlarge(
        self,
        image: Float[Tensor, "n 3 h w"],
        scale: int,
        run: Callable[[Tensor], Tensor] | None = None,
    ) -> Float[Tensor, "n 3 H W"]:
        """Enlarge an RGB picture; `run` stands for `forward` where given."""
        assert (scale,) == self.scales
        return (run or self)(image).clamp(0, 1)
