"""Photos beside what a generator can make that is most like them."""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from limner.systems.optimize.projection import USUAL, Projected, ProjectionConfig, project
from limner.tasks.generate import Encoder
from limner.verbs.latents import Latents

_STARTS = 4  # latents of chance that are begun with, of each class


def projections(
    latents: Latents,
    photos: Sequence[str | PathLike[str]],
    labels: Tensor | None,
    *,
    seed: int = 0,
    num_layers: int | None = None,
    config: ProjectionConfig = USUAL,
) -> Float[Tensor, "n c h w"]:
    """Each photo, squeezed to what the generator makes, and behind it the projection.

    Args:
        latents: Of the generator.
        photos: Their files.
        labels: Classes that are tried, of which the best is kept; None where the generator knows none.
        seed: The first of those that latents are drawn by; it draws the noise of layers, too, which stays. One that an
            encoder finds is begun with, too.
        num_layers: So many styles are sought for each photo, one for each layer; None seeks one latent.
        config: As for `project`.

    Raises:
        LimnerError: If a photo cannot be read.
    """
    read = latents.pictures([Path(photo) for photo in photos])
    found = [
        projected(latents, one, labels, seed=seed, num_layers=num_layers, config=config).picture.cpu() for one in read
    ]
    return torch.stack([one for pair in zip(read, found, strict=True) for one in pair])


def projected(
    latents: Latents,
    photo: Float[Tensor, "c h w"],
    labels: Tensor | None = None,
    *,
    seed: int = 0,
    num_layers: int | None = None,
    config: ProjectionConfig = USUAL,
) -> Projected:
    """The latent whose picture is most like a photo, and that picture; latents are sought in units of their deviation.

    Args:
        latents: Of the generator.
        photo: In [0, 1], as large as what it makes.
        labels: As for `projections`, as are the others.
        seed: Of the first latent that is begun with, and of noise.
        num_layers: Of which each has a style of its own.
        config: As for `project`.
    """
    latents.system.requires_grad_(False)
    center, deviation = (one.to(latents.device) for one in latents.unit)
    start = (_starts(latents, photo, seed).to(latents.device) - center) / deviation
    label = None
    if labels is not None:
        start, label = start.repeat(len(labels), 1), labels.repeat_interleave(len(start)).to(latents.device)
    noises = [noise.expand(len(start), -1).to(latents.device) for noise in latents.noise_of(seed)]
    if num_layers is not None:
        start = start[:, None].repeat(1, num_layers, 1)

    def make(latent: Tensor) -> Tensor:
        return latents.made_of(center + deviation * latent, noises, label)

    found = project(make, start, photo.to(latents.device), config, uniform=latents.port.uniform)
    return found._replace(latent=(center + deviation * found.latent).cpu())


@torch.no_grad()
def _starts(latents: Latents, photo: Float[Tensor, "c h w"], seed: int) -> Float[Tensor, "k z"]:
    starts = [latents.of_seed(seed + number) for number in range(_STARTS)]
    if isinstance(latents.system, Encoder):
        starts.append(latents.system.latents(photo[None].to(latents.device))[0].cpu())
    return torch.stack(starts)
