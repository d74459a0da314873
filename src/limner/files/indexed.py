"""Pictures whose numbers are classes, objects or probabilities, as other programs read them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int
from PIL import Image as PillowImage

from limner.errors import LimnerError
from limner.files.atomic import atomic_path, check_place


def write_indexed(
    path: Path, labels: Int[np.ndarray, "h w"], colors: Sequence[tuple[int, int, int]], *, overwrite: bool = False
) -> None:
    """A PNG of 8 bits with a palette: its numbers are the classes.

    Args:
        path: Ends in .png.
        labels: Below the number of colours.
        colors: R, G and B in 0..255, of each class; at most 256.
        overwrite: Whether a file that is there may be replaced.

    Raises:
        LimnerError: If there are more colours, the suffix is another, or a file is there.
    """
    _check(path, ".png", overwrite=overwrite)
    if len(colors) > 256:
        raise LimnerError(f"{path}: a palette has at most 256 classes, got {len(colors)}: take a model of fewer")
    picture = PillowImage.fromarray(labels.astype(np.uint8))
    unused = [(0, 0, 0)] * (256 - len(colors))  # a shorter palette would be written with fewer bits
    picture.putpalette([value for color in (*colors, *unused) for value in color])
    with atomic_path(path) as temporary:
        picture.save(temporary, "PNG", compress_level=9)


def write_numbers(path: Path, numbers: Int[np.ndarray, "h w"], *, overwrite: bool = False) -> None:
    """A gray PNG of 16 bits: its numbers are objects.

    Raises:
        LimnerError: If there are more than 65,535, the suffix is another, or a file is there.
    """
    _check(path, ".png", overwrite=overwrite)
    if numbers.max(initial=0) > 65_535:
        raise LimnerError(f"{path}: 16 bits number 65,535 objects, got {numbers.max()}: cut the picture into parts")
    with atomic_path(path) as temporary:
        PillowImage.fromarray(numbers.astype(np.uint16)).save(temporary, "PNG")


def write_bands(path: Path, bands: Float[np.ndarray, "k h w"], *, overwrite: bool = False) -> None:
    """A TIFF of 32-bit floats with a page for each band.

    Raises:
        LimnerError: If the suffix is another, or a file is there.
    """
    _check(path, ".tif", overwrite=overwrite)
    pages = [PillowImage.fromarray(band.astype(np.float32)) for band in bands]
    with atomic_path(path) as temporary:
        pages[0].save(temporary, "TIFF", save_all=True, append_images=pages[1:], compression="tiff_deflate")


def _check(path: Path, suffix: str, *, overwrite: bool) -> None:
    if path.suffix.lower() != suffix:
        raise LimnerError(f"{path}: must end in {suffix}: rename it")
    check_place(path, overwrite=overwrite)
