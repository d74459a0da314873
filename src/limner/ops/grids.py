"""Places to fetch pixels from: affine, projective and thin-plate-spline grids, and the bilinear sampler.

Jaderberg et al., "Spatial transformer networks", NeurIPS 2015, arXiv:1506.02025, section 3.

**Conventions.** A place is (x, y) in pixels of the source; the middle of its first pixel is (0, 0). Where a grid is
normalised, -1 and 1 are the middles of the first and the last pixel, as in the paper's first code: what torch calls
`align_corners=True`. Parameters map places of the target to places of the source.
"""

from functools import cache
from typing import Literal, TypeAlias

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

Places = Float[Tensor, "n 2 h w"]
Border: TypeAlias = Literal["zeros", "border", "reflection"]
"""What lies beyond a picture: black, its nearest pixel, or itself mirrored about its edge."""


def sampled(image: Float[Tensor, "n c H W"], places: Places, border: Border = "border") -> Float[Tensor, "n c h w"]:
    """V_i^c = sum_n sum_m U_nm^c max(0, 1 - |x_i - m|) max(0, 1 - |y_i - n|): equation 5.

    Args:
        image: U, of any range.
        places: x and y, in pixels of the image.
        border: What is fetched from beyond it; the equation has zeros.

    >>> image = torch.tensor([[[[10.0, 20.0]]]])
    >>> sampled(image, torch.tensor([0.25, 0.0]).view(1, 2, 1, 1)).item()
    12.5
    """
    return F.grid_sample(
        image, _normalised(places, image).to(image.dtype), mode="bilinear", padding_mode=border, align_corners=False
    )


def _normalised(places: Places, image: Tensor) -> Float[Tensor, "n h w 2"]:
    """As torch counts where -1 and 1 are the edges, which a side of one pixel has, too."""
    height, width = image.shape[-2:]
    return torch.stack([(2 * places[:, 0] + 1) / width - 1, (2 * places[:, 1] + 1) / height - 1], -1)


def identity_places(image: Tensor) -> Float[Tensor, "1 2 h w"]:
    """Each pixel's own place.

    >>> identity_places(torch.zeros(1, 3, 1, 2))
    tensor([[[[0., 1.]],
    <BLANKLINE>
             [[0., 0.]]]])
    """
    height, width = image.shape[-2:]
    dtype = _exact(image)
    x = torch.arange(width, device=image.device, dtype=dtype).expand(height, width)
    y = torch.arange(height, device=image.device, dtype=dtype)[:, None].expand(height, width)
    return torch.stack([x, y])[None]


def unit_points(size: tuple[int, int], like: Tensor | None = None) -> Float[Tensor, "k 2"]:
    """Places in [-1, 1] of the pixels of a grid, row by row.

    >>> unit_points((1, 3))
    tensor([[-1.,  0.],
            [ 0.,  0.],
            [ 1.,  0.]])
    """
    device, dtype = (None, torch.float32) if like is None else (like.device, _exact(like))
    rows, columns = (
        (2 * torch.arange(side, device=device, dtype=dtype) - (side - 1)) / (side - 1 + (side == 1))
        for side in size  # no `max`, which a traced side has not
    )
    # added, not expanded: an exported expansion keeps the size that it was traced with
    return torch.stack([columns[None] + 0 * rows[:, None], rows[:, None] + 0 * columns[None]], 2).flatten(0, 1)


def _exact(like: Tensor) -> torch.dtype:
    """Float32 or, if that is what places are reckoned from, float64: half precision cannot tell far pixels apart."""
    return torch.promote_types(like.dtype, torch.float32)


def affine_places(theta: Float[Tensor, "n 2 3"], size: tuple[int, int]) -> Places:
    """Where theta (x, y, 1) is, for each pixel (x, y) of a target of that height and width; all in pixels.

    >>> affine_places(torch.tensor([[[2.0, 0, 5], [0, 1, 0]]]), (1, 3))[0, 0]
    tensor([[5., 7., 9.]])
    """
    own = identity_places(theta.new_zeros(1, 1, *size))[0].flatten(1)  # (2, h w)
    return (theta[:, :, :2] @ own + theta[:, :, 2:]).unflatten(2, size)


def affine(theta: Float[Tensor, "n 2 3"], size: tuple[int, int], source: tuple[int, int]) -> Places:
    """Equation 1: of normalised places, a target of one height and width from a source of another."""
    points = unit_points(size, theta)
    return in_pixels(points @ theta[:, :, :2].transpose(1, 2) + theta[:, None, :, 2], size, source)


def projective(theta: Float[Tensor, "n 3 3"], size: tuple[int, int], source: tuple[int, int]) -> Places:
    """A plane seen from elsewhere: theta (x, y, 1), divided by its third part, which must not vanish."""
    points = unit_points(size, theta)
    moved = points @ theta[:, :, :2].transpose(1, 2) + theta[:, None, :, 2]
    return in_pixels(moved[..., :2] / moved[..., 2:], size, source)


def thin_plate(
    controls: Float[Tensor, "n k 2"], grid: tuple[int, int], size: tuple[int, int], source: tuple[int, int]
) -> Places:
    """The smoothest warp that takes each point of a regular grid on the target to its control point on the source.

    Args:
        controls: Normalised places on the source, in the order of `unit_points(grid)`.
        grid: Rows and columns of the control points, 2 each or more.
        size: Height and width of the target.
        source: Of the source.
    """
    fixed = unit_points(grid, controls)
    pulled = controls.new_tensor(_spline_solution(*grid)) @ controls  # (n, k + 3, 2)
    points = unit_points(size, controls)
    basis = torch.cat([_bending(points, fixed), torch.ones_like(points[:, :1]), points], 1)
    return in_pixels(basis @ pulled, size, source)


@cache
def _spline_solution(rows: int, columns: int) -> list[list[float]]:
    """Bookstein 1989: what takes control points to the bending of each and a plane, which has neither sum nor moment.

    (k + 3, k). By numpy, so that it is a constant where a network is exported: no format knows how to solve a system.
    """
    y, x = (one.ravel() for one in np.meshgrid(*(np.linspace(-1, 1, side) for side in (rows, columns)), indexing="ij"))
    squares = (x[:, None] - x) ** 2 + (y[:, None] - y) ** 2
    bending = squares * np.log(squares.clip(1e-12))
    flat = np.stack([np.ones_like(x), x, y], 1)
    system = np.block([[bending, flat], [flat.T, np.zeros((3, 3))]])
    solution: list[list[float]] = np.linalg.inv(system)[:, : len(x)].tolist()
    return solution


def _bending(points: Float[Tensor, "p 2"], fixed: Float[Tensor, "k 2"]) -> Float[Tensor, "p k"]:
    """U(r) = r^2 log r^2."""
    squares = (points[:, None] - fixed[None]).square().sum(2)
    return squares * squares.clamp(min=1e-12).log()


def in_pixels(points: Float[Tensor, "n p 2"], size: tuple[int, int], source: tuple[int, int]) -> Places:
    """Normalised places of the source, for each pixel of a target of that size, in pixels."""
    height, width = source
    x, y = points.unbind(2)
    return torch.stack([(x + 1) * (width - 1), (y + 1) * (height - 1)], 1).div(2).unflatten(2, size)
