"""What each operator needs to see: from a part of its output to the part of its input that makes it, exactly.

Every supported operator is run on a part of its input as it is, with its own padding, and then cropped: at the true
border of the picture the padding acts as on the whole, and elsewhere the rows and columns that it spoils are cut away.
"""

import math
from dataclasses import dataclass
from types import EllipsisType
from typing import Any, NamedTuple, TypeAlias

import torch.nn.functional as F
from torch import Tensor

from limner.errors import LimnerError


class Span(NamedTuple):
    """Pixels along one axis, from `start` up to but not including `stop`."""

    start: int
    stop: int

    @property
    def length(self) -> int:
        """How many pixels."""
        return self.stop - self.start

    def hull(self, other: "Span") -> "Span":
        """The smallest span that holds both."""
        return Span(min(self.start, other.start), max(self.stop, other.stop))


class Region(NamedTuple):
    """A rectangle of pixels."""

    rows: Span
    columns: Span

    def hull(self, other: "Region") -> "Region":
        """The smallest rectangle that holds both."""
        return Region(self.rows.hull(other.rows), self.columns.hull(other.columns))


@dataclass(frozen=True)
class Axis:
    """How an operator acts along one axis.

    An output pixel o is made from the input pixels floor((o * down + low) / up) to floor((o * down + high) / up). Run
    on a part that begins at a multiple of `align`, the operator's result begins at output pixel start * up / down.
    """

    down: int = 1
    up: int = 1
    low: int = 0
    high: int = 0
    least: int = 1  # input pixels that the operator must be given at least
    reflect: int = 0  # pixels inside the border that padding looks at

    @property
    def align(self) -> int:
        """Parts must begin at a multiple of this."""
        return self.down // math.gcd(self.down, self.up)

    def needs(self, out: Span, size: int) -> Span:
        """The input pixels for `out`, within an input of `size` pixels."""
        start = (out.start * self.down + self.low) // self.up
        stop = ((out.stop - 1) * self.down + self.high) // self.up + 1
        if start < 0:
            stop = max(stop, self.reflect + 1)
        if stop > size:
            start = min(start, size - 1 - self.reflect)
        start, stop = max(0, min(start, size - 1)), min(size, max(stop, 1))
        if stop - start < self.least:  # grow, first downwards
            stop = min(size, start + self.least)
            start = max(0, stop - self.least)
        return Span(start - start % self.align, stop)

    def starts_at(self, start: int) -> int:
        """The output pixel that a result begins with when the input part begins at `start`."""
        return start * self.up // self.down


IDENTITY = Axis()


class Axes(NamedTuple):
    """An operator's two axes."""

    rows: Axis
    columns: Axis

    def needs(self, out: Region, size: tuple[int, int]) -> Region:
        """The part of an input of `size` that makes `out`."""
        return Region(self.rows.needs(out.rows, size[0]), self.columns.needs(out.columns, size[1]))

    def starts_at(self, part: Region) -> tuple[int, int]:
        """Where the result for an input part begins."""
        return self.rows.starts_at(part.rows.start), self.columns.starts_at(part.columns.start)


POINTWISE = Axes(IDENTITY, IDENTITY)


def pair(value: Any) -> tuple[int, int]:
    """One for rows and one for columns, of two or of one for both."""
    return (int(value[0]), int(value[1])) if isinstance(value, tuple | list) else (int(value), int(value))


def _window(kernel: int, stride: int, padding: int, dilation: int, *, reflect: bool = False) -> Axis:
    reach = (kernel - 1) * dilation
    return Axis(
        down=stride,
        low=-padding,
        high=reach - padding,
        least=max(1, reach + 1 - 2 * padding, padding + 1 if reflect else 1),
        reflect=padding if reflect else 0,
    )


