"""Pictures that go on at their other side, as a texture that is laid like tiles."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from limner.ops.resample import imresize

_KERNEL = 4  # pixels that bicubic enlarging sees beyond a border, at most


def wrapped(image: Float[Tensor, "*batch h w"], rows: int, columns: int) -> Float[Tensor, "*batch H W"]:
    """The picture, continued beyond each border by rows and columns of its other side.

    >>> wrapped(torch.tensor([[1.0, 2.0, 3.0]]), 0, 2)
    tensor([[2., 3., 1., 2., 3., 1., 2.]])
    """
    height, width = image.shape[-2:]
    down = torch.arange(-rows, height + rows, device=image.device) % height
    across = torch.arange(-columns, width + columns, device=image.device) % width
    return image[..., down, :][..., across]


def imresize_wrapped(image: Float[Tensor, "*batch h w"], size: tuple[int, int]) -> Float[Tensor, "*batch H W"]:
    """`imresize` of a picture that goes on at its other side, so that the result does too.

    Args:
        image: Any floating dtype and range.
        size: Height and width of the result in pixels.
    """
    margins = [_margin(before, after) for before, after in zip(image.shape[-2:], size, strict=True)]
    (rows, new_rows), (columns, new_columns) = margins
    large = imresize(wrapped(image, rows, columns), size=(size[0] + 2 * new_rows, size[1] + 2 * new_columns))
    return large[..., new_rows : new_rows + size[0], new_columns : new_columns + size[1]]


def _margin(before: int, after: int) -> tuple[int, int]:
    """As many pixels as the kernel sees, or more, which are whole ones after they are resized too."""
    step = before // math.gcd(before, after)
    margin = step * -(-_KERNEL // step)
    return margin, margin * after // before
