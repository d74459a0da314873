"""Resampling as a tensor operation: MATLAB's `imresize`, to the formula, for any scale.

Keys, "Cubic convolution interpolation for digital image processing", IEEE TASSP 29(6), 1981 (the cubic kernel,
a = -0.5);
Turkowski, "Filters for common resampling tasks", Graphics Gems, 1990 (Lanczos).
"""

import math
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from typing import Literal, NamedTuple, TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor

from limner.errors import LimnerError

Kernel: TypeAlias = Literal["nearest", "bilinear", "bicubic", "lanczos2", "lanczos3", "area"]
Border: TypeAlias = Literal["symmetric", "replicate"]

_BLOCK = 16  # output pixels of one matrix product; 16 to 64 measured equally fast for enlarging, 16 best for shrinking


def cubic_kernel(x: Tensor) -> Tensor:
    """Keys' cubic convolution with a = -0.5 (1981, equation 15); support [-2, 2]."""
    x = x.abs()
    inner = (1.5 * x - 2.5) * x * x + 1
    outer = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return torch.where(x <= 1, inner, torch.where(x <= 2, outer, torch.zeros_like(x)))


def triangle_kernel(x: Tensor) -> Tensor:
    """Linear interpolation; support [-1, 1]."""
    return (1 - x.abs()).clamp(min=0)


def box_kernel(x: Tensor) -> Tensor:
    """1 on [-0.5, 0.5), MATLAB's box."""
    return ((x >= -0.5) & (x < 0.5)).to(x.dtype)


def lanczos_kernel(x: Tensor, lobes: int) -> Tensor:
    """sinc(x) sinc(x / lobes) on [-lobes, lobes]."""
    return torch.where(x.abs() < lobes, torch.sinc(x) * torch.sinc(x / lobes), torch.zeros_like(x))


_KERNELS: dict[str, tuple[Callable[[Tensor], Tensor], float]] = {  # kernel, width of its support in pixels
    "nearest": (box_kernel, 1.0),
    "area": (box_kernel, 1.0),
    "bilinear": (triangle_kernel, 2.0),
    "bicubic": (cubic_kernel, 4.0),
    "lanczos2": (lambda x: lanczos_kernel(x, 2), 4.0),
    "lanczos3": (lambda x: lanczos_kernel(x, 3), 6.0),
}


@lru_cache(maxsize=128)
def contributions(
    in_length: int, out_length: int, scale: float, kernel: Kernel, antialias: bool, border: Border
) -> tuple[Tensor, Tensor]:
    """Which input pixels make each output pixel, and how much: (indices, weights), each (out_length, taps).

    Output pixel i (0-based) looks at u = (i + 0.5) / scale - 0.5. When shrinking with `antialias` the kernel is
    widened by 1 / scale. The weights are float64; those of one output pixel sum to 1. Taps outside the picture are
    mirrored (symmetric) or clamped (replicate).
    """
    function, width = _KERNELS[kernel]
    shrink = min(scale, 1.0) if antialias and kernel != "nearest" else 1.0
    width = width / shrink
    centre = (torch.arange(out_length, dtype=torch.float64) + 0.5) / scale - 0.5
    taps = math.ceil(width) + 2
    left = torch.floor(centre - width / 2)
    positions = left[:, None] + torch.arange(taps, dtype=torch.float64)
    weights = shrink * function(shrink * (centre[:, None] - positions))
    weights = weights / weights.sum(dim=1, keepdim=True)
    indices = _inside(positions.to(torch.int64), in_length, border)
    used = (weights != 0).any(dim=0)
    return indices[:, used], weights[:, used]


def _inside(indices: Tensor, length: int, border: Border) -> Tensor:
    if border == "replicate":
        return indices.clamp(0, length - 1)
    period = indices.remainder(2 * length)
    return torch.where(period < length, period, 2 * length - 1 - period)


class _Band(NamedTuple):
    """A sparse resampling matrix, cut into blocks of output pixels that are dense over the input pixels they need."""

    starts: tuple[int, ...]  # the first input pixel of each block
    blocks: Tensor  # (num_blocks, _BLOCK, span), float64


