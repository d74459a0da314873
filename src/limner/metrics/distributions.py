"""How far made pictures lie from real ones as a whole, by features of each, whatever network gave these.

None of these is a FID or a KID of a paper unless the features are those of its Inception network: a figure is named
after the features that it is of.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

NEIGHBOURS = 5
"""Of the balls of precision, recall, density and coverage."""


def frechet_distance(real: Float[Tensor, "n d"], made: Float[Tensor, "m d"]) -> float:
    """|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^1/2), of normal distributions with these means and covariances.

    Heusel et al. 2017, arXiv:1706.08500, equation 6. It is biased: of few pictures it is too large, so that figures are
    compared at one number of them.

    >>> round(frechet_distance(torch.tensor([[0.0], [2.0]]), torch.tensor([[4.0], [6.0]])), 6)
    16.0
    """
    one, other = real.double(), made.double()
    first, second = torch.cov(one.T).reshape(one.shape[1], -1), torch.cov(other.T).reshape(one.shape[1], -1)
    root = _root(first)
    # tr (C1 C2)^1/2 = tr (C1^1/2 C2 C1^1/2)^1/2, whose matrix is symmetric
    crossed = torch.linalg.eigvalsh(root @ second @ root).clamp(min=0).sqrt().sum()
    apart = (one.mean(0) - other.mean(0)).square().sum()
    return (apart + first.trace() + second.trace() - 2 * crossed).item()


def _root(matrix: Tensor) -> Tensor:
    values, vectors = torch.linalg.eigh(matrix)
    return (vectors * values.clamp(min=0).sqrt()) @ vectors.T


def kernel_distance(real: Float[Tensor, "n d"], made: Float[Tensor, "m d"]) -> float:
    """The squared maximum mean discrepancy of the kernel (x.y / d + 1)^3, without bias, of all pictures at once.

    Binkowski et al. 2018, arXiv:1801.01401, section 4, there the mean over subsets of 1000. Around 0 where both are
    drawn alike, and then also below.
    """
    one, other = real.double(), made.double()

    def kernel(a: Tensor, b: Tensor) -> Tensor:
        return (a @ b.T / a.shape[1] + 1) ** 3

    def within(a: Tensor) -> Tensor:
        values = kernel(a, a)
        return (values.sum() - values.trace()) / (len(a) * (len(a) - 1))

    return (within(one) + within(other) - 2 * kernel(one, other).mean()).item()


class PRDC(NamedTuple):
    """All from 0 to 1, but for density, which may be more.

    Attributes:
        precision: Share of the made ones that lie in the ball of any real one.
        recall: Share of the real ones that lie in the ball of any made one.
        density: How many balls of real ones a made one lies in, divided by the neighbours.
        coverage: Share of the real ones whose ball holds any made one.
    """

    precision: float
    recall: float
    density: float
    coverage: float


def prdc(real: Float[Tensor, "n d"], made: Float[Tensor, "m d"], neighbours: int = NEIGHBOURS) -> PRDC:
    """Whether made pictures look real, and whether real ones are made: the ball of each reaches its k-th neighbour.

    Kynkäänniemi et al. 2019, arXiv:1904.06991, equations 1 and 2; Naeem et al. 2020, arXiv:2002.09797, equations 4
    and 5.
    """
    one, other = real.double(), made.double()
    apart = torch.cdist(one, other)
    in_real, in_made = apart < _radii(one, neighbours)[:, None], apart < _radii(other, neighbours)[None]
    return PRDC(
        in_real.any(0).double().mean().item(),
        in_made.any(1).double().mean().item(),
        in_real.double().sum(0).mean().item() / neighbours,
        in_real.any(1).double().mean().item(),
    )


def _radii(features: Tensor, neighbours: int) -> Tensor:
    """From each to its k-th neighbour, itself not counted."""
    return torch.cdist(features, features).kthvalue(neighbours + 1, dim=1).values


def mean_distance(features: Float[Tensor, "n d"]) -> float:
    """Over all pairs of different rows.

    >>> mean_distance(torch.tensor([[0.0], [1.0], [3.0]]))
    2.0
    """
    return (torch.cdist(features, features).sum() / (len(features) * (len(features) - 1))).item()
