"""What networks that enlarge by one scale share, whatever their layers."""

from collections.abc import Mapping

from jaxtyping import Float
from torch import Tensor, nn

from limner.ports import Port
from limner.types import Forward, Image


class Enlarger(nn.Module):
    """RGB in, RGB out, as many times as large; it learns as one player.

    Args of the constructor:
        scale: That it enlarges by.
    """

    needs_whole = False

    def __init__(self, scale: int) -> None:
        super().__init__()
        self._scale = scale

    @property
    def scales(self) -> tuple[int, ...]:
        """The one scale that this network enlarges by."""
        return (self._scale,)

    @property
    def outputs(self) -> tuple[Port, ...]:
        """The picture, as many times larger."""
        return (Port("result", "photo", scale=self._scale),)

    @property
    def players(self) -> Mapping[str, nn.Module]:
        """One: the whole network."""
        return {"network": self}

    def enlarge(self, image: Image, scale: int, run: Forward | None = None) -> Float[Tensor, "n 3 H W"]:
        """Enlarge an RGB picture; `run` stands for `forward` where given."""
        assert scale == self._scale
        enlarged: Tensor = (run or self)(image)
        return enlarged.clamp(0, 1)
