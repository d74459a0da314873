"""Label images: files whose numbers are classes, not brightness."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int
from PIL.ImageFile import ImageFile
from torch import Tensor

from limner.errors import LimnerError
from limner.files.header import UnreadableError, rawmode_of
from limner.files.image import MOST_PIXELS, too_many_pixels
from limner.files.opening import open_image
from limner.files.ordinary import check_ordinary
from limner.files.still import telling_of

_SCALED = {"L;2": 85, "L;4": 17}  # Pillow spreads gray of few bits over 0..255


def read_labels(path: Path, num_classes: int | None = None) -> Int[Tensor, "1 h w"]:
    """The class of each pixel: indices of a palette as they are, or gray values of 1 to 16 bits.

    Args:
        path: A PNG, TIFF or BMP.
        num_classes: How many there are; None takes all numbers.

    Raises:
        LimnerError: If there is no such file, it is damaged or too large, it holds colours, or a class that is not
            there.
    """
    check_ordinary(path)
    with telling_of(str(path)), path.open("rb") as file:
        labels = _numbers(open_image(file))
    if num_classes is not None and labels.max(initial=0) >= num_classes:
        raise LimnerError(f"{path}: labels must be below {num_classes}, got {labels.max()}: check the classes")
    return torch.from_numpy(labels.astype(np.int64))[None]


def _numbers(image: ImageFile) -> np.ndarray:
    scale = _SCALED.get(rawmode_of(image), 1)
    if image.mode not in ("P", "L", "1") and not image.mode.startswith("I"):
        raise UnreadableError(f"holds colours ({image.mode}): label images are PNG files with a palette or gray")
    if reason := too_many_pixels(*image.size, MOST_PIXELS):
        raise UnreadableError(reason)
    return np.array(image) // scale
