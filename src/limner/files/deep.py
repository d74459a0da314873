"""Samples of 16 bits, which Pillow's own modes hold for gray alone.

Pillow unpacks 16-bit colour to the more significant byte of each sample. Given that the file's byte order is the other
one, it takes the less significant byte instead, so two passes through the same decoder give both halves, for every
compression, predictor and interlacing that Pillow reads.
"""

import sys
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from PIL.ImageFile import ImageFile
from PIL.TiffImagePlugin import TiffImageFile

from limner.files.header import PHOTOMETRIC, ImageBytes, is_deep_gray_alpha, own_bit_depth, rawmode_of
from limner.files.opening import load_heif, open_image
from limner.files.picture import Samples

_SWAPPED = {"L": "B", "B": "L"}


def decode_deep(file: ImageBytes, image: ImageFile) -> Samples:
    """Decode gray, gray with alpha, RGB or RGBA of 16 bits: (h, w), or (h, w, channels) where there are several.

    `open_image` made `image` from `file`, and its pixels are not yet loaded.
    """
    if image.format == "HEIF":
        return _decode_heif(file, own_bit_depth(image))
    rawmode = rawmode_of(image)
    if image.mode.startswith("I;16"):
        return decode_gray(image, rawmode)
    order = _byte_order(image)
    if is_deep_gray_alpha(image):
        samples = _unpacked(image, "RGBA").view("<u2" if order == "L" else ">u2").astype(np.uint16)
    else:
        samples = np.left_shift(_unpacked(image, ";16" + order), 8, dtype=np.uint16)
        samples |= _unpacked(open_image(file), ";16" + _SWAPPED[order])
    return _unpremultiplied(samples) if rawmode.startswith("RGBa") else samples


def _decode_heif(file: ImageBytes, depth: int) -> Samples:
    """Samples of 10 or 12 bits, which come at the upper end of 16: all of them 1 must become the largest number."""
    file.seek(0)
    samples = np.asarray(load_heif().open_heif(file, convert_hdr_to_8bit=False)).astype(np.uint16)
    return samples | samples >> depth


def decode_gray(image: Image.Image, rawmode: str = "") -> Samples:
    """Gray of 16 bits, of 12 where the rawmode says so: (h, w)."""
    image.load()
    gray = np.asarray(image).astype(np.uint16)
    if rawmode.endswith(";12"):
        gray = (gray << 4 | gray >> 8).astype(np.uint16)
    is_white_zero = isinstance(image, TiffImageFile) and image.tag_v2.get(PHOTOMETRIC) == 0
    return 65535 - gray if is_white_zero else gray  # Pillow turns 8 bits round by itself, but not 16


def _byte_order(image: ImageFile) -> str:
    """The byte order of samples where the decoder hands them to the unpacker: L(ittle) or B(ig)."""
    if not isinstance(image, TiffImageFile):
        return "B"
    if image.tile[0][0] == "libtiff":
        return sys.byteorder[0].upper()
    return "L" if image.tag_v2.prefix == b"II" else "B"


def _unpacked(image: ImageFile, rawmode: str) -> npt.NDArray[np.uint8]:
    """Decode with another rawmode than the plugin chose; where it starts with a semicolon the channels stay."""
    tiles = []
    for tile in image.tile:
        args: Any = tile[3]
        old = args[0] if isinstance(args, tuple) else args
        new = old.partition(";")[0] + rawmode if rawmode.startswith(";") else rawmode
        # samples that are premultiplied are taken as they are: to divide them takes all 16 bits
        new = new.replace("RGBa", "RGBA")
        tiles.append(tile._replace(args=(new, *args[1:]) if isinstance(args, tuple) else new))
    image.tile = tiles
    image.load()
    return np.array(image)


def _unpremultiplied(samples: Samples) -> Samples:
    alpha = np.maximum(samples[..., -1:], 1).astype(np.uint64)
    colors = (samples[..., :-1].astype(np.uint64) * 65535 + alpha // 2) // alpha
    return np.concatenate([np.minimum(colors, 65535).astype(np.uint16), samples[..., -1:]], axis=2)
