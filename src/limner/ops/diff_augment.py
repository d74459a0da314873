"""Changes of pictures that gradients go through, for the discriminator of a game on few pictures.

Zhao, Liu, Lin, Zhu and Han, "Differentiable augmentation for data-efficient GAN training", NeurIPS 2020,
arXiv:2006.10738, section 3.2: the same kinds of change for real and made pictures, in the turns of both players.
"""

from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias, get_args

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

Change: TypeAlias = Literal["colour", "translation", "cutout"]
"""
| name | what is drawn for each picture |
|---|---|
| colour | brightness + [-0.5, 0.5), saturation x [0, 2), contrast x [0.5, 1.5) |
| translation | up to an eighth of the sides each way, zeros from beyond the border |
| cutout | a square of half the sides anywhere, set to zero |
"""

CHANGES: tuple[Change, ...] = get_args(Change)

_Batch: TypeAlias = Float[Tensor, "n c h w"]


def diff_augment(image: _Batch, changes: Sequence[Change]) -> _Batch:
    """Change each picture of a batch in its own way, by torch's global random numbers.

    Args:
        image: In [-1, 1], where 0 is the gray that cut and moved parts show.
        changes: In the order in which they are made; none leaves the pictures.
    """
    for change in changes:
        image = _OF[change](image)
    return image


def _drawn(image: Tensor) -> Tensor:
    return torch.rand(len(image), 1, 1, 1, device=image.device, dtype=image.dtype)


def colour(image: _Batch) -> _Batch:
    """Brightness, then saturation about the mean of each place, then contrast about the mean of each picture."""
    image = image + (_drawn(image) - 0.5)
    gray = image.mean(1, keepdim=True)
    image = (image - gray) * (2 * _drawn(image)) + gray
    mean = image.mean((1, 2, 3), keepdim=True)
    return (image - mean) * (_drawn(image) + 0.5) + mean


def translation(image: _Batch, ratio: float = 1 / 8) -> _Batch:
    """Moved by whole pixels, up to `ratio` of the sides."""
    height, width = image.shape[-2:]
    down, right = (_whole(image, -round(side * ratio), round(side * ratio)) for side in (height, width))
    rows = torch.arange(height, device=image.device).view(1, -1, 1) + 1 - down
    columns = torch.arange(width, device=image.device).view(1, 1, -1) + 1 - right
    padded = F.pad(image, [1] * 4).permute(0, 2, 3, 1)
    which = torch.arange(len(image), device=image.device).view(-1, 1, 1)
    moved: Tensor = padded[which, rows.clamp(0, height + 1), columns.clamp(0, width + 1)]
    return moved.permute(0, 3, 1, 2)


def cutout(image: _Batch, ratio: float = 1 / 2) -> _Batch:
    """Zero in a rectangle of `ratio` of the sides, about a place that may lie at the border."""
    masks = []
    for axis, side in ((-2, image.shape[-2]), (-1, image.shape[-1])):
        length = round(side * ratio)
        first = _whole(image, 0, side - length % 2) - length // 2
        place = (
            torch.arange(side, device=image.device).view(1, -1, 1)
            if axis == -2
            else torch.arange(side, device=image.device).view(1, 1, -1)
        )
        masks.append((place >= first) & (place < first + length))
    return image * ~(masks[0] & masks[1])[:, None]


def _whole(image: Tensor, least: int, most: int) -> Tensor:
    """A whole number for each picture, (n, 1, 1)."""
    return torch.randint(least, most + 1, (len(image), 1, 1), device=image.device)


_OF: dict[Change, Callable[[Tensor], Tensor]] = {"colour": colour, "translation": translation, "cutout": cutout}
