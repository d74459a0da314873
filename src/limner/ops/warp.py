"""Warping by a flow: each pixel is fetched from where the flow points."""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

Flow = Float[Tensor, "n 2 h w"]


class Warped(NamedTuple):
    """What a flow fetched.

    Attributes:
        image: (n, c, h, w).
        inside: (n, 1, h, w), false where the flow points out of the picture or is unknown.
    """

    image: Float[Tensor, "n c h w"]
    inside: Bool[Tensor, "n 1 h w"]


def warp(image: Float[Tensor, "n c h w"], flow: Flow) -> Warped:
    """Fetch image(x + u(x, y), y + v(x, y)) for each pixel, bilinearly; differentiable in both.

    Whole numbers of pixels are exact. Beyond the border stands the nearest pixel of the border; where the flow is not
    finite the pixel stays where it is. `inside` tells of both.

    Args:
        image: Any range.
        flow: u to the right and v down, in pixels.

    >>> image = torch.arange(4.0).view(1, 1, 1, 4)
    >>> to_the_right = torch.tensor([1.0, 0.0]).view(1, 2, 1, 1).expand(1, 2, 1, 4)
    >>> warp(image, to_the_right).image.flatten()
    tensor([1., 2., 3., 3.])
    >>> warp(image, to_the_right).inside.flatten()
    tensor([ True,  True,  True, False])
    """
    height, width = image.shape[-2:]
    known = flow.isfinite().all(dim=1, keepdim=True)
    u, v = flow.masked_fill(~known, 0).split(1, dim=1)
    x = u + torch.arange(width, device=flow.device, dtype=flow.dtype)
    y = v + torch.arange(height, device=flow.device, dtype=flow.dtype)[:, None]
    inside = known & (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    x, y = x.clamp(0, width - 1), y.clamp(0, height - 1)
    left, top = x.detach().floor(), y.detach().floor()
    right, bottom = (left + 1).clamp(max=width - 1), (top + 1).clamp(max=height - 1)
    across, down = (x - left).to(image.dtype), (y - top).to(image.dtype)
    above = _pixels(image, left, top) * (1 - across) + _pixels(image, right, top) * across
    below = _pixels(image, left, bottom) * (1 - across) + _pixels(image, right, bottom) * across
    return Warped(above * (1 - down) + below * down, inside)


def _pixels(image: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """The pixels at whole places (n, 1, h, w) that lie inside."""
    places = (y.long() * image.shape[-1] + x.long()).flatten(2).expand(-1, image.shape[1], -1)
    return image.flatten(2).gather(2, places).view_as(image)


def rescale_flow(flow: Flow, size: tuple[int, int]) -> Float[Tensor, "n 2 H W"]:
    """The flow of the same pictures at another height and width: resampled bilinearly, its lengths scaled.

    Pixels that touch an unknown one are unknown.

    >>> rescale_flow(torch.ones(1, 2, 2, 4), (4, 4))[0, :, 0, 0]
    tensor([1., 2.])
    """
    height, width = flow.shape[-2:]
    if (height, width) == size:
        return flow
    resized = torch.nn.functional.interpolate(flow, size, mode="bilinear", align_corners=False, antialias=True)
    scales = torch.tensor([size[1] / width, size[0] / height], device=flow.device, dtype=flow.dtype)
    return resized * scales.view(1, 2, 1, 1)
