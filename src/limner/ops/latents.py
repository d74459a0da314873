"""Ways from one latent to another."""

import torch
from jaxtyping import Float
from torch import Tensor

_LEAST_ANGLE = 1e-3  # radians, below which both ways are one


def lerp(first: Float[Tensor, " z"], last: Float[Tensor, " z"], shares: Float[Tensor, " n"]) -> Float[Tensor, "n z"]:
    """The straight way: that of latents that are uniform.

    >>> lerp(torch.tensor([0.0, 1.0]), torch.tensor([1.0, 1.0]), torch.tensor([0.25]))
    tensor([[0.2500, 1.0000]])
    """
    return first + shares[:, None] * (last - first)


def slerp(first: Float[Tensor, " z"], last: Float[Tensor, " z"], shares: Float[Tensor, " n"]) -> Float[Tensor, "n z"]:
    """The way on a great circle, so that the lengths of normal latents stay likely: Shoemake 1985, White 2016.

    sin((1 - t) w) / sin w first + sin(t w) / sin w last, w the angle between the two (arXiv:1609.04468, section 2.1).

    >>> slerp(torch.tensor([0.0, 2.0]), torch.tensor([2.0, 0.0]), torch.tensor([0.5]))
    tensor([[1.4142, 1.4142]])
    """
    cosine = torch.cosine_similarity(first, last, dim=0).clamp(-1, 1)
    angle = torch.acos(cosine)
    if min(angle.item(), torch.pi - angle.item()) < _LEAST_ANGLE:
        return lerp(first, last, shares)
    before, after = torch.sin((1 - shares) * angle), torch.sin(shares * angle)
    return (before[:, None] * first + after[:, None] * last) / torch.sin(angle)