def convolution_axes(module: Any) -> Axes:
    """Of a convolution with any padding mode but circular."""
    mode = getattr(module, "padding_mode", "zeros")
    if mode == "circular":
        raise LimnerError("a convolution with circular padding sees across the picture's borders: it cannot be tiled")
    kernel, stride = pair(module.kernel_size), pair(module.stride)
    dilation = pair(module.dilation)
    padding: tuple[int, int]
    if module.padding == "same":
        if any(k % 2 == 0 and d % 2 for k, d in zip(kernel, dilation, strict=True)):
            raise LimnerError("a convolution with padding='same' and an even kernel cannot be tiled: give its padding")
        padding = (dilation[0] * (kernel[0] - 1) // 2, dilation[1] * (kernel[1] - 1) // 2)
    else:
        padding = (0, 0) if module.padding == "valid" else pair(module.padding)
    return Axes(
        *(_window(*sizes, reflect=mode == "reflect") for sizes in zip(kernel, stride, padding, dilation, strict=True))
    )


def transposed_axes(module: Any) -> Axes:
    """Of a transposed convolution: output o comes from the inputs i with 0 <= o + padding - i * stride <= reach."""
    axes = []
    for kernel, stride, padding, dilation in zip(
        *map(pair, (module.kernel_size, module.stride, module.padding, module.dilation)), strict=True
    ):
        reach = (kernel - 1) * dilation
        low = min(padding - reach + stride - 1, 0)  # not beyond what the result of the part begins with
        high = max(padding, 2 * padding - reach + stride - 1)  # nor short of what it ends with
        axes.append(Axis(up=stride, low=low, high=high))
    return Axes(*axes)


def pool_axes(kernel: Any, stride: Any, padding: Any, dilation: Any = 1) -> Axes:
    """Of a max or average pooling window; a window that ceil_mode adds lies at the true border or is cut away."""
    sizes = zip(*map(pair, (kernel, stride or kernel, padding, dilation)), strict=True)
    return Axes(*(_window(*size) for size in sizes))


def padding_axes(pads: tuple[int, ...], mode: str) -> Axes:
    """Of `F.pad` with (left, right, top, bottom)."""
    if mode == "circular":
        raise LimnerError("circular padding sees across the picture's borders: it cannot be tiled")
    left, right, top, bottom = (*pads, 0, 0)[:4]
    reflect = mode == "reflect"

    def axis(before: int, after: int) -> Axis:
        widest = max(before, after, 0)
        looks = widest if reflect else 0
        return Axis(low=-max(before, 0), high=-before + max(-after, 0), least=looks + 1, reflect=looks)

    return Axes(axis(top, bottom), axis(left, right))


def shuffle_axes(factor: int) -> Axes:
    """Of a pixel shuffle, and of any enlargement whose output pixel o is made from input pixel floor(o / factor)."""
    axis = Axis(up=factor)
    return Axes(axis, axis)


def unshuffle_axes(factor: int) -> Axes:
    """Of a pixel unshuffle."""
    axis = Axis(down=factor, high=factor - 1)
    return Axes(axis, axis)


Factors: TypeAlias = tuple[tuple[int, int], tuple[int, int]]
"""By what rows, then columns, are enlarged, and by what they are shrunk: one of both is 1."""


def interpolation_axes(mode: str, factors: Factors) -> Axes:
    """Of an interpolation by whole factors.

    Raises:
        LimnerError: If pixels far from a place have a share in it, or the places depend on the size of the whole.
    """
    if mode not in ("nearest", "nearest-exact", "area", *_AROUND):
        raise LimnerError(f"resizing with mode {mode!r} cannot be tiled: use nearest, area, bilinear or bicubic")
    return Axes(*(_resized(mode, *factor) for factor in factors))


_AROUND = {"bilinear": 1, "bicubic": 3}  # reach: a pixel is made from the 2 or 4 pixels around (o + 0.5) / up - 0.5


def _resized(mode: str, up: int, down: int) -> Axis:
    if down > 1 or mode not in _AROUND:  # of each window of pixels that become one, all are given
        return Axis(up=up, down=down, high=down - 1)
    reach = _AROUND[mode]
    return Axis(up=2 * up, down=2, low=1 - reach * up, high=1 + reach * up)


def pad_of_crop(index: Any, dimensions: int) -> tuple[int, int, int, int] | None:
    """The (left, right, top, bottom) of `F.pad` that does what an index does to rows and columns; None if none does.

    Args:
        index: Of a tensor, for people: x[index]. Pictures, channels and new dimensions before the rows may be anything.
        dimensions: Of the tensor; the last two are rows and columns.
    """
    parts = index if isinstance(index, tuple) else (index,)
    if any(not isinstance(part, slice | int | EllipsisType | None) for part in parts):
        return None
    missing = dimensions - sum(part is not None and part is not Ellipsis for part in parts)
    place = parts.index(Ellipsis) if Ellipsis in parts else len(parts)
    parts = (*parts[:place], *[slice(None)] * missing, *parts[place + 1 :])
    *_, rows, columns = parts
    if any(not isinstance(part, slice) or part.step not in (None, 1) for part in (rows, columns)):
        return None
    starts = [part.start or 0 for part in (rows, columns)]
    if any(not isinstance(start, int) or start < 0 for start in starts):
        return None
    ends = [part.stop if isinstance(part.stop, int) and part.stop < 0 else 0 for part in (rows, columns)]
    return -starts[1], ends[1], -starts[0], ends[0]


def crop(result: Any, begins: tuple[int, int], region: Region) -> Any:
    """Cut `region` out of a result, or out of each of several, that begins at the pixel `begins`."""
    if not isinstance(result, Tensor):
        return tuple(crop(one, begins, region) for one in result)
    rows, columns = region
    top, left = rows.start - begins[0], columns.start - begins[1]
    assert top >= 0 and left >= 0, (begins, region)
    cut = result[..., top : top + rows.length, left : left + columns.length]
    assert cut.shape[-2:] == (rows.length, columns.length), (tuple(result.shape), begins, region)
    return cut


def interpolate(x: Tensor, mode: str, factors: Factors) -> Tensor:
    """Resize by whole factors; the ratio does not depend on which part of a picture `x` is."""
    (rows, rows_down), (columns, columns_down) = factors
    if rows_down == columns_down == 1:
        mode = "nearest" if mode == "area" else mode
        return F.interpolate(x, scale_factor=(float(rows), float(columns)), mode=mode, align_corners=None)
    size = x.shape[-2] * rows // rows_down, x.shape[-1] * columns // columns_down
    return F.interpolate(x, size=size, mode=mode, align_corners=None)
