"""TIFF with 8 or 16 bits per sample, deflated, with its metadata; Pillow writes no 16-bit colour.

Adobe, TIFF revision 6.0, 1992, and Adobe Photoshop TIFF technical notes, 2002 (deflate). tifffile 2026.3.3 would
write the samples, but drops the directories of EXIF and GPS ("not writing extratag 34665", 34853), and without
imagecodecs (45 MB) it reads neither LZW nor JPEG, which Pillow and libvips do. Pillow writes the directories here.
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
    strips = [deflated(samples[top : top + rows]) for top in range(0, picture.height, rows)]
    sizes = [len(strip) for strip in strips]
    if sum(sizes) > (1 << 32) - (1 << 24):
        raise OverflowError("a TIFF holds at most 4 GiB: write PNG")
    directory = ImageFileDirectory_v2()
    describe(directory, picture, samples.shape, samples.dtype)
    directory[278] = rows
    for tag, values in ((273, np.cumsum([0, *sizes[:-1]]).tolist()), (279, sizes)):
        directory.tagtype[tag] = TiffTags.LONG
        directory[tag] = tuple(values)
    directory.save(file)
    file.writelines(strips)


def deflated(part: Samples, level: int = -1) -> bytes:
    """A strip or a tile (h, w, channels), packed; whole numbers as differences of neighbours in a row (section 14)."""
    if part.dtype.kind != "f":
        part = np.diff(part, axis=1, prepend=part.dtype.type(0))  # wraps around as it should
    return zlib.compress(part.astype(part.dtype.newbyteorder("<")).tobytes(), level)


def describe(directory: ImageFileDirectory_v2, picture: Picture, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    """Enter what is true of the whole file: size, samples and how they are packed, and the metadata of `picture`.

    Args:
        directory: That is filled.
        picture: Its samples do not matter.
        shape: Height, width, and channels with alpha.
        dtype: Whole numbers without a sign, or 32-bit floats.
    """
    _enter_metadata(directory, picture)
    height, width, channels = shape
    directory[256], directory[257] = width, height
    directory[258] = (8 * dtype.itemsize,) * channels
    directory[259] = 8  # Adobe's deflate
    directory[262] = 2 if channels >= 3 else 1  # RGB, or gray with zero for black
    directory[277], directory[284] = channels, 1  # interleaved
    if dtype.kind == "f":
        directory[339] = (3,) * channels  # IEEE floating point
    else:
        directory[317] = 2  # horizontal differences
    if channels in (2, 4):
        directory[338] = 2  # alpha, not premultiplied


def _enter_metadata(directory: ImageFileDirectory_v2, picture: Picture) -> None:
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
