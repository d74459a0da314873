"""TIFF of any size, written from rows: deflated tiles, and the 64-bit offsets of BigTIFF where 32 might not do.

Adobe, TIFF revision 6.0, 1992 (section 15, tiles; section 14, differences); AWare, "BigTIFF file format", 2007.
`files.tiff` says why no library writes it.
"""

import math
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import IO

import numpy as np
from PIL import TiffTags
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from limner.files.picture import Picture, Samples
from limner.files.tiff import deflated, describe

_CLASSIC_BYTES = 2**32 - 2**26
"""A file with more samples gets 64-bit offsets: what deflate adds to noise and the directory are far below the rest."""
_BAND_BYTES = 2**26  # held at a time
_OFFSETS, _SIZES = 324, 325
_LEVEL = 4  # 3.5 times as fast as 6, for 4 % more bytes
_BIG_HEADER = b"II+\0\x08\0\0\0" + (16).to_bytes(8, "little")


def write_tiled_tiff(
    file: IO[bytes],
    frame: Picture,
    size: tuple[int, int],
    pages: Sequence[Callable[[int, int], Samples]],
    num_threads: int,
) -> None:
    """Write pictures of one size from their rows, each as a page.

    Args:
        file: Open for writing and reading, and empty.
        frame: Their profile and metadata.
        size: Height and width, in pixels.
        pages: Each gives the rows from a start to a stop, (n, width, channels), alpha last.
        num_threads: That deflate at the same time.
    """
    num_bytes = sum(_padded_bytes(rows(0, 1), size) for rows in pages)
    link: int | None = None
    for rows in pages:
        begin, link_after = _write_page(file, frame, size, rows, num_threads, is_big=num_bytes > _CLASSIC_BYTES)
        if link is not None:
            file.seek(link)
            file.write(begin.to_bytes(8 if num_bytes > _CLASSIC_BYTES else 4, "little"))
            file.seek(0, os.SEEK_END)
        link = link_after


def _write_page(
    file: IO[bytes],
    frame: Picture,
    size: tuple[int, int],
    rows: Callable[[int, int], Samples],
    num_threads: int,
    *,
    is_big: bool,
) -> tuple[int, int]:
    """Write a page at the end; where its directory begins, and where in that the place of the next one stands."""
    height, width = size
    sample = rows(0, 1)
    side = _tile_side(sample.nbytes)
    down, across = -(-height // side), -(-width // side)
    file.write(bytes(file.tell() % 2))  # directories begin at even places
    place = file.tell()
    blank = _directory(frame, sample, size, side, is_big, [0] * (down * across), [0] * (down * across))
    begin = blank.save(file)
    sizes: list[int] = []
    with ThreadPoolExecutor(num_threads) as pool:
        for top in range(0, height, side):
            band = _padded(rows(top, min(top + side, height)), side, across * side)
            tiles = pool.map(partial(deflated, level=_LEVEL), np.split(band, across, axis=1))
            for tile in tiles:
                sizes.append(len(tile))
                file.write(tile)
    offsets = (begin + np.cumsum([0, *sizes[:-1]])).tolist()
    file.seek(place)
    end = _directory(frame, sample, size, side, is_big, offsets, sizes).save(file)
    assert end == begin
    place = place or (16 if is_big else 8)  # the first one lies behind the header
    file.seek(place)
    count, entry = (8, 20) if is_big else (2, 12)  # bytes
    link = place + count + entry * int.from_bytes(file.read(count), "little")
    file.seek(0, os.SEEK_END)
    return place, link


def _padded_bytes(sample: Samples, size: tuple[int, int]) -> int:
    """Of all tiles of a page before they are deflated, given its first row."""
    side = _tile_side(sample.nbytes)
    return math.prod(-(-length // side) * side for length in size) * sample[0, 0].nbytes


def _tile_side(row_bytes: int) -> int:
    """256, or less where a row of tiles would take much memory; tiles have sides of multiples of 16 (section 15)."""
    side = 256
    while side > 16 and side * row_bytes > _BAND_BYTES:
        side //= 2
    return side


def _padded(band: Samples, height: int, width: int) -> Samples:
    """The band with its last row and column repeated, which deflates better than black."""
    return np.pad(band, ((0, height - band.shape[0]), (0, width - band.shape[1]), (0, 0)), mode="edge")


def _directory(
    frame: Picture,
    sample: Samples,
    size: tuple[int, int],
    side: int,
    is_big: bool,
    offsets: list[int],
    sizes: list[int],
) -> ImageFileDirectory_v2:
    directory = ImageFileDirectory_v2(_BIG_HEADER) if is_big else ImageFileDirectory_v2()
    describe(directory, frame, (*size, sample.shape[2]), sample.dtype)
    directory[322], directory[323] = side, side
    for tag, values in ((_OFFSETS, offsets), (_SIZES, sizes)):
        directory.tagtype[tag] = TiffTags.LONG8 if is_big else TiffTags.LONG
        directory[tag] = tuple(values)
    return directory
