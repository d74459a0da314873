"""What a generator can make that is most like a photo: a latent is sought for it, weights stay as they are.

Zhu, Kraehenbuehl, Shechtman and Efros, "Generative visual manipulation on the natural image manifold", ECCV 2016,
arXiv:1609.03552, section 4.1: L(G(z), x) is lowered over z, L being of pixels and of what a network sees.
Differs from the paper: Adam, from several latents side by side, the best of which is kept; VGG-16; the length of a
normal latent is kept near what chance gives.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from limner.config import Config
from limner.features.loss_network import loss_network
from limner.loops.optimize import OptimizeConfig, optimize
from limner.loops.optimizers import ScheduleConfig


class ProjectionConfig(Config):
    """What is lowered, and how."""

    layer: str = Field("relu2_2", description="of VGG-16, by whose activations pictures are compared beside pixels")
    feature_weight: float = Field(0.05, ge=0, description="of that comparison")
    length_weight: float = Field(0.01, ge=0, description="of the mean square of a normal latent beside 1")
    optimize: OptimizeConfig = OptimizeConfig(
        steps=200, learning_rate=0.05, schedule=ScheduleConfig(kind="cosine", final=0.05)
    )


USUAL = ProjectionConfig()


class LatentPictures(nn.Module):
    """What a generator makes of latents, which are what is changed.

    Args of the constructor:
        make: From latents to pictures; its weights are no part of this module.
        start: Where they begin, (k, z), or (k, l, z) where each of the layers has one of its own.
        uniform: Whether they lie in [0, 1], and stay there.
    """

    def __init__(self, make: Callable[[Tensor], Tensor], start: Float[Tensor, " k *z"], *, uniform: bool) -> None:
        super().__init__()
        assert not isinstance(make, nn.Module)
        self._make, self.uniform = make, uniform
        self.latent = nn.Parameter(start.detach().clone())

    def forward(self) -> Float[Tensor, "k c h w"]:
        """In about [0, 1]."""
        return self._make(self.latent)

    @torch.no_grad()
    def constrain(self) -> None:
        """Put what has left [0, 1] back on its side."""
        if self.uniform:
            self.latent.clamp_(0, 1)


class Projected(NamedTuple):
    """The best of several.

    Attributes:
        number: Which of those that were begun with.
        latent: (z,), or (l, z).
        picture: What the generator makes of it, in [0, 1].
        error: The mean squared difference from the photo.
    """

    number: int
    latent: Float[Tensor, "*z"]
    picture: Float[Tensor, "c h w"]
    error: float


class ProjectionObjective:
    """The losses of pictures beside a photo, means over all that are tried.

    Args of the constructor:
        photo: In [0, 1].
        pictures: Whose latents are sought.
        config: What counts how much.
    """

    def __init__(self, photo: Float[Tensor, "c h w"], pictures: LatentPictures, config: ProjectionConfig) -> None:
        self.photo, self.pictures, self.config = photo, pictures, config
        self._vgg = loss_network([config.layer], device=photo.device)
        with torch.no_grad():
            self._wanted = self._seen(photo[None])

    def __call__(self, image: Float[Tensor, "k c h w"]) -> Mapping[str, Tensor]:
        """Pixels and features; a normal latent also has a length."""
        losses = {
            "pixels": (image - self.photo).square().mean(),
            "features": self.config.feature_weight * (self._seen(image) - self._wanted).square().mean(),
        }
        if not self.pictures.uniform:
            length = self.pictures.latent.square().flatten(1).mean(1)
            losses["length"] = self.config.length_weight * (length - 1).square().mean()
        return losses

    def _seen(self, image: Tensor) -> Tensor:
        return self._vgg(image.expand(-1, 3, -1, -1))[self.config.layer].float()


def project(
    make: Callable[[Tensor], Tensor],
    start: Float[Tensor, " k *z"],
    photo: Float[Tensor, "c h w"],
    config: ProjectionConfig = USUAL,
    *,
    uniform: bool,
) -> Projected:
    """The latent whose picture is most like a photo.

    Args:
        make: A generator: from latents to pictures as large as the photo.
        start: Latents (k, z) to begin with, or (k, l, z) of k times l layers; all are changed side by side.
        photo: In [0, 1].
        config: What is lowered, and how.
        uniform: Whether latents lie in [0, 1]; else they are normal.
    """
    pictures = LatentPictures(make, start, uniform=uniform)
    made = optimize(pictures, ProjectionObjective(photo, pictures, config), config.optimize).image
    errors = (made - photo).square().flatten(1).mean(1)
    best = int(errors.argmin())
    return Projected(best, pictures.latent.detach()[best], made[best].clamp(0, 1), errors[best].item())
