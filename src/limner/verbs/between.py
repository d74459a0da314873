"""Pictures between classes: Brock et al. 2018, arXiv:1809.11096, figure 8."""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from limner.tasks.generate import Between
from limner.verbs.latents import Latents


@torch.inference_mode()
def between(latents: Latents, seeds: Sequence[int], classes: Int[Tensor, " k"], count: int) -> Float[Tensor, "n c h w"]:
    """For each seed a row of so many pictures, whose latent stays, on the way from the first class to the last.

    Args:
        latents: Of a system that knows what lies between classes.
        seeds: Of the rows.
        classes: Through which the way leads, in straight lines of what the system knows of them.
        count: Of pictures in a row.
    """
    system = latents.system
    assert isinstance(system, Between)
    kinds = system.kinds_of(classes.to(latents.device))
    places = torch.linspace(0, len(kinds) - 1, count, device=latents.device)
    before = places.long().clamp(max=len(kinds) - 2)
    way = torch.lerp(kinds[before], kinds[before + 1], (places - before)[:, None])
    rows = [system.picture_of(latents.of_seed(seed).to(way).expand(count, -1), way) for seed in seeds]
    return torch.cat(rows).float().cpu().clamp(0, 1)