@lru_cache(maxsize=64)
def _band(in_length: int, out_length: int, scale: float, kernel: Kernel, antialias: bool, border: Border) -> _Band:
    """`contributions` as matrices, for a matrix product is many times faster than adding tap after tap."""
    return _in_blocks(*contributions(in_length, out_length, scale, kernel, antialias, border), in_length)


class Axis(NamedTuple):
    """Along one axis, what of a picture a part holds, and what of the resized picture is wanted; in pixels.

    Attributes:
        length: Of the picture.
        first: Where in the picture the part begins.
        resized: Length of the resized picture.
        start: The first pixel that is wanted.
        stop: The first one after it that is not.
    """

    length: int
    first: int
    resized: int
    start: int
    stop: int

    @property
    def scale(self) -> float:
        """Length after over length before."""
        return self.resized / self.length


@lru_cache(maxsize=64)
def _part_band(axis: Axis, held: int) -> _Band:
    """The rows of `_band` that are wanted, on the `held` pixels that a part has."""
    indices, weights = contributions(axis.length, axis.resized, axis.scale, "bicubic", True, "symmetric")
    indices, weights = indices[axis.start : axis.stop] - axis.first, weights[axis.start : axis.stop]
    missing = (indices < 0) | (indices >= held)
    assert not bool((weights[missing] != 0).any()), (axis, held)
    return _in_blocks(indices.clamp(0, held - 1), weights, held)


def _in_blocks(indices: Tensor, weights: Tensor, in_length: int) -> _Band:
    spans = [(int(part.min()), int(part.max()) + 1) for part in indices.split(_BLOCK)]
    span = max(end - start for start, end in spans)
    starts = tuple(min(start, in_length - span) for start, _ in spans)
    blocks = torch.zeros(len(starts), _BLOCK, span, dtype=torch.float64)
    for block, start, index, weight in zip(blocks, starts, indices.split(_BLOCK), weights.split(_BLOCK), strict=True):
        block[: len(index)].scatter_add_(1, index - start, weight)  # add: a mirrored pixel may serve two taps
    return _Band(starts, blocks)


def _resample_rows(image: Float[Tensor, "b h w"], band: _Band, length: int) -> Float[Tensor, "b H w"]:
    """Resample the second to last dimension to `length` pixels."""
    blocks, span = band.blocks.to(image), band.blocks.shape[2]
    parts = [
        torch.bmm(block[: length - i * _BLOCK].expand(len(image), -1, -1), image.narrow(1, start, span))
        for i, (block, start) in enumerate(zip(blocks, band.starts, strict=True))
    ]
    return torch.cat(parts, dim=1)


def _resample_columns(image: Float[Tensor, "b h w"], band: _Band, length: int) -> Float[Tensor, "b h W"]:
    """Resample the last dimension to `length` pixels."""
    blocks, span = band.blocks.to(image).mT, band.blocks.shape[2]
    rows = image.flatten(0, 1)
    parts = [
        rows.narrow(1, start, span) @ block[:, : length - i * _BLOCK]
        for i, (block, start) in enumerate(zip(blocks, band.starts, strict=True))
    ]
    return torch.cat(parts, dim=1).reshape(*image.shape[:2], length)


