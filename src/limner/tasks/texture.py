"""Making more of a texture."""

from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from limner.tasks.task import Task
from limner.types import Image


@runtime_checkable
class TextureMaker(Protocol):
    """A system that draws new pictures of one texture."""

    def noise(
        self, number: int, size: tuple[int, int], rng: torch.Generator | None = None, device: torch.device | None = None
    ) -> list[Float[Tensor, "n c _ _"]]:
        """What it begins with, for pictures of height x width pixels."""

    def sample(self, size: tuple[int, int], seed: int = 0, *, number: int = 1, temperature: float = 1.0) -> Image:
        """New pictures of height x width pixels, in [0, 1]."""


TEXTURE = Task("texture", "texture", arguments=("--method", "network"), protocol=TextureMaker)
