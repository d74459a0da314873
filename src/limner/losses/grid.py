"""What stands out of a picture's spectrum at the periods of a network's own grid.

Beside `losses.lattice`, which sees a pattern that is alike everywhere, this sees one whose strength and sign change.
"""

from collections.abc import Iterable

import torch
from torch import Tensor

from limner.ops.color import luminance
from limner.ops.spectrum import peak_of_rows
from limner.types import Image

_USUAL = 1.3  # of pictures, for no two frequencies have just one power


def grid_loss(image: Image, periods: Iterable[int] = (2, 4, 8)) -> Tensor:
    """The mean, over pictures, periods and both directions, of the logarithm of what a peak has beyond the usual.

    Args:
        image: RGB (n, 3, h, w), sides of at least 16 periods.
        periods: In pixels.
    """
    gray = luminance(image)[:, 0]
    peaks = torch.stack([peak_of_rows(rows, period) for period in periods for rows in (gray, gray.mT)])
    return (peaks.clamp(min=1e-9) / _USUAL).log().clamp(min=0).mean()
