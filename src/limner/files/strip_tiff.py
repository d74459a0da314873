"""TIFF of any size, written from rows: deflated tiles, and the 64-bit offsets of BigTIFF where 32 might not do.

Adobe, TIFF revision 6.0, 1992 (section 15, tiles; section 14, differences); AWare, "BigTIFF file format", 2007.
"""

import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import IO

import numpy as np
from PIL import TiffTags
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from limner.files.picture import Picture, Samples
from limner.files.tiff import _describe

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
            tiles = pool.map(_deflated, (band[:, left : left + side] for left in range(0, across * side, side)))
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


def _deflated(tile: Samples) -> bytes:
    return zlib.compress(_differences(tile), _LEVEL)


def _differences(tile: Samples) -> bytes:
    differences = np.diff(tile, axis=1, prepend=tile.dtype.type(0))  # section 14, wraps around as it should
    return differences.astype(tile.dtype.newbyteorder("<")).tobytes()


def _directory(
    frame: Picture,
    sample: Samples,
    size: tuple[int, int],
    side: int,
    is_big: bool,
    offsets: list[int],
    sizes: list[int],
) -> ImageFileDirectory_v2:
    channels = sample.shape[2]
    directory = ImageFileDirectory_v2(_BIG_HEADER) if is_big else ImageFileDirectory_v2()
    _describe(directory, frame)
    directory[256], directory[257] = size[1], size[0]
    directory[258] = (8 * sample.dtype.itemsize,) * channels
    directory[259] = 8  # Adobe's deflate
    directory[262] = 2 if channels >= 3 else 1  # RGB, or gray with zero for black
    directory[277], directory[284], directory[317] = channels, 1, 2  # interleaved; horizontal differences
    directory[322], directory[323] = side, side
    if channels in (2, 4):
        directory[338] = 2  # alpha, not premultiplied
    for tag, values in ((_OFFSETS, offsets), (_SIZES, sizes)):
        directory.tagtype[tag] = TiffTags.LONG8 if is_big else TiffTags.LONG
        directory[tag] = tuple(values)
    return directory
