"""TIFF with 8 or 16 bits per sample, deflated, with its metadata; Pillow writes no 16-bit colour.

Adobe, TIFF revision 6.0, 1992, and Adobe Photoshop TIFF technical notes, 2002 (deflate).
"""

import zlib
from typing import IO, Any

import numpy as np
from PIL import ExifTags, Image, TiffTags
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from limner.files.metadata import DESCRIPTIVE_TAGS
from limner.files.picture import Picture, Samples

_STRIP_BYTES = 1 << 20
_INTEROPERABILITY = 0xA005


def write_tiff(file: IO[bytes], picture: Picture) -> None:
    """Write `picture` with all its samples and metadata.

    Raises:
        OverflowError: The file would pass the 4 GiB that its offsets can reach.
    """
    samples = picture.pixels if picture.alpha is None else np.dstack([picture.pixels, picture.alpha])
    rows = max(1, _STRIP_BYTES // samples[0].nbytes)
    strips = [_deflated(samples[top : top + rows]) for top in range(0, picture.height, rows)]
    sizes = [len(strip) for strip in strips]
    if sum(sizes) > (1 << 32) - (1 << 24):
        raise OverflowError("a TIFF holds at most 4 GiB: write PNG")
    directory = ImageFileDirectory_v2()
    _describe(directory, picture)
    _lay_out(directory, samples, rows)
    for tag, values in ((273, np.cumsum([0, *sizes[:-1]]).tolist()), (279, sizes)):
        directory.tagtype[tag] = TiffTags.LONG
        directory[tag] = tuple(values)
    directory.save(file)
    file.writelines(strips)


def _deflated(strip: Samples) -> bytes:
    differences = np.diff(strip, axis=1, prepend=strip.dtype.type(0))  # section 14, wraps around as it should
    return zlib.compress(differences.astype(strip.dtype.newbyteorder("<")).tobytes())


def _lay_out(directory: ImageFileDirectory_v2, samples: Samples, rows: int) -> None:
    height, width, channels = samples.shape
    directory[256], directory[257] = width, height
    directory[258] = (8 * samples.dtype.itemsize,) * channels
    directory[259] = 8  # Adobe's deflate
    directory[262] = 2 if channels >= 3 else 1  # RGB, or gray with zero for black
    directory[277], directory[278], directory[284] = channels, rows, 1
    directory[317] = 2  # horizontal differences
    if channels in (2, 4):
        directory[338] = 2  # alpha, not premultiplied


def _describe(directory: ImageFileDirectory_v2, picture: Picture) -> None:
    for tag, value in _exif_entries(picture.exif or b"").items():
        directory[tag] = value
    if picture.dpi:
        directory[282], directory[283] = picture.dpi
        directory[296] = 2  # per inch
    for tag, data, kind in ((700, picture.xmp, TiffTags.BYTE), (34675, picture.icc_profile, TiffTags.UNDEFINED)):
        if data:
            directory.tagtype[tag] = kind
            directory[tag] = data


def _exif_entries(block: bytes) -> dict[int, Any]:
    """What TIFF keeps of an EXIF block in its own directory; nothing of a malformed one."""
    exif, directory = Image.Exif(), ImageFileDirectory_v2()
    try:
        exif.load(block)
        for tag in DESCRIPTIVE_TAGS & set(exif):
            directory[tag] = exif[tag]
        for group in (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo):
            entries = {tag: value for tag, value in exif.get_ifd(group).items() if tag != _INTEROPERABILITY}
            if entries:
                directory[group] = entries
        directory.tobytes()
    except Exception:  # a malformed block trips its parser anywhere, and is not worth the picture
        return {}
    return dict(directory)
