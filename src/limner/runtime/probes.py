"""What a system is tried on: sizes that it takes, and inputs drawn as its ports say."""

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from limner.errors import LimnerError
from limner.ports import Port, Ported, least_of, multiple_of

Size: TypeAlias = tuple[int, int, int]
"""How many pictures, and height and width of the first spatial input."""

EXAMPLE: Size = (2, 32, 52)
"""What exporters watch a system with: no two sizes are one or equal, so none is fixed."""

_PROBES: tuple[Size, ...] = ((1, 31, 45), (1, 57, 23), (1, 33, 71), (2, 25, 39))
_UNIT = 24  # of the sides above: those of a system that takes larger multiples alone are as many of these


def ports_of(system: nn.Module) -> Ported:
    """The same system, for what it says that it is given and gives.

    Raises:
        LimnerError: If it does not say so.
    """
    if not isinstance(system, Ported):
        raise LimnerError(f"{type(system).__name__} must say what it takes to be exported: give it `inputs`")
    return system


def fitting_side(side: int, ports: Sequence[Port]) -> int:
    """A side that fits all ports: `side` pixels or more, or as many multiples as there are of 24 in it.

    Ports that need a least side add it, so that sides that differ still do.
    """
    multiple, least = multiple_of(ports), least_of(ports)
    return multiple * math.ceil(side / min(multiple, _UNIT)) + least - multiple


def fitting_size(size: Size, ports: Sequence[Port]) -> Size:
    """A size that fits all ports."""
    number, height, width = size
    return number, fitting_side(height, ports), fitting_side(width, ports)


def probes(ports: Sequence[Port]) -> tuple[Size, ...]:
    """The sizes that an export of a system is tried on; one alone tells all of what takes no picture."""
    if not any(port.spatial for port in ports):
        return ((1, 1, 1), (3, 1, 1))
    return tuple(fitting_size(size, ports) for size in _PROBES)


def random_inputs(ports: Sequence[Port], size: Size, generator: torch.Generator | None = None) -> tuple[Tensor, ...]:
    """One tensor for each port, with values as its kind says."""
    return tuple(_drawn(port, port.shape(*size), generator) for port in ports)


def results_of(made: Any) -> tuple[Tensor, ...]:
    """What a network gives, as a tuple also if it is one tensor."""
    return tuple(made) if isinstance(made, tuple | list) else (made,)


def _drawn(port: Port, shape: tuple[int, ...], generator: torch.Generator | None) -> Tensor:
    if port.dtype == torch.int64:
        return torch.randint(port.channels, shape, generator=generator)
    if port.kind in ("photo", "luminance", "mask") or port.uniform:
        return torch.rand(shape, generator=generator)
    if port.kind == "mixture":
        return torch.randn(shape, generator=generator).softmax(1)
    if port.kind == "angle":
        return math.tau * torch.rand(shape, generator=generator)
    return torch.randn(shape, generator=generator)
