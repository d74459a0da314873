"""Which reader opens an image file: by its first bytes, never by its name."""

from collections.abc import Callable
from typing import Any

from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from limner.files.boxes import read_boxes
from limner.files.colour import CODING
from limner.files.header import NOTES, OWN_DEPTH, SUBFILE_TYPE, GrayAlpha16Tiff, ImageBytes, UnreadableError, has_avif
from limner.files.png_chunks import walk, without

_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs")
_AVIF_BRANDS = (b"avif", b"avis")
_EITHER_BRANDS = (b"mif1", b"msf1", b"miaf", b"mif2")


_DNG_VERSION, _SUB_DIRECTORIES = 50706, 330  # tags of TIFF
_RAW = "is a raw photo of a camera: develop it, and save it as TIFF or JPEG"


def open_image(file: ImageBytes) -> ImageFile:
    """Read the header with the plugin that the first bytes call for.

    The plugins are called directly, for `Image.open` measures against a limit that is global to the process. Of a
    phone's JPEG with several pictures this gives the main one.

    Raises:
        UnreadableError: The bytes are of no supported format, or hold no pixels.
    """
    file.seek(0)
    head = file.read(512)
    file.seek(0)
    plugin = _plugin_for(head)
    if plugin is None:
        what = stranger(head)
        raise UnreadableError(what or "is not an image that Limner reads: convert it to PNG, JPEG, WebP, TIFF or BMP")
    image = plugin(file)
    if min(image.size) < 1:
        raise UnreadableError(f"must be at least 1 pixel wide and high, got {image.width}x{image.height}: make it anew")
    return image


def is_heif(head: bytes) -> bool:
    """Whether a file that begins so is a HEIC picture, or another that HEVC codes."""
    return head[4:8] == b"ftyp" and (
        head[8:12] in _HEIF_BRANDS or (head[8:12] in _EITHER_BRANDS and any(one in head[16:64] for one in _HEIF_BRANDS))
    )


def stranger(head: bytes) -> str | None:
    """What a file is that begins so and is no picture, with the mend; None where that is not known."""
    name = video_name(head)
    if name:
        return (
            f"is a video ({name}), and a picture is wanted: save a frame of it, or name it to upscale or stylize-video "
            "with a suffix of a video, such as .mp4 or .mkv"
        )
    if head.lstrip(b"\xef\xbb\xbf \r\n\t").lower().startswith((b"<!doctype html", b"<html")):
        return "is a web page: fetch the picture that it shows"
    for magics, words in _OTHERS:
        if head.startswith(magics):
            return words
    return None


def video_name(head: bytes) -> str | None:
    """What kind of video a file is that begins so; None for anything else."""
    if head[4:8] == b"ftyp":
        return "3GP" if head[8:11] in (b"3gp", b"3g2") else "MOV" if head[8:12] == b"qt  " else "MP4"
    if head[:1] == b"G" and head[188:189] == b"G" and head[376:377] == b"G":
        return "MPEG transport stream"
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return "AVI"
    return next((name for magic, name in _VIDEOS if head.startswith(magic)), None)


def has_pictures(head: bytes) -> bool:
    """Whether a file that begins so is of a format of pictures that is read."""
    return _plugin_for(head) is not None


def _plugin_for(head: bytes) -> Callable[[ImageBytes], ImageFile] | None:
    if is_heif(head):
        return _open_heif
    if head[4:8] == b"ftyp" and head[8:12] in (*_AVIF_BRANDS, *_EITHER_BRANDS):
        return _open_avif
    return next((plugin for at, magics, plugin in _PLUGINS if head[at:].startswith(magics)), None)


def _open_png(file: ImageBytes) -> ImageFile:
    chunks = walk(file)
    image = PngImageFile(without(file, chunks.left_out))
    if chunks.notes:
        image.info[NOTES] = chunks.notes
    if chunks.coding:
        image.info[CODING] = chunks.coding
    if chunks.profile:
        image.info["icc_profile"] = chunks.profile
    return image


