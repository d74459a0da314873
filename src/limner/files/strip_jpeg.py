"""JPEG of any size, written from rows by libvips, with the metadata as Pillow writes it.

libvips takes EXIF apart and puts it together anew, so the head of its file is replaced. ITU-T T.81, annex B (markers).
"""

import struct
import zlib
from collections.abc import Callable, Iterator
from typing import IO, Any

from limner.errors import LimnerError
from limner.files.encode import JPEG_QUALITY, encode_jpeg
from limner.files.picture import Picture, Samples
from limner.files.strip_png import chunk, encoded, filtered_rows
from limner.files.vips import load_pyvips, reason

_SEGMENTS_OF_HEAD = frozenset({*range(0xE0, 0xF0), 0xFE})  # applications' data and comments


def write_jpeg(
    file: IO[bytes],
    one_pixel: Picture,
    size: tuple[int, int],
    rows: Callable[[int, int], Samples],
    quality: int | None,
) -> None:
    """Write a picture from its rows, with colour at full resolution.

    Args:
        file: Open for writing and reading, and empty.
        one_pixel: A picture of one pixel, with the channels, profile and metadata of what is written.
        size: Height and width, in pixels.
        rows: Gives the rows from a start to a stop, (n, width, channels) of uint8.
        quality: 1 to 100; None is 95.

    Raises:
        LimnerError: pyvips is not installed, or libvips cannot do it.
    """
    pyvips = load_pyvips()
    ends = _Ends(file, one_pixel, _plain_png(size, rows(0, 1).shape[2], filtered_rows(size, rows)))
    source, target = pyvips.SourceCustom(), pyvips.TargetCustom()
    source.on_read(ends.read)
    target.on_write(ends.write)
    quality = JPEG_QUALITY if quality is None else quality
    try:
        image = pyvips.Image.new_from_source(source, "", access="sequential", fail_on="error")
        image.jpegsave_target(target, Q=quality, subsample_mode="off", keep="none")
    except pyvips.Error as error:
        raise (ends.error or LimnerError(f"libvips cannot write it as JPEG: {reason(error)}")) from None
    if ends.error:
        raise ends.error


class _Ends:
    """What libvips reads from and writes to; an error in a callback would be lost, so it waits here."""

    def __init__(self, file: IO[bytes], one_pixel: Picture, source: Iterator[bytes]) -> None:
        self.error: BaseException | None = None
        self._file, self._source, self._waiting = file, source, memoryview(b"")
        small = encoded(file, encode_jpeg, one_pixel)
        self._head = small[: _head_length(small)]
        self._begun: bytes | None = b""
        """What libvips has written so far, until its own head is over."""

    def read(self, length: int) -> memoryview | None:
        """The next bytes of the source; None at its end."""
        try:
            if not self._waiting:
                self._waiting = memoryview(next(self._source, b""))
        except BaseException as error:
            self.error = error
        given, self._waiting = self._waiting[:length], self._waiting[length:]
        return given if given else None

    def write(self, data: Any) -> int:
        """Pass on what libvips writes, after a head of ours."""
        try:
            if self._begun is None:
                return self._file.write(data)
            self._begun += bytes(data)
            if length := _head_length(self._begun):
                self._file.write(self._head + self._begun[length:])
                self._begun = None
        except BaseException as error:
            self.error = error
            return -1
        return len(data)


def _head_length(jpeg: bytes) -> int:
    """How many bytes come before the first segment that decoding needs; 0 if that is not there yet."""
    at = 2
    while at + 4 <= len(jpeg):
        _, marker, length = struct.unpack_from(">BBH", jpeg, at)
        if marker not in _SEGMENTS_OF_HEAD:
            return at
        at += 2 + length
    return 0


def _plain_png(size: tuple[int, int], channels: int, blocks: Iterator[bytes]) -> Iterator[bytes]:
    """A PNG that is not compressed: of what libvips reads from a pipe, this is the plainest."""
    height, width = size
    yield b"\x89PNG\r\n\x1a\n"
    yield chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2 if channels == 3 else 0, 0, 0, 0))
    storing = zlib.compressobj(0)
    for block in blocks:
        yield chunk(b"IDAT", storing.compress(block))
    yield chunk(b"IDAT", storing.flush())
    yield chunk(b"IEND", b"")
