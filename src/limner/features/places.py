"""Sums over all places of a picture's activations, whole or in tiles, with their gradients, in bounded memory.

A Gram matrix and a squared distance are such sums. In tiles they take two passes: the first adds up what each tile has;
the second makes the activations of each tile again and propagates the gradient of the sums back through them. A tile is
read with as much around it as its own places see, so both passes are equal to those of the whole picture.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import torch
from torch import Tensor

from limner.errors import LimnerError
from limner.features.vgg16 import VGG
from limner.ops.wrap import wrapped
from limner.types import Image


class Window(NamedTuple):
    """A part of a picture, or of a layer."""

    top: int
    left: int
    bottom: int
    right: int

    def of(self, map: Tensor) -> Tensor:
        """This part of (..., h, w)."""
        return map[..., self.top : self.bottom, self.left : self.right]

    def over(self, stride: int) -> "Window":
        """The same in a layer that has a place every so many pixels."""
        return Window(*(side // stride for side in self))

    def moved(self, down: int, right: int) -> "Window":
        """So much further down and to the right."""
        return Window(self.top + down, self.left + right, self.bottom + down, self.right + right)


_LEAST_TILE = 128  # pixels of a side
_OF_PICTURE = 150  # bytes of a pixel that stay: itself, its gradients, what an optimiser keeps, targets of its content

MemoryBudget: TypeAlias = Callable[[], int | None]
"""Tells how many bytes activations may take now; None is any number. What a process holds changes while it works."""

Sums: TypeAlias = Callable[[Mapping[str, Tensor], Window], Sequence[Tensor]]
"""From the activations of a window of a picture, and that window, to what they add to each sum."""


def sum_over_places(
    vgg: VGG, image: Image, sums: Sums, *, tile: int | None = None, wrap: bool = False
) -> tuple[Tensor, ...]:
    """What `sums` adds up to over a picture.

    Args:
        vgg: Gives the activations.
        image: The picture.
        sums: Must be such that those of windows side by side add up to that of both.
        tile: Side of the tiles in pixels, rounded up to the stride of the deepest layer; None takes the whole at once.
        wrap: Let the right border go on at the left one and the bottom at the top, as in a texture that is repeated.

    Raises:
        LimnerError: If the picture is too small, or it is to wrap and a side is no multiple of the deepest stride.
    """
    height, width = image.shape[-2:]
    stride = vgg.least_side
    if wrap and (height % stride or width % stride):
        raise LimnerError(
            f"the sides of a picture that wraps must be multiples of {stride}, got {width}x{height}: "
            f"take {_up(width, stride)}x{_up(height, stride)}"
        )
    margin = _up(vgg.reach, stride)
    side = max(height, width) if tile is None else _up(tile, stride)
    tiles = _Tiles(vgg, sums, side, margin, margin if wrap else 0)
    whole = wrapped(image, margin, margin) if wrap else image
    if side >= max(height, width):
        return tuple(tiles.of_window(whole, Window(0, 0, height, width)))
    totals: tuple[Tensor, ...] = _SumInTiles.apply(whole, tiles)  # type: ignore[no-untyped-call]  # of torch
    return totals


def tile_within(vgg: VGG, height: int, width: int, budget: MemoryBudget | None) -> int | None:
    """The side of the largest tiles whose activations, kept for their gradient, fit in the budget.

    None stands for the whole picture. Tiles have a least size, so that what is read around them costs not too much.
    """
    memory = None if budget is None else budget()
    if memory is None or height * width * vgg.bytes_per_pixel <= memory:
        return None
    memory = max(0, memory - _OF_PICTURE * height * width)
    side = math.isqrt(memory // vgg.bytes_per_pixel) - 2 * _up(vgg.reach, vgg.least_side)
    return max(_LEAST_TILE, side // vgg.least_side * vgg.least_side)


def _up(value: int, multiple: int) -> int:
    return -(-value // multiple) * multiple


class _Tiles(NamedTuple):
    vgg: VGG
    sums: Sums
    side: int
    margin: int
    border: int  # pixels of the image on each side that are no part of the picture

    def windows(self, image: Tensor) -> Iterator[Window]:
        """Of the picture, in reading order."""
        height, width = (side - 2 * self.border for side in image.shape[-2:])
        for top in range(0, height, self.side):
            for left in range(0, width, self.side):
                yield Window(top, left, min(top + self.side, height), min(left + self.side, width))

    def seen(self, image: Tensor, window: Window) -> Window:
        """What of the image must be read for a window of the picture."""
        own = window.moved(self.border, self.border)
        height, width = image.shape[-2:]
        return Window(
            max(0, own.top - self.margin),
            max(0, own.left - self.margin),
            min(height, own.bottom + self.margin),
            min(width, own.right + self.margin),
        )

    def of_window(self, image: Tensor, window: Window) -> Sequence[Tensor]:
        """What a window of the picture adds to the sums."""
        seen = self.seen(image, window)
        return self.of_seen(seen.of(image), seen, window)

    def of_seen(self, part: Tensor, seen: Window, window: Window) -> Sequence[Tensor]:
        """The same of what was read already."""
        own = window.moved(self.border - seen.top, self.border - seen.left)
        found = self.vgg(part)
        return self.sums({layer: own.over(self.vgg.stride(layer)).of(map) for layer, map in found.items()}, window)


class _SumInTiles(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, image: Tensor, tiles: _Tiles) -> tuple[Tensor, ...]:
        ctx.save_for_backward(image)
        ctx.tiles = tiles
        parts = (tiles.of_window(image, window) for window in tiles.windows(image))
        totals = [part.clone() for part in next(parts)]
        for part in parts:
            for total, more in zip(totals, part, strict=True):
                total += more
        return tuple(totals)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (image,) = ctx.saved_tensors
        tiles: _Tiles = ctx.tiles
        result = torch.zeros_like(image)
        for window in tiles.windows(image):
            seen = tiles.seen(image, window)
            with torch.enable_grad():
                part = seen.of(image).detach().requires_grad_()
                parts = tiles.of_seen(part, seen, window)
            torch.autograd.backward(list(parts), list(gradients))
            assert part.grad is not None
            seen.of(result).add_(part.grad)
        return result, None
