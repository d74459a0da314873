"""Pictures whose numbers are classes, objects or probabilities, as other programs read them, written from rows."""

import io
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TypeAlias

import numpy as np
from PIL import Image as PillowImage

from limner.errors import LimnerError
from limner.files.atomic import atomic_path, check_place
from limner.files.picture import Picture
from limner.files.strip_png import write_png_like
from limner.files.strip_tiff import write_tiled_tiff

Rows: TypeAlias = Callable[[int, int], np.ndarray]
"""Gives the rows from a start up to but not including a stop, (n, width); they are asked for from the top."""

MOST_IN_16_BITS = 65_535

_NO_METADATA = Picture(np.zeros((1, 1, 1), np.uint8))


def write_indexed(
    path: Path, size: tuple[int, int], labels: Rows, colors: Sequence[tuple[int, int, int]], *, overwrite: bool = False
) -> None:
    """A PNG of 8 bits with a palette: its numbers are the classes.

    Args:
        path: Ends in .png.
        size: Height and width, in pixels.
        labels: Below the number of colours.
        colors: R, G and B in 0..255, of each class; at most 256.
        overwrite: Whether a file that is there may be replaced.

    Raises:
        LimnerError: If there are more colours, the suffix is another, or a file is there.
    """
    if len(colors) > 256:
        raise LimnerError(f"{path}: a palette has at most 256 classes, got {len(colors)}: take a model of fewer")
    small = PillowImage.new("P", (1, 1))
    unused = [(0, 0, 0)] * (256 - len(colors))  # a shorter palette would be written with fewer bits
    small.putpalette([value for color in (*colors, *unused) for value in color])
    with _written(path, ".png", overwrite=overwrite) as file:
        write_png_like(file, _as_png(small), size, _of_type(labels, np.uint8), threads_for())


def write_numbers(path: Path, size: tuple[int, int], numbers: Rows, *, overwrite: bool = False) -> None:
    """A gray PNG of 16 bits, or a TIFF of 32 bits, as the suffix says: its numbers are objects.

    Raises:
        LimnerError: If the suffix is another, or a file is there.
    """
    if path.suffix.lower() == ".tif":
        with _written(path, ".tif", overwrite=overwrite) as file:
            write_tiled_tiff(file, _NO_METADATA, size, [_of_type(numbers, np.uint32)], threads_for())
        return
    small = PillowImage.fromarray(np.zeros((1, 1), np.uint16))
    with _written(path, ".png", overwrite=overwrite) as file:
        write_png_like(file, _as_png(small), size, _of_type(numbers, np.uint16), threads_for())


def write_bands(path: Path, size: tuple[int, int], bands: Sequence[Rows], *, overwrite: bool = False) -> None:
    """A TIFF of 32-bit floats with a page for each band; beyond 4 GiB it has the offsets of BigTIFF.

    Raises:
        LimnerError: If the suffix is another, or a file is there.
    """
    with _written(path, ".tif", overwrite=overwrite) as file:
        write_tiled_tiff(file, _NO_METADATA, size, [_of_type(band, np.float32) for band in bands], threads_for())


def _of_type(rows: Rows, kind: type[np.generic]) -> Callable[[int, int], np.ndarray]:
    return lambda start, stop: rows(start, stop).astype(kind)[..., None]


@contextmanager
def _written(path: Path, suffix: str, *, overwrite: bool) -> Iterator[IO[bytes]]:
    if path.suffix.lower() != suffix:
        raise LimnerError(f"{path}: must end in {suffix}: rename it")
    check_place(path, overwrite=overwrite)
    with atomic_path(path) as temporary, temporary.open("w+b") as file:
        yield file


def _as_png(picture: PillowImage.Image) -> bytes:
    made = io.BytesIO()
    picture.save(made, "PNG")
    return made.getvalue()


def threads_for() -> int:
    """How many threads deflate at the same time."""
    return min(8, os.cpu_count() or 1)
