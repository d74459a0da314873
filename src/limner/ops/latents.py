"""Latents and styles: ways from one to another, mixtures, and those near the mean."""

import torch
from jaxtyping import Float, Int
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


def mixed(
    styles: Float[Tensor, "n l z"], others: Float[Tensor, "n l z"], first: Int[Tensor, " n"]
) -> Float[Tensor, "n l z"]:
    """The styles of each picture's layers before `first`, and others from there on.

    >>> mixed(torch.zeros(1, 3, 1), torch.ones(1, 3, 1), torch.tensor([1])).flatten()
    tensor([0., 1., 1.])
    """
    is_other = torch.arange(styles.shape[1], device=styles.device) >= first[:, None]
    return torch.where(is_other[..., None], others, styles)


def truncated(
    styles: Float[Tensor, "n l z"], center: Float[Tensor, " z"], truncation: float, num_layers: int
) -> Float[Tensor, "n l z"]:
    """Styles of the first layers nearer to the mean one: Karras et al. 2019, arXiv:1812.04948, appendix B.

    >>> truncated(torch.ones(1, 2, 1), torch.zeros(1), 0.7, 1).flatten()
    tensor([0.7000, 1.0000])
    """
    near = center + truncation * (styles[:, :num_layers] - center)
    return torch.cat([near, styles[:, num_layers:]], 1)


def truncated_normal(size: int, threshold: float, rng: torch.Generator) -> Float[Tensor, " z"]:
    """Normal numbers, of which those beyond the threshold are drawn again: Brock et al. 2018, arXiv:1809.11096, 3.1.

    >>> truncated_normal(1000, 0.5, torch.Generator().manual_seed(0)).abs().max() <= 0.5
    tensor(True)
    """
    found = torch.randn(size, generator=rng)
    while (beyond := found.abs() > threshold).any():
        found[beyond] = torch.randn(int(beyond.sum()), generator=rng)
    return found
