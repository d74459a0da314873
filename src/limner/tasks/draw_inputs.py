"""Inputs of a system that are drawn: latents and noise."""

from collections.abc import Sequence

import torch
from torch import Tensor

from limner.ports import Port

_DRAWN = frozenset({"latent", "noise"})


def with_drawn(
    ports: Sequence[Port], given: Sequence[Tensor], *, number: int, rng: torch.Generator | None = None
) -> tuple[Tensor, ...]:
    """All inputs of a system, in order: those that were given, and between them what is drawn.

    Args:
        ports: The system's `inputs`.
        given: What is not drawn, in order; on one device.
        number: Of pictures.
        rng: On the CPU; None takes torch's global one.
    """
    spatial = next((one for one in given if one.dim() == 4), None)
    height, width = (1, 1) if spatial is None else (spatial.shape[-2], spatial.shape[-1])
    device = given[0].device if given else torch.device("cpu")
    rest, found = iter(given), []
    for port in ports:
        if port.kind in _DRAWN:
            draw = torch.rand if port.uniform else torch.randn
            found.append(draw(port.shape(number, height, width), generator=rng).to(device))
        else:
            found.append(next(rest))
    return tuple(found)
