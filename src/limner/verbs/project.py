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
    config: ProjectionConfig = USUAL,
) -> Float[Tensor, "n c h w"]:
    """Each photo, squeezed to what the generator makes, and behind it the projection.

    Args:
        latents: Of the generator.
        photos: Their files.
        labels: Classes that are tried, of which the best is kept; None where the generator knows none.
        seed: The first of those that latents are drawn by; it draws the noise of layers, too, which stays. One that an
            encoder finds is begun with, too.
        config: As for `project`.

    Raises:
        LimnerError: If a photo cannot be read.
    """
    read = latents.pictures([Path(photo) for photo in photos])
    found = [_projected(latents, one, labels, seed, config).picture.cpu() for one in read]
    return torch.stack([one for pair in zip(read, found, strict=True) for one in pair])


def _projected(
    latents: Latents, photo: Float[Tensor, "c h w"], labels: Tensor | None, seed: int, config: ProjectionConfig
) -> Projected:
    system, device = latents.system.requires_grad_(False), latents.device
    starts = [latents.of_seed(seed + number) for number in range(_STARTS)]
    if isinstance(system, Encoder):
        with torch.no_grad():
            starts.append(system.latents(photo[None].to(device))[0].cpu())
    start = torch.stack(starts).to(device)
    given: dict[str, Tensor] = {}
    if labels is not None:
        start, given["label"] = start.repeat(len(labels), 1), labels.repeat_interleave(len(start)).to(device)
    for port, noise in zip(latents.noises, latents.noise_of(seed), strict=True):
        given[port.name] = noise.repeat(len(start), 1).to(device)

    def make(latent: Tensor) -> Tensor:
        named = given | {latents.port.name: latent}
        made: Tensor = system(*(named[port.name] for port in latents.ports))
        return made.float()

    return project(make, start, photo.to(device), config, uniform=latents.port.uniform)
