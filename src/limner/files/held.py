"""What a file format holds of a picture; the rest is left out before the picture is written, and can be told before.

ITU-T T.81, annex B.1.1.4: a segment of JPEG has at most 65,533 bytes behind its length.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from PIL import Image, PngImagePlugin

from limner.files.exif import with_size as exif_with_size
from limner.files.picture import Picture, Samples
from limner.files.profile import space_of, to_srgb
from limner.files.xmp import with_size as xmp_with_size

_JPEG_EXIF = 65533
_JPEG_XMP = 65533 - len(b"http://ns.adobe.com/xap/1.0/\0")
_JPEG_COMMENT = 65533
_HOLD_16_BITS = ("PNG", "TIFF")
_HOLD_CODING = ("PNG", "AVIF")
_HOLD_NO_METADATA = ("BMP",)
_NAMED = {"exif": "EXIF", "xmp": "XMP", "text": "texts", "comment": "comment"}


class Held(NamedTuple):
    """What can be written, and what is lost of what was to be."""

    picture: Picture
    notes: tuple[str, ...]


def held(picture: Picture, name: str) -> Held:
    """What a format holds of a picture, and a note on all that it does not.

    Args:
        picture: What is to be written.
        name: PNG, JPEG, WebP, TIFF, BMP or AVIF.
    """
    notes = []
    if picture.bit_depth == 16 and name not in _HOLD_16_BITS:
        notes.append(f"its 16 bits are rounded to 8, for {name} has no more")
    if picture.coding and name not in _HOLD_CODING:
        words = f"its colours are of high dynamic range ({picture.coding.name}), which {name} cannot say"
        notes.append(f"{words}: they look wrong there, write PNG")
        picture = replace(picture, coding=None)
    if not _fits_profile(picture):
        notes.append("its colour profile is of other channels than it has, and is left out")
        picture = replace(picture, icc_profile=None)
    if picture.icc_profile and name in _HOLD_NO_METADATA:
        picture, note = _in_srgb(picture)
        notes += [f"{name} holds no colour profile: {note}"]
    if picture.comment and name == "PNG":
        picture = _comment_as_text(picture)
    for field, why in _metadata_left_out(picture, name):
        notes.append(f"its {_NAMED[field]} is left out, for {why}".replace("texts is", "texts are"))
        picture = replace(picture, **{field: {} if field == "text" else None})
    return Held(picture, tuple(notes))


def of_its_size(picture: Picture, width: int, height: int) -> Picture:
    """The picture with metadata that gives this size as its own, in pixels."""
    exif, xmp = picture.exif, picture.xmp
    return replace(
        picture,
        exif=exif and exif_with_size(exif, width, height),
        xmp=xmp and xmp_with_size(xmp, width, height),
    )


def _metadata_left_out(picture: Picture, name: str) -> Iterator[tuple[str, str]]:
    """The fields that a format has no place for, and why."""
    if picture.text and name != "PNG":
        yield "text", f"{name} has no place for them"
    if picture.comment and name != "JPEG":
        yield "comment", f"{name} has no place for it"
    for field, most in (("exif", _JPEG_EXIF), ("xmp", _JPEG_XMP), ("comment", _JPEG_COMMENT)):
        data = getattr(picture, field)
        if data and name in _HOLD_NO_METADATA and field != "comment":
            yield field, f"{name} has no place for it"
        elif data and name == "JPEG" and len(data) > most:
            yield field, f"it has {len(data):,} bytes, and {name} holds {most:,}"


def _fits_profile(picture: Picture) -> bool:
    profile = picture.icc_profile
    if not profile or profile[36:40] != b"acsp":
        return True
    return space_of(profile) == ("GRAY" if picture.is_gray else "RGB")


def _in_srgb(picture: Picture) -> tuple[Picture, str]:
    """The picture in the colours that a file without a profile has."""
    picture = picture.as_8_bit()
    flat: Samples = picture.pixels[..., 0] if picture.is_gray else picture.pixels
    converted = to_srgb(Image.fromarray(flat), picture.icc_profile, "GRAY" if picture.is_gray else "RGB")
    plain = replace(picture, icc_profile=None)
    if converted is None:
        return plain, "its own is damaged and left out"
    pixels = np.array(converted)
    return replace(plain, pixels=pixels[..., :1] if picture.is_gray else pixels), "the colours are converted to sRGB"


def _comment_as_text(picture: Picture) -> Picture:
    assert picture.comment is not None
    try:
        words: str = PngImagePlugin.iTXt(picture.comment.decode("utf-8"), "", "")
    except UnicodeDecodeError:
        words = picture.comment.decode("latin-1")
    return replace(picture, text={"Comment": words, **picture.text}, comment=None)
