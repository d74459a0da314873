"""A photo at the size that is asked for, where memory holds it."""

from jaxtyping import Float
from torch import Tensor

from limner.ops.framing import with_longer_side
from limner.runtime.memory import check_room
from limner.types import Image


def resized_photo(image: Image, size: int | None) -> Float[Tensor, "n 3 H W"]:
    """As `with_longer_side`.

    Raises:
        LimnerError: If memory does not hold so large a picture.
    """
    if size is not None:
        height, width = (side * size // max(image.shape[-2:]) for side in image.shape[-2:])
        check_room(height, width)
    return with_longer_side(image, size)
