"""Spectral norm: weights divided by their largest singular value, followed by one step of power iteration at a time.

Miyato, Kataoka, Koyama and Yoshida, "Spectral normalization for generative adversarial networks", ICLR 2018,
arXiv:1802.05957, algorithm 1.
"""

from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrize

M = TypeVar("M", bound=nn.Module)


class Spectral(nn.Module):
    """From a weight (d, ...) to the same one divided by the largest singular value of (d, all others)."""

    u: Tensor

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.register_buffer("u", F.normalize(torch.randn(len(weight)), dim=0))

    def forward(self, weight: Tensor) -> Tensor:
        """In training, u takes a step towards the singular vector; the norm's own gradient is part of the result's.

        Products are sums of products here, for matrix products would be of half precision under autocast.
        """
        matrix = weight.flatten(1)
        with torch.no_grad():
            u = self.u.clone()
            v = F.normalize((matrix * u[:, None]).sum(0), dim=0)
            if self.training:
                u = F.normalize((matrix * v).sum(1), dim=0)
                self.u.copy_(u)
        return weight / (u * (matrix * v).sum(1)).sum()


def spectral(module: M) -> M:
    """The same module, whose weight is normalised wherever it is used."""
    weight = module.weight
    assert isinstance(weight, Tensor)
    parametrize.register_parametrization(module, "weight", Spectral(weight))
    return module


def without_parametrizations(system: nn.Module) -> None:
    """Replace, in place, what a weight is computed from by the weight: it no longer changes once training is over.

    torch's own way changes a class that a module shares with its copies.
    """
    for module in system.modules():
        if parametrize.is_parametrized(module):
            names = list(module.parametrizations)  # type: ignore[arg-type]  # a dictionary of modules
            weights = {name: getattr(module, name).detach().clone() for name in names}
            del module.parametrizations
            module.__class__ = type(module).__bases__[0]
            for name, weight in weights.items():
                module.register_parameter(name, nn.Parameter(weight, requires_grad=False))
