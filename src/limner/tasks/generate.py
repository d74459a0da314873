"""Making pictures of what a system knows: from chance, of a class, or of an object as it is seen from somewhere."""

from typing import Protocol, runtime_checkable

from jaxtyping import Float, Int
from torch import Tensor

from limner.ports import Ported
from limner.tasks.task import Task

GENERATE = Task("generate", "generate", arguments=("--count", "16"), protocol=Ported, evaluation="generation")


@runtime_checkable
class Viewed(Ported, Protocol):
    """Makes pictures of objects that it knows by name; it is given shares of them, a view and a transform."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of the objects, in the order of their shares."""


@runtime_checkable
class Encoder(Protocol):
    """What also finds the latent of a picture."""

    def latents(self, image: Float[Tensor, "n c h w"]) -> Float[Tensor, "n z"]:
        """Pictures in [0, 1], as large as those that it makes -> latents that give them again, about."""


@runtime_checkable
class Between(Ported, Protocol):
    """Makes pictures of classes, and of what lies between them."""

    def kinds_of(self, label: Int[Tensor, " n"]) -> Float[Tensor, "n k"]:
        """Classes -> what the networks know of each."""

    def picture_of(self, latent: Float[Tensor, "n z"], kind: Float[Tensor, "n k"]) -> Float[Tensor, "n c h w"]:
        """Latents, and classes or mixtures of them -> pictures in [0, 1]."""


@runtime_checkable
class Styled(Ported, Protocol):
    """Makes pictures of styles, one for each of its layers, which it makes of a latent first."""

    @property
    def has_styles(self) -> bool:
        """Whether this one does, for its kind may do without."""

    @property
    def layer_sides(self) -> tuple[int, ...]:
        """Of the maps of each layer, in pixels."""

    @property
    def center(self) -> Float[Tensor, " z"]:
        """The mean style."""

    def styles_of(self, latent: Float[Tensor, "n z"]) -> Float[Tensor, "n l z"]:
        """Latents -> the styles of all layers."""

    def picture_of(
        self, styles: Float[Tensor, "n l z"], noise: Float[Tensor, "n m"] | None = None
    ) -> Float[Tensor, "n c h w"]:
        """Styles, and noise of the layers in a row -> pictures in [0, 1]."""
