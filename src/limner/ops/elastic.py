"""Elastic deformation: a picture bent by random vectors on a coarse grid.

Ronneberger, Fischer and Brox 2015, arXiv:1505.04597, section 3.1: vectors from a Gaussian of 10 pixels' deviation on a
3x3 grid, and between them bicubic interpolation.
"""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

Places = Float[Tensor, "h w 2"]
"""Where each pixel is fetched from: x and y in pixels of the source, whose first pixel's middle is (0, 0)."""


def displacements(
    height: int, width: int, deviation: float, rng: torch.Generator, grid: int = 3
) -> Float[Tensor, "h w 2"]:
    """Random vectors x and y in pixels, smooth from one place to the next.

    Args:
        height: Of the field.
        width: Of the field.
        deviation: Of each vector of the grid, in pixels.
        rng: Draws them.
        grid: Vectors of a side.
    """
    control = deviation * torch.randn(1, 2, grid, grid, generator=rng)
    field = F.interpolate(control, (height, width), mode="bicubic", align_corners=True)
    return field[0].permute(1, 2, 0)


def turned(height: int, width: int, *, angle: float = 0.0, scale: float = 1.0) -> Places:
    """The places of a crop around (0, 0), turned and enlarged.

    Args:
        height: Of the crop.
        width: Of the crop.
        angle: Degrees against the clock, as the crop shows what lies in the source.
        scale: By which things are larger in the crop than in the source.
    """
    y = torch.arange(height) - (height - 1) / 2
    x = torch.arange(width) - (width - 1) / 2
    down, across = torch.meshgrid(y, x, indexing="ij")
    cos, sin = math.cos(math.radians(angle)) / scale, math.sin(math.radians(angle)) / scale
    return torch.stack([cos * across - sin * down, sin * across + cos * down], -1)


def fetch(image: Float[Tensor, "c H W"], places: Places, *, nearest: bool = False) -> Float[Tensor, "c h w"]:
    """The picture at some places; beyond its borders stands its mirror image.

    Args:
        image: Any range.
        places: See `Places`.
        nearest: Take the nearest pixel, so that no new values come up; else bilinear.
    """
    height, width = image.shape[-2:]
    scale = torch.tensor([2 / max(width - 1, 1), 2 / max(height - 1, 1)])
    grid = (places * scale - 1)[None].to(image.dtype)
    mode = "nearest" if nearest else "bilinear"
    return F.grid_sample(image[None], grid, mode=mode, padding_mode="reflection", align_corners=True)[0]
