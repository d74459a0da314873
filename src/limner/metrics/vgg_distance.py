"""How far a picture is from its original as VGG-16 sees them: less is nearer, 0 for equal pictures.

Zhang, Isola, Efros, Shechtman and Wang, "The unreasonable effectiveness of deep features as a perceptual metric", CVPR
2018, arXiv:1801.03924, equation 1.
Differs from the paper: this is not its LPIPS, for nothing was learnt from people. All weights w are 1, as in its
baselines; relu5_3 is left out; and the weights of the network are Simonyan and Zisserman's own.
"""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor

LAYERS = ("relu1_2", "relu2_2", "relu3_3", "relu4_3")
"""Of VGG-16, whose activations are compared."""

_SMALLEST = 1e-10  # of a length that is divided by


def vgg_distance(found: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> Float[Tensor, " n"]:
    """Sum over layers of the mean over places of || y - y0 ||^2, each place's channels scaled to length 1.

    Args:
        found: Activations (n, c, h, w) of the pictures to measure, by layer.
        wanted: Those of their originals.

    Returns:
        From 0 to 2 for each layer: twice what the cosine of the two lacks to 1.

    >>> import torch
    >>> one, other = torch.tensor([3.0, 0.0]), torch.tensor([0.0, 1.0])
    >>> vgg_distance({"relu1_2": one.view(1, 2, 1, 1)}, {"relu1_2": other.view(1, 2, 1, 1)})
    tensor([2.])
    """
    terms = [(_unit(found[layer]) - _unit(wanted[layer])).square().sum(1).mean((1, 2)) for layer in wanted]
    return torch.stack(terms).sum(0)


def _unit(activations: Tensor) -> Tensor:
    """Each place's channels divided by their length."""
    return activations / (activations.norm(dim=1, keepdim=True) + _SMALLEST)
