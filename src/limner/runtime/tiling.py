"""Pictures of any size in bounded memory, exactly: tiles with a halo as wide as an output pixel sees.

For networks of plain convolutions. A tile that touches the picture's border ends there, so the network's own padding
acts where it would act on the whole picture, and nowhere else.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor


class Span(NamedTuple):
    """One tile along one axis, in input pixels: what it delivers, and what it must read for that."""

    start: int
    stop: int
    read_start: int
    read_stop: int


def spans(length: int, tile: int, halo: int, stride: int) -> Iterator[Span]:
    """Cut an axis into tiles of about equal size, at most `tile` long; every cut is a multiple of `stride`.

    >>> list(map(tuple, spans(10, tile=6, halo=1, stride=2)))
    [(0, 6, 0, 8), (6, 10, 4, 10)]
    """
    count = -(-length // max(tile // stride * stride, stride))
    size = -(-length // (count * stride)) * stride
    reach = -(-halo // stride) * stride
    for start in range(0, length, size):
        stop = min(start + size, length)
        yield Span(start, stop, max(0, start - reach), min(length, stop + reach))


def run_tiled(
    run: Callable[[Tensor], Tensor],
    image: Tensor,
    *,
    scale: int,
    halo: int,
    stride: int,
    tile: int,
    on_tile: Callable[[int, int], None] | None = None,
) -> Tensor:
    """Apply `run` tile by tile; the result is that of the whole picture.

    Args:
        run: (n, c, h, w) -> (n, k, scale h, scale w), a network of convolutions.
        image: (n, c, h, w).
        scale: How much larger the result is.
        halo: How far an output pixel sees, in input pixels.
        stride: Cuts are made at multiples of it.
        tile: Side of a tile without its halo, in input pixels.
        on_tile: Called with (tiles done, tiles in all).
    """
    rows = list(spans(image.shape[-2], tile, halo, stride))
    columns = list(spans(image.shape[-1], tile, halo, stride))
    result: Tensor | None = None
    for number, (row, column) in enumerate((row, column) for row in rows for column in columns):
        done = run(image[..., row.read_start : row.read_stop, column.read_start : column.read_stop])
        if result is None:
            size = (*done.shape[:2], image.shape[-2] * scale, image.shape[-1] * scale)
            result = torch.empty(size, dtype=done.dtype, device=done.device)
        result[..., row.start * scale : row.stop * scale, column.start * scale : column.stop * scale] = done[
            ...,
            (row.start - row.read_start) * scale : (row.stop - row.read_start) * scale,
            (column.start - column.read_start) * scale : (column.stop - column.read_start) * scale,
        ]
        if on_tile:
            on_tile(number + 1, len(rows) * len(columns))
    assert result is not None
    return result
