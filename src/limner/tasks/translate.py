"""Turning a picture of one kind into one of another: labels into photos, maps into aerial views."""

from typing import Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor

from limner.ports import Ported
from limner.tasks.task import Task
from limner.types import Image

TRANSLATE = Task("translate", "translate", protocol=Ported)


@runtime_checkable
class Styled(Ported, Protocol):
    """Takes a latent, and can find that of a photo."""

    def style_of(self, photo: Image) -> Float[Tensor, "n z"]:
        """The latents of photos in [0, 1], to be used with anything else that is translated.

        Raises:
            LimnerError: If it was trained without.
        """
