"""What an image file is, before its pixels are decoded."""

from importlib.util import find_spec
from io import BytesIO
from typing import IO, Any, TypeAlias

from PIL import Image, features
from PIL.ImageFile import ImageFile
from PIL.TiffImagePlugin import TiffImageFile

ImageBytes: TypeAlias = IO[bytes] | BytesIO
"""An image file, open for reading, or what has been read of one."""

NOTES, OWN_DEPTH = "limner notes", "bit_depth"
"""Where `ImageFile.info` keeps what opening has left out, and the depth where Pillow decodes to another."""

SUBFILE_TYPE, BITS_PER_SAMPLE, PHOTOMETRIC, SAMPLES_PER_PIXEL, PLANAR, COLOR_MAP, EXTRA_SAMPLES = (
    254, 258, 262, 277, 284, 320, 338,
)  # fmt: skip


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


def has_avif() -> bool:
    """Whether the installed Pillow reads and writes AVIF; before 11.3 it does not know the word."""
    return "avif" in features.modules and bool(features.check("avif"))


def has_heif() -> bool:
    """Whether the extra `heic` is installed."""
    return find_spec("pillow_heif") is not None


def check_still(image: ImageFile) -> None:
    """Refuse animations and documents of several pages; the thumbnails and masks of a TIFF's first page may pass."""
    if not isinstance(image, TiffImageFile):
        frames = int(getattr(image, "n_frames", 1))
        if frames > 1 and image.format == "HEIF":
            raise UnreadableError(f"holds {frames} pictures: save the wanted one as a file of its own")
        if frames > 1:
            raise UnreadableError(
                f"is an animation of {frames} frames, and a still picture is wanted: save a frame as one, or make a "
                "video of all (ffmpeg -i FILE NEW.mp4)"
            )
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
    if image.format == "HEIF":
        return 16 if own_bit_depth(image) > 8 else 8
    if image.mode.startswith("I;16"):
        return 16
    has_deep_samples = image.format in ("PNG", "TIFF") and ";16" in rawmode_of(
        image
    )  # of a BMP that is 5, 6 and 5 bits
    return 16 if has_deep_samples and image.mode != "CMYK" else 8


def own_bit_depth(image: ImageFile) -> int:
    """The bits per sample that the file itself holds; 8 where there are fewer."""
    if isinstance(image, GrayAlpha16Tiff):
        return 16
    if isinstance(image, TiffImageFile):
        return max(8, *image.tag_v2.get(BITS_PER_SAMPLE, (1,)))
    return max(8, int(image.info.get(OWN_DEPTH) or bit_depth(image)))


def notes_of(image: Image.Image) -> tuple[str, ...]:
    """What opening the file has left out, and what reading it will change."""
    notes: tuple[str, ...] = image.info.get(NOTES, ())
    inks = ("its inks (CMYK) become RGB",) if image.mode == "CMYK" else ()
    return (*notes, *inks)


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
