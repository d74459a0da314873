"""Painting pictures and videos in a style."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, runtime_checkable

from torch import Tensor, nn

from limner.tasks.task import Task
from limner.types import Image


@runtime_checkable
class PaintsLike(Protocol):
    """A system that paints in the style of any picture, which it reads once for many photos.

    Attributes:
        largest_style: The longer side, in pixels, of the largest result that a style picture is shown as large as.
        paints_part_way: Whether its stylizers take how far to go; else the photo is blended with the painting.
    """

    largest_style: int
    paints_part_way: bool

    @property
    def reader(self) -> nn.Module:
        """What sees a style picture; `read` takes what runs it."""

    def read(self, style: Image, reader: Callable[[Image], Tensor] | None = None) -> Any:
        """What a style picture (1, 3, h, w) comes to.

        Raises:
            LimnerError: If it is too small.
        """

    def mixed(self, styles: Sequence[Any], weights: Sequence[float]) -> Any:
        """The style between several."""

    def stylizer(self, style: Any, alpha: float = 1.0) -> nn.Module:
        """The network for one style, from a photo to its painting; alpha: 0 keeps the photo, 1 takes the style."""

    def region_stylizer(self, styles: Sequence[Any], alpha: float = 1.0) -> nn.Module:
        """The network for styles that each have their part; it takes masks too, of an eighth of the photo's sides."""


STYLIZE = Task("stylize", "stylize")
"""In styles that were learnt in training, or, of systems that optimise, in any."""
STYLIZE_LIKE = Task(
    "stylize like a picture", "stylize", arguments=("photo.jpg", "--style", "painting.jpg"), protocol=PaintsLike
)
"""In the style of any picture, which the network is given."""
STYLIZE_VIDEO = Task("stylize a video", "stylize-video", arguments=("clip.mp4",))
