"""What keeps a few places of a picture from ruling its instance norms.

A network can set how an instance norm scales all of a map by one strong spike in it, which is then seen as a blot:
Karras et al., "Analyzing and improving the image quality of StyleGAN", CVPR 2020, arXiv:1912.04958, section 2.
They leave such norms; this loss, which is ours, leaves the norms and forbids the spikes.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

ALLOWED = 2.5
"""Mean square over normalised channels that a place may have at no cost; the mean over all places is 1."""


@contextmanager
def entering(norms: Iterable[nn.Module]) -> Iterator[list[Tensor]]:
    """Collect what these norms are given, in the order in which they are called."""
    found: list[Tensor] = []
    hooks = [norm.register_forward_pre_hook(lambda _, given: found.append(given[0])) for norm in norms]
    try:
        yield found
    finally:
        for hook in hooks:
            hook.remove()


def spikes(maps: Iterable[Float[Tensor, "n _c _h _w"]]) -> Tensor:
    """How far places outshine the rest: the mean over places and maps of what is beyond `ALLOWED`.

    Args:
        maps: One or more, before they are normalised.
    """
    squares = [F.instance_norm(one.float()).square().mean(1) for one in maps]
    return torch.stack([F.relu(square - ALLOWED).mean() for square in squares]).mean()
