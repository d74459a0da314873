"""Strokes of another size: a network that paints in one pass works on a smaller or larger photo.

A network's strokes are as many pixels wide on every photo, and so look the finer the larger that is.
"""

import math
from typing import Literal, TypeAlias

from jaxtyping import Float
from torch import Tensor

from limner.arguments import check_number
from limner.errors import LimnerError
from limner.ops.resample import imresize

Stroke: TypeAlias = float | Literal["auto"]
"""How many times as wide as the network paints them; `auto`: beside the picture as wide as on one of `USUAL`."""

USUAL = 512
"""The longer side in pixels of a picture whose strokes are as `auto` wants them."""


def check_stroke(stroke: Stroke) -> None:
    """Refuse what is no size of strokes.

    Raises:
        LimnerError: If it is neither `auto` nor a number above 0.
    """
    if stroke != "auto":
        check_number("stroke", stroke, "2 makes strokes twice as wide; or pass 'auto'")
    if stroke != "auto" and not 0 < stroke < math.inf:
        raise LimnerError(f"stroke must be auto or a number above 0, got {stroke:g}: 2 makes strokes twice as wide")


def parse_stroke(text: str) -> Stroke:
    """What is written as `auto` or a number.

    Raises:
        LimnerError: If it is neither.
    """
    try:
        return "auto" if text == "auto" else float(text)
    except ValueError:
        raise LimnerError(f"--stroke takes a number, such as 2, or auto, got {text!r}") from None


def working_size(height: int, width: int, *, stroke: Stroke, least: int = 1) -> int | None:
    """The longer side, in pixels, of what the network paints for a result of some size; None is that of the result.

    Args:
        height: Of the result.
        width: Of the result.
        stroke: As wide as this.
        least: What the network's shorter side must have.

    >>> [working_size(1200, 1600, stroke=stroke) for stroke in (1.0, 2.0, "auto")]
    [None, 800, 512]
    """
    longer, shorter = max(height, width), min(height, width)
    factor = max(1.0, longer / USUAL) if stroke == "auto" else stroke
    size = max(round(longer / factor), -(-least * longer // shorter))
    return None if factor == 1 or size == longer else size


def brought_back(painted: Float[Tensor, "n 3 h w"], height: int, width: int) -> Float[Tensor, "n 3 H W"]:
    """A painting of the working size at that of the result, in [0, 1]."""
    if painted.shape[-2:] == (height, width):
        return painted
    return imresize(painted, size=(height, width)).clamp(0, 1)
