"""TIFF with bands that are no photo: fluorescence channels, multispectral scans, a height beside colours.

A sample of a pixel that is neither colour nor alpha is one by TIFF 6.0, section 18 (ExtraSamples 0, or none named).
Pillow passes such samples by or refuses them, so libvips reads them, all with 8 or 16 bits.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from limner.errors import LimnerError
from limner.files.header import BITS_PER_SAMPLE, EXTRA_SAMPLES, PHOTOMETRIC, SAMPLES_PER_PIXEL
from limner.files.image import MOST_PIXELS, too_many_pixels
from limner.files.ordinary import check_ordinary
from limner.files.picture import Samples
from limner.files.shard_path import ShardPath
from limner.files.strip_readers import FileRows
from limner.files.vips import load_pyvips, reason

_WIDTH, _HEIGHT, _SAMPLE_FORMAT = 256, 257, 339
_COLOURS = {2: 3, 5: 4, 6: 3, 8: 3}  # samples of a pixel by what they mean: RGB, inks, YCbCr, Lab; else 1
_HEADS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_STRIP_BYTES = 2**22


class Bands(NamedTuple):
    """What a file of bands is: its sides in pixels, how many bands it has, and of which bits."""

    height: int
    width: int
    bands: int
    bit_depth: int


def bands_of(path: Path) -> Bands | None:
    """What a TIFF with bands says of itself; None of any other picture, and of what is none.

    Raises:
        LimnerError: If its samples are no whole numbers of 8 or 16 bits.
    """
    tags = _tags(path)
    if tags is None:
        return None
    count, extra = int(tags.get(SAMPLES_PER_PIXEL, 1)), tuple(tags.get(EXTRA_SAMPLES, ()))
    told = [one for one in extra if one in (1, 2)]
    if count - len(told) <= _COLOURS.get(int(tags.get(PHOTOMETRIC, 1)), 1):
        return None
    depth, kinds = int(tags.get(BITS_PER_SAMPLE, (1,))[0]), set(tags.get(_SAMPLE_FORMAT, (1,)))
    if depth not in (8, 16) or kinds != {1}:
        raise LimnerError(f"{path}: its {count} bands are no whole numbers of 8 or 16 bits: save them so")
    return Bands(int(tags[_HEIGHT]), int(tags[_WIDTH]), count, depth)


def read_bands(path: Path, *, max_pixels: int | None = MOST_PIXELS) -> Samples:
    """All bands of such a TIFF: (h, w, bands) of uint8 or uint16.

    Raises:
        LimnerError: If it is damaged or too large, or the extra `large` is not installed.
    """
    return np.concatenate(list(band_strips(path, max_pixels=max_pixels)))


def band_strips(path: Path, *, max_pixels: int | None = MOST_PIXELS) -> Iterator[Samples]:
    """The same some rows at a time, from the top.

    Raises:
        LimnerError: If it is damaged or too large, or the extra `large` is not installed.
    """
    about = bands_of(path)
    assert about is not None
    if why := too_many_pixels(about.width, about.height, max_pixels):
        raise LimnerError(f"{path}: {why}")
    pyvips = load_pyvips()
    try:
        source = (
            pyvips.Source.new_from_memory(path.read_bytes())
            if isinstance(path, ShardPath)
            else pyvips.Source.new_from_file(os.fsencode(path))
        )
        image = pyvips.Image.new_from_source(source, "", access="sequential", fail_on="error", unlimited=True)
        found = (image.height, image.width, image.bands, {"uchar": 8, "ushort": 16}.get(image.format))
        if found != tuple(about):
            raise LimnerError(f"{path}: says {about}, and holds {found}: save it as a plain TIFF")
        rows = FileRows(pyvips, image, np.dtype(np.uint8 if about.bit_depth == 8 else np.uint16))
        step = max(1, _STRIP_BYTES // (about.width * about.bands * about.bit_depth // 8))
        for start in range(0, about.height, step):
            yield rows.fetch(start, min(start + step, about.height))
    except pyvips.Error as error:
        raise LimnerError(f"{path}: is damaged or cut short ({reason(error)}): get the file once more") from error


def _tags(path: Path) -> ImageFileDirectory_v2 | None:
    """Those of the first page of a TIFF."""
    try:
        check_ordinary(path)
        with path.open("rb") as file:
            head = file.read(8)
            if head[:4] not in _HEADS:
                return None
            head += file.read(8) if 43 in head[2:4] else b""
            tags = ImageFileDirectory_v2(head)
            assert tags.next is not None
            file.seek(tags.next)
            tags.load(file)
            return tags
    except Exception:  # whatever is the matter with the file, reading it as a picture will say so
        return None
