"""Texture as correlations of feature maps.

Gatys, Ecker and Bethge, "Texture synthesis using convolutional neural networks", NIPS 2015, arXiv:1505.07376.
"""

from jaxtyping import Float
from torch import Tensor

Features = Float[Tensor, "n c h w"]
Gram = Float[Tensor, "n c c"]


def gram(features: Features) -> Gram:
    """G_ij = sum_k F_ik F_jk over all places k (equation 1)."""
    flat = features.flatten(2)
    return flat @ flat.mT


def gram_loss(features: Features, target: Float[Tensor, "#n c c"], places: int) -> Tensor:
    """E_l = 1 / (4 N^2) sum_ij (G_ij / M - target_ij / M')^2, the mean over the batch (equation 3).

    N is the number of channels and M that of places. Where both pictures have as many places, this is the paper's
    equation; dividing each Gram matrix by its own lets a texture have another size than its source.

    Args:
        features: Of the picture.
        target: The Gram matrix of the source, as `gram` gives it; one for all pictures, or one for each.
        places: M', the height times the width of the features that the target was made of.
    """
    channels, height, width = features.shape[1:]
    difference = gram(features) / (height * width) - target / places
    return difference.square().sum((1, 2)).mean() / (4 * channels**2)
