"""What a system is given and what it gives, declared by the system itself.

The runtime, export, sample sheets and commands learn it here and nowhere else. A system has `inputs`, one port for each
argument of its `forward`, in order, and `outputs`, one for each result.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, Protocol, TypeAlias, runtime_checkable

import torch

Kind: TypeAlias = Literal[
    "photo", "luminance", "noise", "label_map", "mask", "logits", "flow", "latent", "class", "mixture", "angle", "score"
]
"""What a tensor means.

| kind | shape | dtype | values |
|---|---|---|---|
| photo | (n, 3 or 4, h, w) | float32 | RGB, with or without opacity, in [0, 1] |
| luminance | (n, 1, h, w) | float32 | `limner.types.Luminance` |
| noise | (n, c, h, w) | float32 | drawn by the caller, by seed and place |
| label_map | (n, 1, h, w) | int64 | the number of a class, in [0, classes) |
| mask | (n, c, h, w) | float32 | in [0, 1] |
| logits | (n, classes, h, w) | float32 | any |
| flow | (n, 2, h, w) | float32 | x and y, in pixels |
| latent | (n, c) | float32 | standard normal where nothing else is said |
| class | (n,) | int64 | the number of a class, in [0, classes) |
| mixture | (n, c) | float32 | how much of each of c things, 0 or more, that add up to 1 |
| angle | (n, c) | float32 | radians |
| score | (n, c) | float32 | any |
"""

_SPATIAL = frozenset({"photo", "luminance", "noise", "label_map", "mask", "logits", "flow"})
_COUNTED = frozenset({"label_map", "class"})


@dataclass(frozen=True)
class Port:
    """One input or output of a system's `forward`.

    Attributes:
        name: In exported files; no two ports of a system share one.
        kind: What the tensor means, and so its shape and dtype: see `Kind`.
        channels: c of its shape; of label maps and classes, which have none, how many classes there are.
        scale: Sides as a multiple of those of the system's first spatial input; of a generator from latents, of the
            least picture that it makes. Only for spatial kinds.
        multiple: Its sides are multiples of this, in its own pixels.
        least: Its least side, in its own pixels.
        noise: Deviation of the normal noise that is to be added to it before `forward`.
        uniform: Whether noise is uniform in [0, 1), not standard normal.
    """

    name: str
    kind: Kind
    channels: int = 3
    scale: float = 1.0
    multiple: int = 1
    least: int = 1
    noise: float = 0.0
    uniform: bool = False

    @property
    def spatial(self) -> bool:
        """Whether it is laid out in rows and columns, so that it can be run in parts."""
        return self.kind in _SPATIAL

    @property
    def dtype(self) -> torch.dtype:
        """Of its tensor."""
        return torch.int64 if self.kind in _COUNTED else torch.float32

    def shape(self, number: int, height: int, width: int) -> tuple[int, ...]:
        """Of its tensor, for `number` pictures whose first spatial input is height x width pixels.

        >>> Port("z", "latent", 100).shape(2, 64, 64)
        (2, 100)
        >>> Port("photo", "photo", scale=4).shape(1, 10, 20)
        (1, 3, 40, 80)
        """
        if not self.spatial:
            return (number,) if self.kind == "class" else (number, self.channels)
        channels = 1 if self.kind == "label_map" else self.channels
        return (number, channels, round(self.scale * height), round(self.scale * width))


PHOTO = Port("image", "photo")
"""An RGB picture of any size."""


@runtime_checkable
class Ported(Protocol):
    """What says what it is given and gives: every system."""

    @property
    def inputs(self) -> tuple[Port, ...]:
        """One for each argument of `forward`, in order."""

    @property
    def outputs(self) -> tuple[Port, ...]:
        """One for each result of `forward`, in order."""


def multiple_of(ports: Sequence[Port]) -> int:
    """What the sides of the first spatial input must be multiples of, so that all have the sides that they must have.

    >>> multiple_of([Port("photo", "photo", multiple=4), Port("coarse", "noise", scale=1 / 32)])
    32
    """
    return math.lcm(*((port.multiple / _ratio(port)).numerator for port in ports if port.spatial))


def least_of(ports: Sequence[Port]) -> int:
    """The least sides of the first spatial input with which no spatial port is smaller than it may be.

    >>> least_of([Port("photo", "photo", multiple=4), Port("coarse", "noise", scale=1 / 32, least=2)])
    64
    """
    multiple = multiple_of(ports)
    least = max((math.ceil(port.least / _ratio(port)) for port in ports if port.spatial), default=1)
    return -(-least // multiple) * multiple


def _ratio(port: Port) -> Fraction:
    return Fraction(port.scale).limit_denominator(4096)
