"""Low resolution from high, exactly as the super-resolution literature makes it."""

from jaxtyping import Float, Num, UInt8
from torch import Tensor

from limner.errors import LimnerError
from limner.ops.resample import imresize


def crop_to_multiple(image: Num[Tensor, "*batch h w"], scale: int) -> Num[Tensor, "*batch H W"]:
    """Cut the last rows and columns that make the sides no multiple of `scale` pixels.

    Raises:
        LimnerError: If a side is shorter than `scale`.

    >>> import torch
    >>> crop_to_multiple(torch.zeros(3, 10, 13), 4).shape
    torch.Size([3, 8, 12])
    """
    height, width = image.shape[-2:]
    if scale < 1 or min(height, width) < scale:
        raise LimnerError(f"a picture of scale {scale} needs sides of at least {scale} pixels, got {height}x{width}")
    return image[..., : height - height % scale, : width - width % scale]


def low_resolution(image: Float[Tensor, "*batch h w"], scale: int) -> Float[Tensor, "*batch H W"]:
    """MATLAB's `imresize(image, 1 / scale)` in floating point, neither rounded nor clipped.

    Bicubic, antialiased, the border mirrored.

    >>> import torch
    >>> low_resolution(torch.ones(1, 4, 6), 2).shape
    torch.Size([1, 2, 3])
    """
    return imresize(image, 1 / scale)


def published_low_resolution(image: UInt8[Tensor, "*batch h w"], scale: int) -> UInt8[Tensor, "*batch H W"]:
    """The uint8 low resolution of the published sets (Set5, Set14, BSD100), bit for bit.

    Rows first, then columns, each rounded half up and clipped to uint8, the border replicated.

    Args:
        image: RGB in 0 .. 255, sides a multiple of `scale` (`crop_to_multiple`).
        scale: How many times smaller, at least 1.

    >>> import torch
    >>> published_low_resolution(torch.full((3, 4, 6), 200, dtype=torch.uint8), 2).unique()
    tensor([200], dtype=torch.uint8)
    """
    small = imresize(
        image.double(), 1 / scale, border="replicate", round_passes=True
    )  # float32 would lose exact halves
    return small.to(image.dtype)


def bicubic_enlarge(image: Float[Tensor, "*batch h w"], scale: int) -> Float[Tensor, "*batch H W"]:
    """MATLAB's `imresize(image, scale)`: the baseline of every super-resolution table, not clipped.

    >>> import torch
    >>> bicubic_enlarge(torch.zeros(1, 2, 3), 3).shape
    torch.Size([1, 6, 9])
    """
    return imresize(image, scale)
