"""How much neighbouring pixels differ, as a prior of pictures.

Mahendran and Vedaldi, "Understanding deep image representations by inverting them", CVPR 2015, arXiv:1412.0035.
"""

from torch import Tensor

_FLAT = 1e-8  # added to the squares where their root is taken, whose slope has no bound at 0


def total_variation(image: Tensor, beta: float = 2.0, *, wrap: bool = False) -> Tensor:
    """The mean over pixels and channels of ((x_i,j+1 - x_ij)^2 + (x_i+1,j - x_ij)^2)^(beta / 2), section 2.2.

    Beta 1 is total variation proper; the paper takes 2, which spares no edge but spikes less. Pixels of the last row
    and column are passed over, unless the picture wraps.

    Args:
        image: (n, c, h, w), at least 2x2.
        beta: Above 0.
        wrap: Take the first row as that after the last, and the first column so.
    """
    if wrap:
        squares = (image.roll(-1, -1) - image).square() + (image.roll(-1, -2) - image).square()
    else:
        here = image[..., :-1, :-1]
        squares = (image[..., :-1, 1:] - here).square() + (image[..., 1:, :-1] - here).square()
    return squares.mean() if beta == 2 else (squares + _FLAT).pow(beta / 2).mean()
