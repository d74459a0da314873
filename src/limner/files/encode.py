"""Samples to image files, one function per format."""

import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import IO, Any

import numpy as np
from PIL import Image, PngImagePlugin

from limner.files.boxes import with_coding
from limner.files.picture import Picture, Samples
from limner.files.profile import srgb_profile, to_srgb
from limner.files.tiff import write_tiff

Encoder = Callable[[IO[bytes], Picture, int | None], None]

JPEG_QUALITY = 95
AVIF_QUALITY = 90


def encode_png(file: IO[bytes], picture: Picture, quality: int | None) -> None:
    """Lossless, 8 or 16 bits."""
    if picture.bit_depth == 8:
        file.write(_png_of_8_bits(picture))
        return
    # Pillow knows the metadata's chunks but no 16-bit colour: have it write one pixel, and take all but that
    corner = None if picture.alpha is None else picture.alpha[:1, :1]
    shallow = _png_of_8_bits(replace(picture, pixels=picture.pixels[:1, :1], alpha=corner).as_8_bit())
    colour_type = {(1, False): 0, (3, False): 2, (1, True): 4, (3, True): 6}
    kind = colour_type[picture.pixels.shape[2], picture.alpha is not None]
    file.write(_PNG_SIGNATURE)
    for name, data in _chunks(shallow):
        if name == b"IHDR":
            data = struct.pack(">IIBBBBB", picture.width, picture.height, 16, kind, 0, 0, 0)
        if name == b"IEND":
            _write_chunk(file, b"IDAT", _filtered_and_deflated(picture))
        if name != b"IDAT":
            _write_chunk(file, name, data)


def encode_jpeg(file: IO[bytes], picture: Picture, quality: int | None) -> None:
    """Lossy, with colour at full resolution."""
    options: dict[str, Any] = {"comment": picture.comment} if picture.comment else {}
    if picture.dpi:
        options["dpi"] = picture.dpi
    image = Image.fromarray(_interleaved(picture.as_8_bit()))
    quality = JPEG_QUALITY if quality is None else quality
    image.save(file, "JPEG", quality=quality, subsampling=0, **_blocks(picture), **options)


def encode_webp(file: IO[bytes], picture: Picture, quality: int | None) -> None:
    """Lossless where `quality` is None; colour under transparent pixels is kept."""
    image, blocks = _as_rgb(picture)
    how: dict[str, Any] = {"lossless": True} if quality is None else {"quality": quality}
    image.save(file, "WEBP", exact=True, **how, **blocks)


def encode_avif(file: IO[bytes], picture: Picture, quality: int | None) -> None:
    """Lossy, with colour at full resolution."""
    image, blocks = _as_rgb(picture)
    whole = io.BytesIO()
    image.save(whole, "AVIF", quality=AVIF_QUALITY if quality is None else quality, subsampling="4:4:4", **blocks)
    file.write(with_coding(whole.getvalue(), *picture.coding) if picture.coding else whole.getvalue())


def encode_bmp(file: IO[bytes], picture: Picture, quality: int | None) -> None:
    """Lossless, 8 bits, without a colour profile."""
    options: dict[str, Any] = {"dpi": picture.dpi} if picture.dpi else {}
    Image.fromarray(_interleaved(picture.as_8_bit())).save(file, "BMP", **options)


def encode_tiff(file: IO[bytes], picture: Picture, quality: int | None) -> None:
    """Lossless, 8 or 16 bits."""
    write_tiff(file, picture)


_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def _interleaved(picture: Picture) -> Samples:
    if picture.alpha is not None:
        return np.dstack([picture.pixels, picture.alpha])
    return picture.pixels[..., 0] if picture.is_gray else picture.pixels


def _blocks(picture: Picture) -> dict[str, bytes]:
    """The metadata that Pillow's writers take as bytes under these names."""
    blocks = {"icc_profile": picture.icc_profile, "exif": picture.exif, "xmp": picture.xmp}
    return {name: data for name, data in blocks.items() if data}


def _as_rgb(picture: Picture) -> tuple[Image.Image, dict[str, bytes]]:
    """An 8-bit RGB or RGBA image, for the formats that have no gray; a profile of grays becomes sRGB."""
    picture, blocks = picture.as_8_bit(), _blocks(picture)
    image = Image.fromarray(_interleaved(picture))
    if picture.is_gray:
        converted = to_srgb(Image.fromarray(picture.pixels[..., 0]), picture.icc_profile, "GRAY")
        if converted is not None:
            blocks["icc_profile"] = srgb_profile()
            image = converted
            if picture.alpha is not None:
                image.putalpha(Image.fromarray(picture.alpha))
    return image.convert("RGB" if picture.alpha is None else "RGBA"), blocks


def _png_of_8_bits(picture: Picture) -> bytes:
    text = PngImagePlugin.PngInfo()
    for key, value in picture.text.items():
        if isinstance(value, PngImagePlugin.iTXt):
            text.add_itxt(key, value, value.lang or "", value.tkey or "")
        else:
            text.add_text(key, value)
    if picture.xmp:
        text.add_itxt("XML:com.adobe.xmp", picture.xmp)
    if picture.coding:
        text.add(b"cICP", bytes((*picture.coding, 0, 1)))
    options: dict[str, Any] = {"dpi": picture.dpi} if picture.dpi else {}
    blocks = _blocks(picture)
    blocks.pop("xmp", None)
    file = io.BytesIO()
    Image.fromarray(_interleaved(picture)).save(file, "PNG", pnginfo=text, **blocks, **options)
    return file.getvalue()


def _chunks(png: bytes) -> list[tuple[bytes, bytes]]:
    """The chunks of a PNG that was written a moment ago, by name."""
    found, at = [], len(_PNG_SIGNATURE)
    while at < len(png):
        (size,) = struct.unpack_from(">I", png, at)
        found.append((png[at + 4 : at + 8], png[at + 8 : at + 8 + size]))
        at += size + 12
    return found


def _write_chunk(file: IO[bytes], name: bytes, data: bytes) -> None:
    file.write(struct.pack(">I", len(data)) + name)
    file.write(data)
    file.write(struct.pack(">I", zlib.crc32(data, zlib.crc32(name))))


def _filtered_and_deflated(picture: Picture) -> bytes:
    """Each row as its difference from the row above: filter type 2 of ISO 15948, section 9.2."""
    samples = _interleaved(picture).reshape(picture.height, -1)
    rows = samples.astype(">u2").view(np.uint8)
    filtered = np.full((picture.height, rows.shape[1] + 1), 2, dtype=np.uint8)
    filtered[:, 1:] = np.diff(rows, axis=0, prepend=np.uint8(0))
    return zlib.compress(filtered.tobytes(), level=4)  # noisy low bytes hardly shrink at more
