"""How far pictures are from a style, as the Gram matrices of VGG-16 tell it: less is nearer, 0 is the style itself.

Gatys, Ecker and Bethge, "Image style transfer using convolutional neural networks", CVPR 2016, arXiv:1508.06576,
equation 4, over the layers of Johnson et al., arXiv:1603.08155.
Differs from the papers: each layer's distance is a root, and relative to the length of the style's own matrix, so that
layers count alike.
"""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor

LAYERS = ("relu1_2", "relu2_2", "relu3_3", "relu4_3")
"""Of VGG-16, whose Gram matrices are compared."""


def style_distance(found: Mapping[str, Tensor], style: Mapping[str, Tensor]) -> Float[Tensor, " n"]:
    """The mean over layers of ||G - S||_F / ||S||_F, where G and S are means over places.

    Args:
        found: Activations (n, c, h, w) of the pictures, by layer.
        style: Those of the style's picture (1, c, H, W), or of several that show the same style.

    >>> import torch
    >>> one = torch.tensor([3.0, 0.0])
    >>> style_distance({"relu1_2": one.view(1, 2, 1, 1)}, {"relu1_2": (2 * one).view(1, 2, 1, 1)})
    tensor([0.7500])
    """
    terms = []
    for layer, seen in style.items():
        wanted = _gram(seen).mean(0, keepdim=True)
        terms.append((_gram(found[layer]) - wanted).norm(dim=(1, 2)) / wanted.norm())
    return torch.stack(terms).mean(0)


def _gram(activations: Tensor) -> Tensor:
    """(n, c, h, w) -> (n, c, c): the mean over places of the products of channels."""
    flat = activations.flatten(2)
    return flat @ flat.mT / flat.shape[-1]
