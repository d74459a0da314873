"""Pictures brought to a size by one number: a longer side, or a square from the middle."""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from limner.ops.resample import imresize


def with_longer_side(
    image: Float[Tensor, "n c h w"], size: int | None, *, enlarge: bool = True
) -> Float[Tensor, "n c H W"]:
    """The picture resized to a given longer side, in [0, 1].

    Args:
        image: In [0, 1].
        size: None leaves it.
        enlarge: Whether a smaller picture is enlarged; else it is left.

    >>> import torch
    >>> with_longer_side(torch.rand(1, 3, 40, 20), 10).shape
    torch.Size([1, 3, 10, 5])
    """
    height, width = image.shape[-2:]
    longer = max(height, width)
    if size is None or size == longer or (size > longer and not enlarge):
        return image
    scale = size / longer
    return imresize(image, size=(max(1, round(scale * height)), max(1, round(scale * width)))).clamp(0, 1)


def middle_square(image: Float[Tensor, "n c h w"], side: int) -> Float[Tensor, "n c s s"]:
    """The largest square in the middle of a picture, resized to a given side, in [0, 1].

    >>> import torch
    >>> middle_square(torch.rand(1, 3, 40, 20), 8).shape
    torch.Size([1, 3, 8, 8])
    """
    short = min(image.shape[-2:])
    top, left = ((length - short) // 2 for length in image.shape[-2:])
    return imresize(image[..., top : top + short, left : left + short], size=(side, side)).clamp(0, 1)


def padded_to(image: Float[Tensor, "n c h w"], height: int, width: int) -> Float[Tensor, "n c H W"]:
    """Brought to these sides, which are no smaller, by its last row and column again."""
    down, across = height - image.shape[-2], width - image.shape[-1]
    return F.pad(image, (0, across, 0, down), mode="replicate") if down or across else image


def extended(image: Float[Tensor, "n c h w"], down: int, across: int) -> Float[Tensor, "n c H W"]:
    """Mirrored at the lower and the right border, as often as it takes.

    Args:
        image: Of any values.
        down: Rows more.
        across: Columns more.

    >>> extended(torch.tensor([[[[1.0, 2.0]]]]), 0, 3)
    tensor([[[[1., 2., 1., 2., 1.]]]])
    """
    if not (down or across):
        return image
    height, width = image.shape[-2:]
    return image[..., mirrored(0, height + down, height), :][..., mirrored(0, width + across, width)]


def mirrored(start: int, stop: int, length: int) -> Int[Tensor, " n"]:
    """The places along an axis of `length` pixels whose values stand from start to stop, which may lie beyond its ends.

    >>> mirrored(-2, 5, 3)
    tensor([2, 1, 0, 1, 2, 1, 0])
    """
    period = max(1, 2 * (length - 1))
    places = torch.arange(start, stop) % period
    return torch.minimum(places, period - places)
