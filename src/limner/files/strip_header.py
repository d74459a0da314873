"""What an image file says of itself before it is read in strips: all of a `Picture` but its samples."""

import struct
import zlib
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.ImageFile import ImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile

from limner.errors import LimnerError
from limner.files.colour import Meaning, meaning_of
from limner.files.exif import orientation_of
from limner.files.header import (
    PHOTOMETRIC,
    ImageBytes,
    UnreadableError,
    bit_depth,
    channels,
    check_planes,
    check_still,
    notes_of,
    own_bit_depth,
)
from limner.files.metadata import metadata_of, upright
from limner.files.opening import open_image
from limner.files.ordinary import check_ordinary
from limner.files.picture import Picture, Samples
from limner.files.png_chunks import walk, without
from limner.files.profile import srgb_profile, to_srgb
from limner.files.quiet import quiet
from limner.files.strip_png import chunk
from limner.files.vips import reason

_ORIENTATION, _TILE_LENGTH = 274, 323
_PACKED_SIZES = (279, 325)  # of strips and of tiles
_YCBCR = 6  # a photometric interpretation
_CACHED_ROWS = 1536  # that libvips keeps of a file that it reads row by row: up to 1100 were measured
_COLOURS = {"gray": 1, "gray+alpha": 1, "RGB": 3, "RGBA": 3, "palette": 3, "palette+alpha": 3, "CMYK": 3, "YCbCr": 3}


@dataclass(frozen=True, eq=False)
class StripHeader:
    """What is known of a picture that is not decoded.

    Attributes:
        height: Rows as they lie in the file.
        width: Columns as they lie in the file.
        orientation: By EXIF, from 1 (upright) to 8.
        frame: The picture without its rows: as wide as it is upright, with its channels, type, profile and metadata.
        num_bands: Samples of a pixel as a decoder gives them: four for CMYK.
        profile: Of the inks of a CMYK file.
        decoding_bytes: About what a decoder keeps while it gives row after row.
    """

    height: int
    width: int
    orientation: int
    frame: Picture
    num_bands: int
    profile: bytes | None
    decoding_bytes: int

    @property
    def is_cmyk(self) -> bool:
        """Whether the file holds inks, to be turned into RGB."""
        return self.num_bands == 4 and self.frame.alpha is None


def read_strip_header(path: Path) -> StripHeader:
    """Read the header of a JPEG, PNG or TIFF.

    Raises:
        LimnerError: It holds no single picture that Limner reads.
    """
    check_ordinary(path)
    try:
        with path.open("rb") as file, quiet():
            image = open_image(file)
            check_still(image)
            check_planes(image)
            return _header_of(path, file, image)
    except UnreadableError as error:
        raise LimnerError(f"{path}: {error}") from error
    except Exception as error:  # the parsers of damaged files raise whatever they trip over
        raise LimnerError(f"{path}: is damaged or cut short ({reason(error)}): get the file once more") from error


def _header_of(path: Path, file: ImageBytes, image: ImageFile) -> StripHeader:
    described = _without_pixels(file) if isinstance(image, PngImageFile) else image
    metadata = metadata_of(described)
    mode, depth = channels(image), bit_depth(image)
    if mode not in _COLOURS:
        raise UnreadableError(f"holds {mode} samples: save it with 8 or 16 bits per sample")
    has_alpha, is_cmyk = mode.endswith(("alpha", "RGBA")), mode == "CMYK"
    if isinstance(image, TiffImageFile):  # whose size Pillow gives upright
        if image.tag_v2.get(PHOTOMETRIC) == _YCBCR and image.info.get("compression") != "jpeg":
            raise UnreadableError("holds luminance and chroma, which are not read in strips: save it as RGB")
        orientation = int(image.tag_v2.get(_ORIENTATION, 1))
        width, height = int(image.tag_v2[256]), int(image.tag_v2[257])
    else:
        orientation, (width, height) = orientation_of(metadata.exif), image.size
    profile = image.info.get("icc_profile") or None
    kind = np.uint8 if depth == 8 else np.uint16
    across = height if orientation > 4 else width
    meaning = Meaning(_profile_of_inks(profile)) if is_cmyk else meaning_of(image, _COLOURS[mode])
    metadata, own_depth = upright(metadata), own_bit_depth(image)
    notes = (*notes_of(image), *meaning.notes, *metadata.notes)
    if own_depth > depth:
        notes = (f"its {own_depth} bits are read as {depth}", *notes)
    frame = Picture(
        np.zeros((0, across, _COLOURS[mode]), kind),
        np.zeros((0, across), kind) if has_alpha else None,
        meaning.icc_profile,
        coding=meaning.coding,
        **metadata._replace(notes=tuple(f"{path}: {note}" for note in notes))._asdict(),
    )
    num_bands = 4 if is_cmyk else frame.pixels.shape[2] + has_alpha
    return StripHeader(
        height, width, orientation if 1 <= orientation <= 8 else 1, frame, num_bands, profile if is_cmyk else None,
        _decoding_bytes(image, height, width * num_bands * depth // 8),
    )  # fmt: skip


def inks_to_rgb(inks: Samples, profile: bytes | None) -> Samples:
    """(h, w, 4) of CMYK -> (h, w, 3) of RGB: sRGB by the profile where there is a sound one."""
    image = Image.fromarray(inks, "CMYK")
    return np.asarray(to_srgb(image, profile, "CMYK") or image.convert("RGB"))


def _profile_of_inks(profile: bytes | None) -> bytes | None:
    return srgb_profile() if to_srgb(Image.new("CMYK", (1, 1)), profile, "CMYK") else None


def _decoding_bytes(image: ImageFile, height: int, row: int) -> int:
    """What a decoder keeps: some rows, or of files that are sent coarse first all of them."""
    if image.info.get("interlace"):
        return 2 * height * row
    if image.info.get("progressive"):
        return 3 * height * row  # its coefficients have 16 bits
    if isinstance(image, TiffImageFile):  # whose strips and tiles are in memory while they are packed
        tags = image.tag_v2
        packed = max((size for tag in _PACKED_SIZES for size in tags.get(tag, ())), default=0)
        return row * min(max(_CACHED_ROWS, 4 * int(tags.get(_TILE_LENGTH, 0))), 2 * height) + min(packed, row * height)
    return row * min(_CACHED_ROWS, 2 * height)


def _without_pixels(file: ImageBytes) -> PngImageFile:
    """The same PNG with one black pixel, so that what it says after its pixels is found without decoding them."""
    file = without(file, walk(file).left_out)
    small = BytesIO()
    small.write(file.read(8))
    wrote_pixel = False
    while len(head := file.read(8)) == 8:
        size, name = struct.unpack(">I4s", head)
        if name == b"IDAT":
            file.seek(size + 4, 1)
            if wrote_pixel:
                continue
            data, wrote_pixel = zlib.compress(bytes(9)), True  # a row of up to four samples of 16 bits
        else:
            data = file.read(size)
            file.seek(4, 1)
        if name == b"IHDR":
            data = struct.pack(">II", 1, 1) + data[8:12] + b"\0"
        small.write(chunk(name, data))
    small.seek(0)
    image = open_image(small)
    image.load()
    assert isinstance(image, PngImageFile)
    return image
