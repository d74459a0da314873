"""TIFF of any size, written from rows: deflated tiles, and the 64-bit offsets of BigTIFF where 32 might not do.

Adobe, TIFF revision 6.0, 1992 (section 15, tiles; section 14, differences); AWare, "BigTIFF file format", 2007.
`files.tiff` says why no library writes it.
"""

from collections.abc import Callable
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
    file: IO[bytes], frame: Picture, size: tuple[int, int], rows: Callable[[int, int], Samples], num_threads: int
) -> None:
    """Write a picture from its rows.

    Args:
        file: Open for writing, and empty.
        frame: Its profile and metadata.
        size: Height and width, in pixels.
        rows: Gives the rows from a start to a stop, (n, width, channels), alpha last.
        num_threads: That deflate at the same time.
    """
    height, width = size
    sample = rows(0, 1)
    side = _tile_side(sample.nbytes)
    down, across = -(-height // side), -(-width // side)
    is_big = down * across * side**2 * sample[0, 0].nbytes > _CLASSIC_BYTES
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
    file.seek(0)
    end = _directory(frame, sample, size, side, is_big, offsets, sizes).save(file)
    assert end == begin


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
