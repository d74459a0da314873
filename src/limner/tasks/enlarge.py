"""Enlarging pictures: super-resolution."""

from typing import Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor

from limner.ports import Ported
from limner.tasks.task import Task
from limner.types import Forward, Image, Luminance


@runtime_checkable
class Enlarger(Ported, Protocol):
    """A system that enlarges."""

    @property
    def scales(self) -> tuple[int, ...]:
        """The enlargements that it can do."""

    @property
    def needs_whole(self) -> bool:
        """Whether `enlarge` must be given a whole picture, not its parts."""

    def enlarge(self, image: Image, scale: int, run: Forward | None = None) -> Float[Tensor, "n 3 H W"]:
        """RGB in [0, 1] -> RGB of `scale` times the sides, in [0, 1]."""


class LuminanceEnlarger(Enlarger, Protocol):
    """One whose network is given luminance, as some tables are made."""

    def enlarge_luminance(
        self, luminance: Luminance, scale: int, run: Forward | None = None
    ) -> Float[Tensor, "n 1 H W"]:
        """Y -> Y of `scale` times the sides."""


ENLARGE = Task("enlarge", "upscale", protocol=Enlarger, evaluation="super-resolution")
