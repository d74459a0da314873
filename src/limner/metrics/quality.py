"""How near a picture is to its original: PSNR and SSIM, one value per picture.

SSIM: Wang, Bovik, Sheikh and Simoncelli, "Image quality assessment: from error visibility to structural similarity",
IEEE TIP 13(4), 2004.
"""

from jaxtyping import Float
from torch import Tensor

from limner.errors import LimnerError

_WINDOW = 11  # pixels; section III.B of Wang et al.


def psnr(
    image: Float[Tensor, "n c h w"], target: Float[Tensor, "_ _ _ _"], *, data_range: float = 1.0
) -> Float[Tensor, " n"]:
    """Peak signal-to-noise ratio of each picture in decibels: 10 log10(data_range^2 / mean squared error), in float64.

    Args:
        image: The picture to measure, in [0, data_range].
        target: Its original, of the same shape.
        data_range: The largest value that a pixel can have.

    Returns:
        Decibels, infinite for equal pictures.

    Raises:
        LimnerError: If the two differ in shape.

    >>> import torch
    >>> psnr(torch.full((1, 1, 2, 2), 0.5), torch.full((1, 1, 2, 2), 0.6))
    tensor([20.0000], dtype=torch.float64)
    """
    _require_same_shape(image, target)
    error = (image.double() - target.double()).square().mean(dim=(1, 2, 3))
    return 10 * (data_range**2 / error).log10()  # torchmetrics' own is off by 4e-7 decibels


def ssim(
    image: Float[Tensor, "n c h w"], target: Float[Tensor, "_ _ _ _"], *, data_range: float = 1.0
) -> Float[Tensor, " n"]:
    """Structural similarity of each picture (Wang et al., equation 13, mean by equation 17), in float64.

    An 11 x 11 Gaussian window of sigma 1.5 pixels, K1 = 0.01, K2 = 0.03, averaged over the channels and the places
    where the whole window lies inside the picture.

    Args:
        image: The picture to measure, in [0, data_range].
        target: Its original, of the same shape.
        data_range: The largest value that a pixel can have.

    Returns:
        Values in [-1, 1], 1 for equal pictures.

    Raises:
        LimnerError: If the two differ in shape or a side is shorter than the window.

    >>> import torch
    >>> picture = torch.rand(2, 3, 16, 16)
    >>> ssim(picture, picture)
    tensor([1., 1.], dtype=torch.float64)
    """
    from kornia.metrics import ssim as ssim_map  # imported here: kornia takes a while

    _require_same_shape(image, target)
    height, width = image.shape[-2:]
    if min(height, width) < _WINDOW:
        raise LimnerError(
            f"SSIM needs sides of at least {_WINDOW} pixels, got {height}x{width}: take a larger picture or shave less"
        )
    values: Tensor = ssim_map(
        image.double(), target.double(), _WINDOW, max_val=float(data_range), eps=0.0, padding="valid"
    )
    return values.mean(dim=(1, 2, 3))


def _require_same_shape(image: Tensor, target: Tensor) -> None:
    if image.shape != target.shape:
        raise LimnerError(
            f"a picture and its original must have one shape, got {tuple(image.shape)} and {tuple(target.shape)}: "
            "crop or resize one"
        )
