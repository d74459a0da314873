"""Colours where a picture shows none: under an alpha of 0 anything may lie, and nothing that is made of it may show.

Porter and Duff, "Compositing digital images", SIGGRAPH 1984: a colour counts as much as its alpha. Rong and Tan, "Jump
flooding in GPU", I3D 2006 (the nearest visible pixel of each).
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

REACH = 8
"""How many pixels beyond what is visible `carried_outwards` looks and gives colours."""

_BOUNCES = 8  # of a mirrored place that is hidden itself
_SOLID = 0.5  # of alpha


def over(
    image: Float[Tensor, "n 3 h w"], alpha: Float[Tensor, "n 1 h w"], background: Sequence[int]
) -> Float[Tensor, "n 3 h w"]:
    """A picture as it shows on a colour.

    Args:
        image: In [0, 1].
        alpha: In [0, 1].
        background: R, G and B of the colour, in 0..255.

    >>> over(torch.zeros(1, 3, 1, 1), torch.full((1, 1, 1, 1), 0.75), (255, 0, 0)).flatten()
    tensor([0.2500, 0.0000, 0.0000])
    """
    return torch.tensor(background).to(image)[:, None, None].div(255).lerp(image, alpha.to(image))


def visible_mean(image: Float[Tensor, "1 c h w"], alpha: Float[Tensor, "1 1 h w"]) -> Float[Tensor, "1 c 1 1"]:
    """The mean colour of what is visible, each pixel as much as its alpha; gray where nothing is."""
    total = alpha.double().sum()
    if total == 0:
        return torch.full_like(image[..., :1, :1], 0.5)
    return ((image * alpha).double().sum((2, 3), keepdim=True) / total).to(image.dtype)


def carried_outwards(
    image: Float[Tensor, "1 c h w"], alpha: Float[Tensor, "1 1 h w"], beyond: Float[Tensor, "1 c 1 1"] | float = 0.5
) -> Float[Tensor, "1 c h w"]:
    """The picture with the colours of its visible pixels carried into those of alpha 0, ring after ring.

    A pixel depends on those up to `REACH` pixels away alone, so that it can be done part by part.

    Args:
        image: In [0, 1].
        alpha: In [0, 1].
        beyond: The colour of what is further away than `REACH` pixels.

    >>> image, alpha = torch.tensor([[[[0.9, 0.1, 0.1]]]]), torch.tensor([[[[1.0, 0.0, 0.0]]]])
    >>> [round(one, 2) for one in carried_outwards(image, alpha).flatten().tolist()]
    [0.9, 0.9, 0.9]
    """
    weight = alpha.to(image.dtype)
    if bool((weight > 0).all()):
        return image
    known = image * (weight > 0)
    for _ in range(REACH):
        around, colour = _around(weight), _around(known * weight)
        is_next = (weight == 0) & (around > 0)
        if not bool(is_next.any()):
            break
        known = torch.where(is_next, colour / around.clamp(min=torch.finfo(image.dtype).tiny), known)
        weight = torch.where(is_next, 1.0, weight)
    return torch.where(weight > 0, known, torch.as_tensor(beyond, dtype=image.dtype))


def mirrored_inwards(
    image: Float[Tensor, "1 c h w"], alpha: Float[Tensor, "1 1 h w"]
) -> Float[Tensor, "1 c h w"] | None:
    """The picture with what it shows, mirrored at its outline, in place of what it hides; None if it shows nothing.

    What is counted over all its pixels, such as a style or a texture, is then that of what is visible.

    Args:
        image: In [0, 1].
        alpha: In [0, 1]; less than a half counts as hidden, where anything has more.
    """
    visible = alpha[0, 0] >= _SOLID if bool((alpha >= _SOLID).any()) else alpha[0, 0] > 0
    if bool(visible.all()):
        return image
    if not bool(visible.any()):
        return None
    nearest = _nearest(visible)
    sides = torch.tensor(visible.shape)
    place = _places(visible.shape)
    for _ in range(_BOUNCES):
        mirrored = _folded(2 * _at(nearest, place) - place, sides)
        place = torch.where(_at(visible, place)[..., None], place, mirrored)
    place = torch.where(_at(visible, place)[..., None], place, nearest)
    return image[..., place[..., 0], place[..., 1]]


def _around(x: Tensor) -> Tensor:
    """The mean of the 3x3 pixels around each, with 0 beyond the border."""
    return F.avg_pool2d(x, 3, stride=1, padding=1)


def _places(sides: torch.Size) -> Int[Tensor, "h w 2"]:
    """Row and column of each pixel."""
    return torch.stack(torch.meshgrid(*(torch.arange(side) for side in sides), indexing="ij"), dim=-1)


def _at(values: Tensor, place: Int[Tensor, "h w 2"]) -> Tensor:
    return values[place[..., 0], place[..., 1]]


def _folded(place: Int[Tensor, "h w 2"], sides: Int[Tensor, "2"]) -> Int[Tensor, "h w 2"]:
    """Places beyond the border, mirrored at it."""
    inside = place.remainder(2 * sides)
    return torch.minimum(inside, 2 * sides - 1 - inside)


def _nearest(visible: Bool[Tensor, "h w"]) -> Int[Tensor, "h w 2"]:
    """Row and column of the nearest visible pixel of each, by jump flooding."""
    places = _places(visible.shape)
    far = 4 * max(visible.shape)
    found = torch.where(visible[..., None], places, far)
    step = 1 << max(0, (max(visible.shape) - 1).bit_length() - 1)
    while step:
        padded = F.pad(found, (0, 0, step, step, step, step), value=far)
        for down in (0, step, 2 * step):
            for across in (0, step, 2 * step):
                other = padded[down : down + visible.shape[0], across : across + visible.shape[1]]
                is_nearer = (other - places).square().sum(-1) < (found - places).square().sum(-1)
                found = torch.where(is_nearer[..., None], other, found)
        step //= 2
    return found
