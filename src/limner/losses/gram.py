"""Texture as correlations of feature maps.

Gatys, Ecker and Bethge, "Texture synthesis using convolutional neural networks", NIPS 2015, arXiv:1505.07376.
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

Features = Float[Tensor, "n c h w"]
_NOTHING = 1e-12  # below what any picture's responses come to

Gram = Float[Tensor, "n c c"]


def gram(features: Features) -> Gram:
    """G_ij = sum_k F_ik F_jk over all places k (equation 1).

    Features in half precision are summed in float32.
    """
    flat = features.permute(0, 2, 3, 1).flatten(1, 2)  # no copy where the channels are last
    result: Tensor = _Gram.apply(flat)  # type: ignore[no-untyped-call]  # of torch
    return result


class _Gram(torch.autograd.Function):
    """F^T F of F (n, places, channels), whose gradient takes one product with F instead of two."""

    @staticmethod
    def forward(ctx: Any, flat: Tensor) -> Tensor:
        ctx.save_for_backward(flat)
        wide = flat.float() if flat.dtype in (torch.bfloat16, torch.float16) else flat
        return wide.mT @ wide

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (flat,) = ctx.saved_tensors
        (gradient,) = gradients
        return flat @ (gradient + gradient.mT).to(flat.dtype)


def gram_distances(features: Features, targets: Float[Tensor, "m c c"]) -> Float[Tensor, " n"]:
    """||G / (c h w) - target||_F^2 of each picture, from which no gradient of the targets comes.

    Gram matrices of small parts of pictures are far larger than these: each is made, compared and kept in one place.

    Args:
        features: Of n pictures; those in half precision are summed in float32.
        targets: One for each n / m pictures in a row, symmetric.
    """
    flat = features.permute(0, 2, 3, 1).flatten(1, 2)
    result: Tensor = _GramDistances.apply(flat, targets)  # type: ignore[no-untyped-call]  # of torch
    return result


class _GramDistances(torch.autograd.Function):
    """Of F (n, places, channels); d/dF ||F^T F s - T||^2 = 4 s F (F^T F s - T)."""

    @staticmethod
    def forward(ctx: Any, flat: Tensor, targets: Tensor) -> Tensor:
        wide = flat.float() if flat.dtype in (torch.bfloat16, torch.float16) else flat
        ctx.share = 1 / flat[0].numel()
        difference = targets.to(wide.dtype).repeat_interleave(len(flat) // len(targets), 0)
        difference.baddbmm_(wide.mT, wide, beta=-1, alpha=ctx.share)
        ctx.save_for_backward(flat, difference)
        return torch.linalg.vector_norm(difference, dim=(1, 2)).square()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        flat, difference = ctx.saved_tensors
        scale = (4 * ctx.share * gradients[0])[:, None, None]
        return (flat @ difference.to(flat.dtype)).mul_(scale.to(flat.dtype)), None


def gram_distance(gram: Gram, target: Float[Tensor, "#n c c"], *, relative: bool = False) -> Tensor:
    """E_l = 1 / (4 N^2) sum_ij (G_ij / M - A_ij / M')^2, the mean over the batch (equation 3).

    N is the number of channels, M and M' those of places. Where both pictures have as many places, this is the paper's
    equation; dividing each Gram matrix by its own lets a texture have another size than its source.

    Args:
        gram: G / M, of the picture.
        target: A / M', of the source; one for all pictures, or one for each.
        relative: Divide it by the E_l of a picture without any response, so that each layer of each source has a loss
            around 1 in the beginning.
    """
    distance = (gram - target).square().sum((1, 2)).mean()
    if relative:
        return distance / target.square().sum((1, 2)).mean().clamp(min=_NOTHING)
    return distance / (4 * gram.shape[-1] ** 2)
