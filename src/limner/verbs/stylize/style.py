"""The styles that are wanted, and what they are beside a content: their pictures and masks at its size."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor

from limner.arguments import check_number
from limner.errors import LimnerError
from limner.files.image import check_header
from limner.media.any_picture import AnyPicture, check_picture, open_source, whiteness
from limner.ops.framing import with_longer_side
from limner.systems.optimize.style import Reference
from limner.types import Image
from limner.verbs.stylize.named_styles import style_picture

_INSIDE = 0.5  # of a mask, in [0, 1]


class Style(NamedTuple):
    """A picture whose style is wanted.

    Attributes:
        image: As for `open_picture`, or the name of a style that comes with Limner.
        weight: Beside the other styles of the same place.
        mask: A picture as large as the content, white where this style is wanted; None: wherever no mask is.
        scale: Of its strokes: 1 shows the style picture as large as the result.

    Example:
        >>> import limner
        >>> limner.Style("great-wave", weight=2).scale
        1.0
    """

    image: AnyPicture
    weight: float = 1.0
    mask: AnyPicture | None = None
    scale: float = 1.0


def styles_of(style: AnyPicture | Style | Sequence[AnyPicture | Style], *, of_model: bool = False) -> list[Style]:
    """One or several, each as a picture or with all that it may have.

    Args:
        style: As `stylize` is given it.
        of_model: Whether none is a style, too: the one that a named model has.

    Raises:
        LimnerError: If one is no picture, or there is none.
    """
    several = style if isinstance(style, Sequence) and not isinstance(style, str | bytes | Style) else [style]
    if not several and not of_model:
        raise LimnerError("a style is wanted, got none: name one, or pass a picture in the style that is wanted")
    styles = [one if isinstance(one, Style) else Style(one) for one in several]
    for one in styles:
        check_picture(one.image)
    return styles


def parse_style(text: str) -> Style:
    """`wave.jpg:0.3` is the file or the name with a weight; a name that is a file as it stands has weight 1."""
    name, colon, weight = text.rpartition(":")
    if not colon or Path(text).exists():
        return Style(text)
    try:
        return Style(name, float(weight))
    except ValueError:
        return Style(text)


@dataclass(frozen=True)
class OpenedStyle:
    """A style whose pictures are read.

    Attributes:
        image: (1, 3, h, w).
        weight: Above 0.
        scale: Above 0.
        mask: (1, 1, H, W), 1 is white; None: wherever no mask is.
        mask_name: What it is called in errors.
    """

    image: Image
    weight: float
    scale: float
    mask: Float[Tensor, "1 1 H W"] | None
    mask_name: str

    def picture(self, size: int) -> Image:
        """As it is seen beside a result whose longer side has so many pixels."""
        return with_longer_side(self.image, max(1, round(self.scale * size)))

    def region(self, content: Image, size: int | None) -> Float[Tensor, "1 1 H W"] | None:
        """The mask for a content that is brought to a longer side of so many pixels; None leaves it.

        Raises:
            LimnerError: If it has another size than the content.
        """
        if self.mask is None:
            return None
        if self.mask.shape[-2:] != content.shape[-2:]:
            raise LimnerError(
                f"{self.mask_name}: a mask must be as large as the content, {content.shape[-1]}x{content.shape[-2]}, "
                f"got {self.mask.shape[-1]}x{self.mask.shape[-2]}: resize it"
            )
        return with_longer_side(self.mask, size)

    def reference(self, content: Image, size: int) -> Reference:
        """What the style is to a content that is brought to a longer side of so many pixels.

        Raises:
            LimnerError: If the mask has another size than the content.
        """
        return Reference(self.picture(size), self.weight, self.region(content, size))


def open_style(style: Style, largest: int | None = None) -> OpenedStyle:
    """Read the pictures of a style.

    Args:
        style: What is wanted.
        largest: Of the longer side of results that it will be beside, in pixels: its picture is kept no larger than
            that needs. None keeps it as it is.

    Raises:
        LimnerError: If one cannot be read, the mask is white nowhere, or the weight or the scale is not above 0.
    """
    check_weight(style.weight)
    check_number("the scale of a style", style.scale, "1 is that of its picture")
    if not 0 < style.scale < math.inf:
        raise LimnerError(f"the scale of a style must be above 0, got {style.scale:g}: 1 is that of its picture")
    picture = style_picture(style.image) if isinstance(style.image, str | PathLike) else style.image
    image = open_source(picture)[:1]
    if largest is not None:
        image = with_longer_side(image, max(1, round(style.scale * largest)), enlarge=False)
    name = str(style.mask) if isinstance(style.mask, str | PathLike) else "the mask"
    mask = None if style.mask is None else _white(style.mask, name)
    return OpenedStyle(image, style.weight, style.scale, mask, name)


def check_style_files(styles: Sequence[Style]) -> None:
    """Refuse files of styles and masks that cannot be read by what they say of themselves; names are passed by.

    Raises:
        LimnerError: If there is one.
    """
    for one in styles:
        if isinstance(one.image, str | PathLike) and Path(one.image).exists():
            check_header(one.image)
        if isinstance(one.mask, str | PathLike):
            check_header(one.mask)


def check_weight(weight: float) -> None:
    """Refuse what cannot be the weight of a style.

    Raises:
        LimnerError: If it is not above 0 and finite.
    """
    check_number("the weight of a style", weight, "1 is the usual one")
    if not 0 < weight < math.inf:
        raise LimnerError(f"the weight of a style must be above 0 and finite, got {weight:g}")


def _white(picture: AnyPicture, name: str) -> Float[Tensor, "1 1 h w"]:
    mask = whiteness(picture)
    if not bool((mask > _INSIDE).any()):
        raise LimnerError(f"{name}: a mask must be white where its style is wanted, got one without white: paint it so")
    return mask
