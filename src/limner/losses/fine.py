"""Pictures compared by their finest patterns, which a loss on VGG's activations leaves to chance.

VGG's first pooling layer halves the sides, so to what lies behind patterns of two or three pixels look like others, and
a network that is trained on that can win by a mesh of them. Henaff and Simoncelli, "Geodesics of learned
representations", ICLR 2016, arXiv:1511.06394, mend the pooling; this loss, which is ours, leaves it and sees the mesh.
"""

from torch import Tensor

from limner.types import Image


def fine_loss(found: Image, wanted: Image) -> Tensor:
    """The mean squares of second differences, along columns and along rows, of what differs; 1 for unit amplitude.

    A wave of f periods a pixel is weighed by sin(pi f)^4: 1 for two pixels, 0.25 for four, 0.02 for eight.

    Args:
        found: RGB (n, 3, h, w), sides of 3 or more.
        wanted: As large.
    """
    apart = found - wanted
    return sum((_second_difference(apart, dim).square().mean() for dim in (-1, -2)), start=apart.new_zeros(()))


def _second_difference(x: Tensor, dim: int) -> Tensor:
    return x.diff(n=2, dim=dim) / 4
