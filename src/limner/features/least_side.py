"""Pictures that are too small for a layer of a network are refused."""

from torch import Tensor

from limner.errors import LimnerError


def check_sides(image: Tensor, least: int, layer: str) -> None:
    """Refuse a picture (n, c, h, w) with a side below `least` pixels, which `layer` needs so as not to be empty.

    Raises:
        LimnerError: It is too small.
    """
    if min(image.shape[-2:]) < least:
        raise LimnerError(
            f"for {layer} a picture must have {least} pixels a side or more, "
            f"got {image.shape[-1]}x{image.shape[-2]}: enlarge it, or ask for an earlier layer"
        )


def check_style_sides(style: Tensor, least: int) -> None:
    """Refuse a style picture (n, c, h, w) with a side below `least` pixels.

    Raises:
        LimnerError: It is too small.
    """
    if min(style.shape[-2:]) < least:
        size = f"{style.shape[-1]}x{style.shape[-2]}"
        raise LimnerError(f"a style must have {least} pixels a side or more, got {size}: enlarge it or its scale")
