"""Pictures that memory need not hold, read a strip of rows at a time."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from limner.errors import LimnerError
from limner.files.image import MOST_PIXELS, ImageInfo, read_header, read_image, too_many_pixels
from limner.files.picture import Picture
from limner.files.strip_header import read_strip_header
from limner.files.strip_readers import StreamReader, WholeReader

_STREAMED = ("JPEG", "PNG", "TIFF")
_SAMPLES = {"gray": 1, "gray+alpha": 2, "RGB": 3, "palette": 4}
_BYTES_PER_SAMPLE = 4  # of 8 bits, while a file is decoded whole: Pillow's copy, ours, and one of them turned


class StripReader(Protocol):
    """A picture, upright, whose rows are read from the top.

    Attributes:
        height: Rows, in pixels.
        width: Columns, in pixels.
        frame: The picture without its rows: its channels, bit depth, colour profile and metadata.
        held_bytes: About how much memory it takes beside the strips that it gives.
    """

    height: int
    width: int
    frame: Picture
    held_bytes: int

    def read(self, start: int, stop: int) -> Picture:
        """The rows from `start` up to but not including `stop`; `start` is never before that of the last strip.

        Raises:
            LimnerError: The file is damaged or cut short.
        """


@contextmanager
def open_strips(
    path: str | os.PathLike[str],
    *,
    memory: int | None = None,
    scratch: Path | None = None,
    max_pixels: int | None = MOST_PIXELS,
) -> Iterator[StripReader]:
    """Open a picture to be read in strips; what comes is what `read_image` gives.

    Args:
        path: The format is found by content, whatever the name says.
        memory: Bytes that reading may take. A picture that takes more when it is decoded whole is read row by row,
            which needs the extra `large`, and a JPEG, PNG or TIFF. None: read it whole.
        scratch: A folder for a file as large as the picture, which one that is stored turned or upside down needs
            when it is read row by row; it must be there when the first strip is read. None: the system's.
        max_pixels: Larger pictures are refused before they are decoded, however little memory that takes; None lifts
            the limit.

    Raises:
        LimnerError: There is no such file, it is no still image or damaged, or so little memory does not do.
    """
    path = Path(path)
    info = read_header(path)
    if why := too_many_pixels(info.width, info.height, max_pixels):
        raise LimnerError(f"{path}: {why}")
    whole = _whole_bytes(info)
    if memory is None or whole <= memory:
        yield WholeReader(read_image(path, max_pixels=None))
        return
    if info.format not in _STREAMED:
        raise LimnerError(
            f"{path}: {info.format} is decoded whole, which takes {_megabytes(whole)} MB, and {_megabytes(memory)} MB "
            "are there for it: allow more memory, or save it as PNG or TIFF"
        )
    header = read_strip_header(path)
    if header.decoding_bytes > memory:
        raise LimnerError(
            f"{path}: decoding this {info.format} takes {_megabytes(header.decoding_bytes)} MB, and "
            f"{_megabytes(memory)} MB are there for it: allow more memory, or save it as a TIFF with tiles"
        )
    reader = StreamReader(path, header, scratch)
    try:
        yield reader
    finally:
        reader.close()


def _whole_bytes(info: ImageInfo) -> int:
    samples = _SAMPLES.get(info.mode, 4)
    return info.width * info.height * samples * _BYTES_PER_SAMPLE * info.read_bit_depth // 8


def _megabytes(size: int) -> int:
    return -(-size // 2**20)
