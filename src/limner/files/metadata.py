"""What an image file says beside its pixels: EXIF, XMP, resolution, text."""

import math
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from PIL import ExifTags, Image
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile

from limner.files.exif import EXIF_PREFIX, without_thumbnail
from limner.files.exif import as_upright as exif_as_upright
from limner.files.xmp import about_the_picture
from limner.files.xmp import as_upright as xmp_as_upright

DESCRIPTIVE_TAGS = frozenset(
    {
        *(
            270,
            271,
            272,
            305,
            306,
            315,
            316,
            33432,
        ),  # description, make, model, software, date, artist, host, copyright
        *(18246, 18249),  # rating
        *(40091, 40092, 40093, 40094, 40095),  # title, comment, author, keywords and subject as Windows writes them
    }
)
"""The tags of a TIFF's first directory that speak of the picture; the others lay out the pixels in this one file."""

_ORIENTATION = ExifTags.Base.Orientation.value
_IPTC = 0x0404  # of Photoshop's image resources
_TEXT_HELD_ELSEWHERE = frozenset({"XML:com.adobe.xmp", "Raw profile type exif"})


class Metadata(NamedTuple):
    """The fields of a `Picture` that are not samples or colour."""

    exif: bytes | None
    xmp: bytes | None
    dpi: tuple[float, float] | None
    text: Mapping[str, str]
    comment: bytes | None
    notes: tuple[str, ...] = ()
    """What of the file is not kept."""


def metadata_of(image: Image.Image) -> Metadata:
    """Collect what `image`, whose pixels are loaded, carries; what is malformed is left out."""
    comment = image.info.get("comment")
    return Metadata(
        exif=_exif_of(image),
        xmp=_xmp_of(image),
        dpi=_dpi_of(image.info.get("dpi")),
        text=_text_of(image),
        comment=comment if isinstance(comment, bytes) and image.format == "JPEG" else None,
        notes=_left_out(image),
    )


def _left_out(image: Image.Image) -> tuple[str, ...]:
    """The parts of a file that are neither this picture nor metadata that Limner writes."""
    notes = []
    if "mpoffset" in image.info:
        notes.append("its further pictures (a preview, a gain map or another view) are left out")
    records = image.info.get("photoshop")
    if image.format == "JPEG" and isinstance(records, dict) and _IPTC in records:
        notes.append("its IPTC records are left out")
    return tuple(notes)


def upright(metadata: Metadata) -> Metadata:
    """The same metadata of a picture that has been turned upright: without what only its old file was."""
    exif, xmp = metadata.exif, metadata.xmp
    if exif:
        exif = without_thumbnail(exif_as_upright(exif))
    if xmp is None:
        return metadata._replace(exif=exif)
    packet, left_out = about_the_picture(xmp_as_upright(xmp))
    if packet is None:
        left_out = (*left_out, "XMP")
    notes = tuple(f"its {what} is left out" for what in left_out)
    return metadata._replace(exif=exif, xmp=packet, notes=tuple(dict.fromkeys((*metadata.notes, *notes))))


def _exif_of(image: Image.Image) -> bytes | None:
    if isinstance(image, TiffImageFile):
        return _exif_of_tiff(image)
    block = image.info.get("exif")
    if not block and "Raw profile type exif" in image.info:
        with suppress(Exception):  # the parser of a malformed block raises whatever it trips over
            block = image.getexif().tobytes()
    if not isinstance(block, bytes):
        return None
    block = EXIF_PREFIX + block.removeprefix(EXIF_PREFIX)
    return block if block[6:10] in (b"II*\0", b"MM\0*") else None


def _exif_of_tiff(image: TiffImageFile) -> bytes | None:
    """TIFF has no EXIF block: its directory is one, mixed with the layout of the pixels."""
    with suppress(Exception):  # the parser of a malformed directory raises whatever it trips over
        source, exif = image.getexif(), Image.Exif()
        for tag in DESCRIPTIVE_TAGS & set(source):
            exif[tag] = source[tag]
        for group in (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo):
            if entries := source.get_ifd(group):
                exif[group] = dict(entries)
        if len(exif):
            exif[_ORIENTATION] = 1
            return EXIF_PREFIX + exif.tobytes().removeprefix(EXIF_PREFIX)
    return None


def _xmp_of(image: Image.Image) -> bytes | None:
    packet = image.info.get("xmp")
    if isinstance(image, TiffImageFile):
        packet = image.tag_v2.get(700)
    if isinstance(image, PngImageFile) and not packet:
        packet = image.text.get("XML:com.adobe.xmp")
    if isinstance(packet, str):
        packet = packet.encode("utf-8", "surrogateescape")
    return packet if isinstance(packet, bytes) and packet else None


def _dpi_of(value: Any) -> tuple[float, float] | None:
    with suppress(TypeError, ValueError, ZeroDivisionError, OverflowError):
        x, y = (float(part) for part in value)
        # beyond 16 bits a JPEG cannot say it, and no scanner or press means it
        if all(math.isfinite(part) and 0 < part < 65535 for part in (x, y)):
            return x, y
    return None


def _text_of(image: Image.Image) -> Mapping[str, str]:
    if not isinstance(image, PngImageFile):
        return {}
    return {key: value for key, value in image.text.items() if key not in _TEXT_HELD_ELSEWHERE}