def imresize(
    image: Float[Tensor, "*batch h w"],
    scale: float | int | None = None,  # beartype takes no int for a float
    *,
    size: tuple[int, int] | None = None,
    kernel: Kernel = "bicubic",
    antialias: bool = True,
    border: Border = "symmetric",
    round_passes: bool = False,
) -> Float[Tensor, "*batch H W"]:
    """Resize the last two dimensions as MATLAB's `imresize(image, scale, kernel)` does.

    Args:
        image: Any floating dtype and range; float64 gives the formula to rounding error.
        scale: Output size is ceil(scale * size). Give this or `size`.
        size: Output (height, width) in pixels; the scale of each axis follows from it.
        kernel: `area` is a box filter, whose mean is over whole source pixels when the scale is 1 / integer.
        antialias: Widen the kernel when shrinking.
        border: What stands beyond the edge: the mirrored picture (MATLAB), or its last pixel again (the published
            low-resolution sets).
        round_passes: Round half up and clip to 0 .. 255 after each pass, as MATLAB does on uint8 pictures. `image` is
            then in 0 .. 255.

    Raises:
        LimnerError: If neither or both of `scale` and `size` are given, or the result has no pixels.

    >>> imresize(torch.tensor([[0.0, 1.0, 2.0, 3.0]]), size=(1, 2), kernel="area")
    tensor([[0.5000, 2.5000]])
    """
    height, width = image.shape[-2:]
    scales, size = _scales_and_size((height, width), scale, size)
    if not image.is_floating_point():
        raise LimnerError(
            f"imresize works on floating point pixels, got {image.dtype}: convert first, e.g. image.float()"
        )
    down = _band(height, size[0], scales[0], kernel, antialias, border)
    across = _band(width, size[1], scales[1], kernel, antialias, border)

    def rounded(x: Tensor) -> Tensor:
        return (x + 0.5).floor().clamp(0, 255) if round_passes else x

    result = image.reshape(-1, height, width)
    if scales[0] <= scales[1]:  # the smaller scale first, as MATLAB
        result = rounded(_resample_rows(result, down, size[0]))
        result = rounded(_resample_columns(result, across, size[1]))
    else:
        result = rounded(_resample_columns(result, across, size[1]))
        result = rounded(_resample_rows(result, down, size[0]))
    return result.reshape(*image.shape[:-2], *size)


def resize_part(part: Float[Tensor, "*batch h w"], rows: Axis, columns: Axis) -> Float[Tensor, "*batch H W"]:
    """What `imresize(picture, size=(rows.resized, columns.resized))` gives where it is wanted, from a part alone.

    Args:
        part: Of the picture; it must hold all that the wanted pixels are made of.
        rows: Of the part.
        columns: Of the part.

    >>> picture = torch.rand(20, 30)
    >>> rows, columns = Axis(20, 0, 15, 0, 9), Axis(30, 10, 24, 11, 20)
    >>> torch.allclose(resize_part(picture[:14, 10:], rows, columns), imresize(picture, size=(15, 24))[:9, 11:20])
    True
    """
    height, width = part.shape[-2:]
    down, across = _part_band(rows, height), _part_band(columns, width)
    size = (rows.stop - rows.start, columns.stop - columns.start)
    result = part.reshape(-1, height, width)
    if rows.scale <= columns.scale:  # as imresize
        result = _resample_columns(_resample_rows(result, down, size[0]), across, size[1])
    else:
        result = _resample_rows(_resample_columns(result, across, size[1]), down, size[0])
    return result.reshape(*part.shape[:-2], *size)


def scaled_size(size: tuple[int, int], scale: float) -> tuple[int, int]:
    """How large a picture of so many rows and columns is once it is enlarged: each side times `scale`, rounded.

    Halves are rounded up. The scale is taken as it is written: 2.3 is 23 / 10, whatever binary makes of it.

    >>> scaled_size((3, 5), 1.5), scaled_size((5, 15), 2.3), scaled_size((480, 640), 2)
    ((5, 8), (12, 35), (960, 1280))
    """
    exact = Fraction(str(scale))
    height, width = (math.floor(side * exact + Fraction(1, 2)) for side in size)
    return height, width


def _scales_and_size(
    source: tuple[int, int], scale: float | int | None, size: tuple[int, int] | None
) -> tuple[tuple[float, float], tuple[int, int]]:
    """The scale of each axis and the output size, from whichever of the two was given."""
    if scale is not None and size is None:
        if not 0 < scale < math.inf:
            raise LimnerError(f"scale must be a positive number, got {scale}: 2 doubles, 0.5 halves the sides")
        scales, size = (float(scale), float(scale)), (math.ceil(scale * source[0]), math.ceil(scale * source[1]))
    elif size is not None and scale is None:
        scales = (size[0] / max(source[0], 1), size[1] / max(source[1], 1))
    else:
        raise LimnerError(f"give either scale or size, got scale={scale} and size={size}")
    if min(*size, *source) < 1:
        raise LimnerError(
            f"a resized picture needs at least one pixel, got {source[0]}x{source[1]} -> {size[0]}x{size[1]}"
        )
    return scales, size