def _open_tiff(file: ImageBytes) -> ImageFile:
    is_canon_raw = file.read(10)[8:] == b"CR"
    file.seek(0)
    if is_canon_raw:
        raise UnreadableError(_RAW)
    try:
        return _no_raw(TiffImageFile(file))
    except SyntaxError:
        file.seek(0)
    try:
        return GrayAlpha16Tiff(file)
    except SyntaxError as error:
        raise UnreadableError(
            "is a damaged TIFF, or its samples are not whole numbers of 8 or 16 bits: save it anew with such samples"
        ) from error


def _no_raw(image: TiffImageFile) -> TiffImageFile:
    """Refuse a photo as its camera's sensor saw it, of which the first directory is but a small preview."""
    is_reduced = bool(int(image.tag_v2.get(SUBFILE_TYPE, 0)) & 1)
    if _DNG_VERSION in image.tag_v2 or (is_reduced and (_SUB_DIRECTORIES in image.tag_v2 or image.n_frames > 1)):
        raise UnreadableError(_RAW)
    return image


def _open_avif(file: ImageBytes) -> ImageFile:
    if not has_avif():
        raise UnreadableError("is an AVIF image, which needs Pillow 11.3 or newer: pip install 'pillow>=11.3'")
    from PIL.AvifImagePlugin import AvifImageFile

    boxes = read_boxes(file)
    file.seek(0)
    image = AvifImageFile(file)
    if boxes.coding:
        image.info[CODING] = boxes.coding
    image.info[OWN_DEPTH] = boxes.bit_depth
    return image


def _open_heif(file: ImageBytes) -> ImageFile:
    heif = load_heif()
    image: Any = heif.HeifImageFile(file)
    if boxes := read_boxes(file).coding:
        image.info[CODING] = boxes
    if image.info.get("aux") or image.info.get("depth_images"):
        image.info[NOTES] = ("its further pictures (a gain map or depth) are left out",)
    found: ImageFile = image
    return found


def load_heif() -> Any:
    """The module `pillow_heif`.

    Raises:
        UnreadableError: If it is not installed.
    """
    try:
        import pillow_heif
    except ImportError:
        raise UnreadableError(
            "is a HEIC picture, which needs the heic extra: pip install '.[heic]' in the folder of Limner"
        ) from None
    return pillow_heif


_PLUGINS: tuple[tuple[int, tuple[bytes, ...], Callable[[ImageBytes], ImageFile]], ...] = (
    (0, (b"\x89PNG\r\n\x1a\n",), _open_png),
    (0, (b"\xff\xd8\xff",), JpegImageFile),
    (8, (b"WEBP",), WebPImageFile),
    (0, (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), _open_tiff),
    (0, (b"BM",), BmpImageFile),
    (0, (b"GIF87a", b"GIF89a"), GifImageFile),
)

_VIDEOS = (
    (b"\x1aE\xdf\xa3", "Matroska or WebM"),
    (b"\0\0\1\xba", "MPEG"),
    (b"\0\0\1\xb3", "MPEG"),
    (b"FLV", "FLV"),
    (b"0&\xb2u\x8ef\xcf\x11", "WMV"),
    (b"OggS", "Ogg"),
)
_OTHERS: tuple[tuple[bytes | tuple[bytes, ...], str], ...] = (
    (b"%PDF", "is a PDF document: save the wanted page as PNG"),
    (b"8BPS", "is a Photoshop document: export it as PNG or TIFF"),
    (b"gimp xcf", "is a GIMP document: export it as PNG or TIFF"),
    ((b"\xff\x0a", b"\0\0\0\x0cJXL "), "is a JPEG XL picture, which Limner does not read: convert it to PNG"),
    (b"\0\0\0\x0cjP  ", "is a JPEG 2000 picture, which Limner does not read: convert it to PNG or TIFF"),
    ((b"FUJIFILMCCD-RAW", b"IIU\0", b"IIRO", b"IIRS", b"\0MRM"), _RAW),
    (tuple(bytes([8, version, 18]) for version in range(3, 16)), "is an ONNX network and no picture: name a picture"),
    ((b"<svg", b"<?xml"), "is text, perhaps an SVG drawing: export it as PNG"),
)
