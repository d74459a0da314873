"""Still images: read and write PNG, JPEG, WebP, TIFF, BMP and AVIF, nothing lost that the format can hold.

What the formats do not hold: alpha is refused for JPEG and BMP; 16 bits are rounded to 8 in JPEG, WebP, BMP and AVIF;
WebP and AVIF hold gray as RGB; BMP holds no colour profile, so colours become sRGB, and no metadata but the resolution.
GIF and HEIC are read and not written. `losses` says before the work what of a picture its result will not hold.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NamedTuple

from PIL.ImageFile import ImageFile

from limner.arguments import check_whole
from limner.errors import LimnerError
from limner.files.atomic import atomic_path, check_name, check_place
from limner.files.encode import (
    Encoder,
    encode_avif,
    encode_bmp,
    encode_jpeg,
    encode_png,
    encode_tiff,
    encode_webp,
)
from limner.files.exif import EXIF_PREFIX, orientation_of
from limner.files.header import (
    UnreadableError,
    bit_depth,
    channels,
    has_avif,
    has_heif,
    own_bit_depth,
)
from limner.files.held import held, of_its_size
from limner.files.opening import open_image
from limner.files.ordinary import check_ordinary
from limner.files.picture import Picture, alpha_tensor, from_tensor, to_tensor
from limner.files.quiet import quiet
from limner.files.still import reason_of, still_picture, telling_of
from limner.ops.resample import scaled_size

__all__ = [
    "HEIC_SUFFIXES",
    "IMAGE_SUFFIXES",
    "MOST_PIXELS",
    "READ_SUFFIXES",
    "ImageInfo",
    "Picture",
    "alpha_tensor",
    "check_header",
    "check_writable",
    "from_tensor",
    "is_image_path",
    "losses",
    "read_header",
    "read_image",
    "to_tensor",
    "too_many_pixels",
    "write_image",
    "written_image_suffix",
]


class _Format(NamedTuple):
    name: str
    encode: Encoder
    has_alpha: bool
    max_side: int  # pixels


_PNG = _Format("PNG", encode_png, True, 2**31 - 1)
_JPEG = _Format("JPEG", encode_jpeg, False, 65500)  # libjpeg's own limit, under the 65535 of the standard
_TIFF = _Format("TIFF", encode_tiff, True, 2**31 - 1)
_FORMATS = {
    ".png": _PNG,
    ".jpg": _JPEG,
    ".jpeg": _JPEG,
    ".webp": _Format("WebP", encode_webp, True, 16383),
    ".tif": _TIFF,
    ".tiff": _TIFF,
    ".bmp": _Format("BMP", encode_bmp, False, 2**31 - 1),
}
if has_avif():
    _FORMATS[".avif"] = _Format("AVIF", encode_avif, True, 65536)

IMAGE_SUFFIXES: frozenset[str] = frozenset(_FORMATS)
"""What can be read and written, in lower case and with the dot."""

HEIC_SUFFIXES = frozenset((".heic", ".heif"))
"""What the extra `heic` reads."""

READ_SUFFIXES = IMAGE_SUFFIXES | {".gif"} | (HEIC_SUFFIXES if has_heif() else frozenset())
"""What can be read here, in lower case and with the dot."""

MOST_PIXELS = 178_956_970
"""Of a picture that is read whole: Pillow's limit, beyond which a file may be made to fill the memory."""


@dataclass(frozen=True)
class ImageInfo:
    """What the header of an image file says.

    Attributes:
        format: PNG, JPEG, WebP, TIFF, BMP, GIF, AVIF or HEIC, by content and not by name.
        width: Columns once the picture is upright, in pixels.
        height: Rows once the picture is upright, in pixels.
        mode: gray, gray+alpha, RGB, RGBA, palette, palette+alpha, CMYK, YCbCr or LAB.
        bit_depth: Bits per sample of the file itself; 8 where there are fewer.
        read_bit_depth: Bits per sample that reading gives: 8 or 16.
        has_alpha: Whether reading gives an alpha channel.
        has_icc: Whether there is a colour profile.
        frames: Frames of an animation, or pages.
    """

    format: str
    width: int
    height: int
    mode: str
    bit_depth: int
    read_bit_depth: int
    has_alpha: bool
    has_icc: bool
    frames: int


def is_image_path(path: str | os.PathLike[str]) -> bool:
    """Whether the name says an image that can be written too; the file itself is not looked at."""
    return Path(path).suffix.lower() in IMAGE_SUFFIXES


def written_image_suffix(path: Path) -> str:
    """The suffix of a picture that is made from this one: its own, but .png for what is not written."""
    return path.suffix if is_image_path(path) else ".png"


def read_image(path: str | os.PathLike[str], *, max_pixels: int | None = MOST_PIXELS) -> Picture:
    """Read one picture, upright, at its full bit depth and with its metadata; CMYK becomes RGB.

    Args:
        path: The format is found by content, whatever the name says.
        max_pixels: Larger pictures are refused before they are decoded; None lifts the limit.

    Raises:
        LimnerError: There is no such file, it is damaged or cut short, no still image, or too large.
    """
    with _opened(path) as (file, image):
        if reason := too_many_pixels(*image.size, max_pixels):
            raise UnreadableError(reason)
        return still_picture(file, image, str(path))


def too_many_pixels(width: int, height: int, most: int | None) -> str | None:
    """Why a picture is refused before it is decoded, if it has more than `most` pixels; None lifts the limit."""
    if most is None or width * height <= most:
        return None
    return (
        f"has {width}x{height} = {width * height} pixels, and at most {most} are read: "
        "shrink it, or where a command has --max-pixels raise the limit if you trust the file"
    )


