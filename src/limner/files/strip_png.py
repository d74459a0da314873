"""PNG of any size, written from rows, deflated in several threads.

ISO/IEC 15948:2004 (PNG); RFC 1950 and 1951 (zlib, deflate).
"""

import itertools
import struct
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import IO

import numpy as np

from limner.files.encode import Encoder, encode_png
from limner.files.picture import Picture, Samples

_SIGNATURE_BYTES = 8
_BLOCK_BYTES = 2**20  # deflated by itself: the 32 KiB that it cannot look back to cost a hundredth
_LEVEL = 4  # 3.5 times as fast as 6, for 4 % more bytes
_ZLIB_HEADER = b"\x78\x9c"


def write_png(
    file: IO[bytes], one_pixel: Picture, size: tuple[int, int], rows: Callable[[int, int], Samples], num_threads: int
) -> None:
    """Write a picture from its rows.

    Args:
        file: Open for writing and reading, and empty.
        one_pixel: A picture of one pixel, with the channels, type, profile and metadata of what is written.
        size: Height and width, in pixels.
        rows: Gives the rows from a start to a stop, (n, width, channels), alpha last.
        num_threads: That deflate at the same time.
    """
    write_png_like(file, encoded(file, encode_png, one_pixel), size, rows, num_threads)


def write_png_like(
    file: IO[bytes], small: bytes, size: tuple[int, int], rows: Callable[[int, int], Samples], num_threads: int
) -> None:
    """Write a picture from its rows, as `write_png`, that is in all but its pixels like a PNG of one pixel.

    Args:
        file: Open for writing, and empty.
        small: The PNG of one pixel.
        size: Height and width, in pixels.
        rows: Gives the rows from a start to a stop, (n, width, channels), of the type that `small` says.
        num_threads: That deflate at the same time.
    """
    file.write(small[:_SIGNATURE_BYTES])
    has_pixels = False
    for name, data in _chunks(small):
        if name == b"IHDR":
            file.write(chunk(name, struct.pack(">II", size[1], size[0]) + data[8:]))
        elif name != b"IDAT":
            file.write(chunk(name, data))
        elif not has_pixels:
            has_pixels = True
            with ThreadPoolExecutor(num_threads) as pool:
                for part in _deflated(filtered_rows(size, rows), pool, num_threads):
                    file.write(chunk(b"IDAT", part))


def encoded(file: IO[bytes], encode: Encoder, picture: Picture) -> bytes:
    """A small picture as a file, for which an empty one serves that is empty again then."""
    encode(file, picture, None)
    file.seek(0)
    data = file.read()
    file.seek(0)
    file.truncate()
    return data


def chunk(name: bytes, data: bytes) -> bytes:
    """One chunk of a PNG with its length and its sum (section 5.3)."""
    return struct.pack(">I4s", len(data), name) + data + struct.pack(">I", zlib.crc32(data, zlib.crc32(name)))


def filtered_rows(size: tuple[int, int], rows: Callable[[int, int], Samples]) -> Iterator[bytes]:
    """Blocks of rows, each row as its difference from the row above: filter type 2 (section 9.2)."""
    height, _ = size
    above = np.zeros_like(rows(0, 1))
    step = max(1, _BLOCK_BYTES // above.nbytes)
    for top in range(0, height, step):
        band = np.concatenate([above, rows(top, min(top + step, height))])
        above = band[-1:]
        samples = band.reshape(len(band), -1)
        lines = samples.astype(samples.dtype.newbyteorder(">")).view(np.uint8)
        filtered = np.full((len(band) - 1, lines.shape[1] + 1), 2, np.uint8)
        filtered[:, 1:] = np.diff(lines, axis=0)
        yield filtered.tobytes()


def _deflated(blocks: Iterator[bytes], pool: ThreadPoolExecutor, at_once: int) -> Iterator[bytes]:
    """A zlib stream of all blocks, in parts."""
    yield _ZLIB_HEADER
    adler = 1
    while several := [*itertools.islice(blocks, at_once)]:
        for block in several:
            adler = zlib.adler32(block, adler)
        yield from pool.map(_deflate, several)
    yield zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS).flush() + struct.pack(">I", adler)


def _deflate(block: bytes) -> bytes:
    """One block as deflate that ends on a byte and looks at nothing before it."""
    compressor = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    return compressor.compress(block) + compressor.flush(zlib.Z_FULL_FLUSH)


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The chunks of a PNG that was written a moment ago."""
    at = _SIGNATURE_BYTES
    while at < len(png):
        (size,) = struct.unpack_from(">I", png, at)
        yield png[at + 4 : at + 8], png[at + 8 : at + 8 + size]
        at += size + 12
