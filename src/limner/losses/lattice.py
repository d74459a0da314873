"""What an upsampling network leaves of its own grid in a picture: patterns that repeat every few pixels.

Odena, Dumoulin and Olah, "Deconvolution and checkerboard artifacts", Distill 2016, doi:10.23915/distill.00003, trace
them to transposed convolutions. Resizing before a convolution leaves far weaker ones: the places of a cell see
different numbers of different values, and what follows is not linear.
"""

from jaxtyping import Float
from torch import Tensor

from limner.types import Image


def cell(image: Image, period: int = 4) -> Float[Tensor, "n 3 p p"]:
    """The mean cell of a grid: the means over all places that lie alike in it.

    Args:
        image: Sides are at least `period`; what is left of a last cell is passed over.
        period: Pixels of a cell's side.
    """
    n, c, height, width = image.shape
    down, across = height // period, width // period
    cut = image[..., : down * period, : across * period]
    return cut.reshape(n, c, down, period, across, period).mean((2, 4))


def windows(image: Image, side: int) -> Float[Tensor, "m 3 s s"]:
    """The squares that a picture is made of, one after another, so that grids that change over it are seen, too.

    Args:
        image: Sides are at least `side`; what is left of a last window is passed over.
        side: Of a window, in pixels.
    """
    cut = image.unfold(2, side, side).unfold(3, side, side)  # (n, c, down, across, s, s)
    return cut.permute(0, 2, 3, 1, 4, 5).flatten(0, 2)


def lattice(image: Image, period: int = 4) -> Tensor:
    """The power of all patterns that repeat every `period` pixels: the variance of the mean cell.

    Args:
        image: RGB (n, 3, h, w).
        period: How many pixels the network makes of one of its coarsest.
    """
    mean = cell(image, period)
    return (mean - mean.mean((2, 3), keepdim=True)).square().mean()


def local_lattice(image: Image, period: int = 4, cells: int = 4) -> Tensor:
    """The power of such patterns in windows of some cells a side, a mean over them: grids that change over a picture.

    Args:
        image: RGB (n, 3, h, w), sides of `cells` times `period` or more; of a result less its target, it is the
            network's own.
        period: How many pixels the network makes of one of its coarsest.
        cells: Of a window's side; the more, the less of what is there by chance is taken for a grid.
    """
    return lattice(windows(image, cells * period), period)
