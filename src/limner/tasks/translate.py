"""Turning a picture of one kind into one of another: labels into photos, maps into aerial views, and back."""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor, nn

from limner.errors import LimnerError, did_you_mean
from limner.ports import Ported
from limner.tasks.task import Task
from limner.types import Image


@runtime_checkable
class TwoWay(Protocol):
    """What translates there and back."""

    @property
    def domains(self) -> tuple[str, str]:
        """What A and B are called."""

    @property
    def background(self) -> tuple[int, int, int]:
        """R, G and B, in 0..255, that it has learnt to see behind what is transparent."""

    @property
    def directions(self) -> Mapping[str, nn.Module]:
        """What translates from A to B, `AB`, and, where it is there, back, `BA`."""


TRANSLATE = Task("translate", "translate", protocol=Ported)
"""`translate`: a picture of one kind into one of another, by a trained system."""


def one_way(system: nn.Module, direction: str | None, model: str) -> nn.Module:
    """What of a system translates in a direction.

    Args:
        system: That translates.
        direction: `AB`, `BA`, or what the wanted kind is called; None is AB, or the only one.
        model: What the system is called in errors.

    Raises:
        LimnerError: If it does not translate so.
    """
    if not isinstance(system, TwoWay):
        if direction is not None:
            raise LimnerError(f"{model} translates one way alone, got the direction {direction!r}: leave it out")
        return system
    first, second = system.domains
    names = {"AB": "AB", "BA": "BA", second: "AB", first: "BA"}
    if direction is None or direction in names:
        way = names[direction or "AB"]
        if way not in system.directions:
            raise LimnerError(f"{model} translates {first} to {second} alone, got {direction!r}: leave it out")
        return system.directions[way]
    known = list(names)
    raise LimnerError(
        f"{model} translates {first} to {second} (AB) and back (BA), got the direction {direction!r}: "
        f"{did_you_mean(direction, known)}"
    )


@runtime_checkable
class Styled(Ported, Protocol):
    """Takes a latent, and can find that of a photo."""

    def style_of(self, photo: Image) -> Float[Tensor, "n z"]:
        """The latents of photos in [0, 1], to be used with anything else that is translated.

        Raises:
            LimnerError: If it was trained without.
        """
