"""What an image file is, before its pixels are decoded."""

from collections.abc import Callable
from typing import IO, Any

from PIL import features
from PIL.BmpImagePlugin import BmpImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

SUBFILE_TYPE, BITS_PER_SAMPLE, PHOTOMETRIC, SAMPLES_PER_PIXEL, PLANAR, EXTRA_SAMPLES = 254, 258, 262, 277, 284, 338


class UnreadableError(Exception):
    """Why the bytes are no picture that can be read; the door adds the file's name."""


class GrayAlpha16Tiff(TiffImageFile):
    """A TIFF of 16-bit gray with alpha, which Pillow refuses: seen as 8-bit RGBA it has the same bytes per pixel."""

    def _setup(self) -> None:
        tags = self.tag_v2
        if (tags.get(BITS_PER_SAMPLE), tags.get(PHOTOMETRIC), tags.get(PLANAR, 1)) != ((16, 16), 1, 1):
            raise SyntaxError("not interleaved 16-bit gray with alpha")
        tags[BITS_PER_SAMPLE], tags[PHOTOMETRIC], tags[SAMPLES_PER_PIXEL] = (8, 8, 8, 8), 2, 4
        if tags.get(EXTRA_SAMPLES) != (1,):  # what is not premultiplied alpha can only be plain alpha
            tags[EXTRA_SAMPLES] = 2
        super()._setup()


def open_image(file: IO[bytes]) -> ImageFile:
    """Read the header with the plugin that the first bytes call for, never by the file's name.

    The plugins are called directly, for `Image.open` measures against a limit that is global to the process. Of a
    phone's JPEG with several pictures this gives the main one.

    Raises:
        UnreadableError: The bytes are of no supported format, or hold no pixels.
    """
    file.seek(0)
    head = file.read(16)
    file.seek(0)
    for at, magics, plugin in _PLUGINS:
        if head[at:].startswith(magics):
            image = plugin(file)
            break
    else:
        raise UnreadableError("is not an image that Limner reads: convert it to PNG, JPEG, WebP, TIFF, BMP or AVIF")
    if min(image.size) < 1:
        raise UnreadableError(f"must be at least 1 pixel wide and high, got {image.width}x{image.height}: make it anew")
    return image


def has_avif() -> bool:
    """Whether the installed Pillow reads and writes AVIF; before 11.3 it does not know the word."""
    return "avif" in features.modules and bool(features.check("avif"))


def check_still(image: ImageFile) -> None:
    """Refuse animations and documents of several pages; the thumbnails and masks of a TIFF's first page may pass."""
    if not isinstance(image, TiffImageFile):
        frames = int(getattr(image, "n_frames", 1))
        if frames > 1:
            raise UnreadableError(f"is an animation of {frames} frames: save the wanted frame as a still image")
        return
    try:
        while True:
            image.seek(image.tell() + 1)
            if not int(image.tag_v2.get(SUBFILE_TYPE, 0)) & 0b101:  # TIFF 6.0, section 8: reduced, or a mask
                raise UnreadableError("has several pages: save the wanted page as an image of its own")
    except EOFError:
        image.seek(0)


def check_planes(image: ImageFile) -> None:
    """Refuse the TIFFs with one plane per channel whose samples Pillow mixes up without a word."""
    if not isinstance(image, TiffImageFile) or image.tag_v2.get(PLANAR, 1) == 1:
        return
    bits = image.tag_v2.get(BITS_PER_SAMPLE, (8,))[0]
    is_shallow_color = image.mode in ("RGB", "RGBA", "YCbCr", "CMYK") and bits == 8
    is_plain_color = image.mode in ("RGB", "RGBA") and image.tile[0][0] == "raw"
    if not (is_shallow_color or is_plain_color or image.mode in ("1", "L", "P")):
        raise UnreadableError("keeps each channel in a plane of its own: save it with interleaved channels")


def bit_depth(image: ImageFile) -> int:
    """8 or 16: the bits per sample that decoding will give, asked before the pixels are loaded."""
    if isinstance(image, TiffImageFile) and image.mode in ("RGB", "RGBA"):
        return 16 if isinstance(image, GrayAlpha16Tiff) or image.tag_v2.get(BITS_PER_SAMPLE, (8,))[0] == 16 else 8
    return 16 if image.mode.startswith("I;16") or (image.mode != "CMYK" and ";16" in rawmode_of(image)) else 8


def channels(image: ImageFile) -> str:
    """The word for the channels: gray, gray+alpha, RGB, RGBA, palette, palette+alpha, CMYK, YCbCr or LAB."""
    mode = "LA" if is_deep_gray_alpha(image) else image.mode
    name = "gray" if mode.startswith("I;16") else _CHANNELS.get(mode, mode)
    if "transparency" in image.info and name in ("gray", "RGB", "palette"):
        return "RGBA" if name == "RGB" else name + "+alpha"
    return name


def rawmode_of(image: ImageFile) -> str:
    """How samples lie in the file, in Pillow's words; empty where the decoder hides it or the pixels are loaded."""
    args: Any = image.tile[0][3] if image.tile else None
    name = args[0] if isinstance(args, tuple) and args else args
    return name if isinstance(name, str) else ""


def is_deep_gray_alpha(image: ImageFile) -> bool:
    """Whether this is 16-bit gray with alpha, which Pillow's modes do not show."""
    return isinstance(image, GrayAlpha16Tiff) or rawmode_of(image).startswith("LA;16")


def _open_tiff(file: IO[bytes]) -> ImageFile:
    try:
        return TiffImageFile(file)
    except SyntaxError:
        file.seek(0)
    try:
        return GrayAlpha16Tiff(file)
    except SyntaxError as error:
        raise UnreadableError(
            "is a damaged TIFF, or its samples are not whole numbers of 8 or 16 bits: save it anew with such samples"
        ) from error


def _open_avif(file: IO[bytes]) -> ImageFile:
    if not has_avif():
        raise UnreadableError("is an AVIF image, which needs Pillow 11.3 or newer: pip install 'pillow>=11.3'")
    from PIL.AvifImagePlugin import AvifImageFile

    return AvifImageFile(file)


_PLUGINS: tuple[tuple[int, tuple[bytes, ...], Callable[[IO[bytes]], ImageFile]], ...] = (
    (0, (b"\x89PNG\r\n\x1a\n",), PngImageFile),
    (0, (b"\xff\xd8\xff",), JpegImageFile),
    (8, (b"WEBP",), WebPImageFile),
    (0, (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), _open_tiff),
    (0, (b"BM",), BmpImageFile),
    (4, (b"ftypavif", b"ftypavis", b"ftypmif1", b"ftypmsf1"), _open_avif),
)

_CHANNELS = {
    "1": "gray",
    "L": "gray",
    "I": "gray",
    "F": "gray",
    "LA": "gray+alpha",
    "La": "gray+alpha",
    "P": "palette",
    "PA": "palette+alpha",
    "RGBa": "RGBA",
    "RGBX": "RGB",
}