def read_header(path: str | os.PathLike[str]) -> ImageInfo:
    """Read what an image file says of itself, without decoding its pixels.

    Raises:
        LimnerError: There is no such file, or it is no image.
    """
    with _opened(path) as (_, image):
        exif = image.info.get("exif")
        width, height = image.size
        if isinstance(exif, bytes) and orientation_of(EXIF_PREFIX + exif.removeprefix(EXIF_PREFIX)) > 4:
            width, height = height, width
        mode = channels(image)
        return ImageInfo(
            format={"WEBP": "WebP", "HEIF": "HEIC"}.get(str(image.format), str(image.format)),
            width=width,
            height=height,
            mode=mode,
            bit_depth=own_bit_depth(image),
            read_bit_depth=bit_depth(image),
            has_alpha=mode.endswith(("alpha", "RGBA")),
            has_icc=bool(image.info.get("icc_profile")),
            frames=int(getattr(image, "n_frames", 1)),
        )


def write_image(
    path: str | os.PathLike[str], picture: Picture, *, quality: int | None = None, overwrite: bool = False
) -> None:
    """Write a picture in the format that the suffix names; the file appears whole or not at all.

    Args:
        path: Its folder must exist.
        picture: What the format cannot hold of it is listed at the top of this module.
        quality: 1 to 100 for JPEG (None: 95), AVIF (None: 90) and WebP (None: lossless); the others are lossless
            and take no notice.
        overwrite: Whether a file that is already there may be replaced.

    Raises:
        LimnerError: The format cannot hold the picture, or the file cannot be written.
    """
    path = Path(path)
    chosen = _format_for(path)
    check_writable(path, picture, quality=quality)
    check_place(path, overwrite=overwrite)
    try:
        with quiet(), atomic_path(path) as temporary, temporary.open("wb") as file:
            chosen.encode(file, prepared(picture, path, picture.width, picture.height), quality)
    except LimnerError:
        raise
    except PermissionError:
        raise LimnerError(f"{path}: the folder {path.parent} may not be written to: name another place") from None
    except Exception as error:  # encoders fail with whatever their libraries raise
        raise LimnerError(f"{path}: cannot be written as {chosen.name}: {reason_of(error)}") from error


def check_writable(
    path: str | os.PathLike[str], picture: Picture, *, scale: float = 1, quality: int | None = None
) -> None:
    """Refuse what `write_image` would refuse for its format, before the work that makes it.

    Args:
        path: Where it is to be written.
        picture: With the channels of what is to be written.
        scale: How many times larger the sides of what is to be written are.
        quality: As for `write_image`.

    Raises:
        LimnerError: The format cannot hold it.
    """
    path = Path(path)
    check_name(path)
    chosen = _format_for(path)
    height, width = scaled_size((picture.height, picture.width), scale)
    check_whole(f"{path}: quality", quality, 1, "95 is a good choice", 100)
    if picture.alpha is not None and not chosen.has_alpha:
        raise LimnerError(f"{path}: {chosen.name} holds no transparency: write PNG, WebP, TIFF or AVIF")
    if not 1 <= min(height, width) <= max(height, width) <= chosen.max_side:
        raise LimnerError(
            f"{path}: the sides of a {chosen.name} must be 1 to {chosen.max_side} pixels, "
            f"got {width}x{height}: resize it or write PNG or TIFF"
        )


def check_header(path: str | os.PathLike[str], *, max_pixels: int | None = MOST_PIXELS) -> ImageInfo:
    """Refuse what `read_image` would refuse by what the file says of itself, without decoding its pixels.

    Raises:
        LimnerError: As for `read_image`.
    """
    header = read_header(path)
    if reason := too_many_pixels(header.width, header.height, max_pixels):
        raise LimnerError(f"{path}: {reason}")
    return header


def losses(path: str | os.PathLike[str], picture: Picture) -> tuple[str, ...]:
    """What of a picture a file of this name will not hold, each a line that begins with the file.

    Raises:
        LimnerError: No format has this suffix.
    """
    path = Path(path)
    return tuple(f"{path}: {note}" for note in held(picture, _format_for(path).name).notes)


def prepared(picture: Picture, path: Path, width: int, height: int) -> Picture:
    """What is written of a picture: what the format holds, with metadata that gives this size as its own."""
    return of_its_size(held(picture, _format_for(path).name).picture, width, height)


@contextmanager
def _opened(place: str | os.PathLike[str]) -> Iterator[tuple[IO[bytes], ImageFile]]:
    """The file and its parsed header; every failure inside becomes one line that names the file."""
    path = place if isinstance(place, Path) else Path(place)  # those of files in shards stay what they are
    _check_readable(path)
    with telling_of(str(path)), path.open("rb") as file:
        yield file, open_image(file)


def _check_readable(path: Path) -> None:
    try:
        if path.is_dir():
            raise LimnerError(f"{path}: is a folder: name one of the images in it")
        check_ordinary(path)
    except (OSError, ValueError) as error:
        if isinstance(error, LimnerError):
            raise
        raise LimnerError(f"{path}: may not be read ({reason_of(error)}): check its name and permissions") from error


def _format_for(path: Path) -> _Format:
    chosen = _FORMATS.get(path.suffix.lower())
    if chosen is None:
        known = " ".join(sorted(IMAGE_SUFFIXES))
        raise LimnerError(f"{path}: images are written as one of {known}, got '{path.suffix}': change the suffix")
    return chosen
