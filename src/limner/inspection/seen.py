"""What one file of a data set is found to be, by its head alone or by all of its pixels."""

import hashlib
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from PIL import Image as PillowImage
from PIL import ImageCms

from limner.data.labels import read_labels
from limner.errors import LimnerError
from limner.files.bands import bands_of, read_bands
from limner.files.image import MOST_PIXELS, ImageInfo, read_header, read_image, too_many_pixels
from limner.files.opening import has_pictures
from limner.files.picture import Picture
from limner.inspection.likeness import SIDE, deviation, difference_hash, small_copy

Fault: TypeAlias = Literal[
    "", "broken-link", "no-permission", "empty", "not-a-picture", "several-pictures", "too-large", "damaged"
]
"""Why training cannot read a file; empty where it can."""

_MOST_VALUES = 256  # of a mask that are counted: more are no classes


@dataclass(frozen=True)
class Seen:
    """One file.

    Attributes:
        path: Where it is.
        size: Bytes.
        fault: Why it cannot be read.
        reason: The same in words, without the path.
        format: By content: PNG, JPEG and so on.
        width: Columns of the upright picture.
        height: Rows of the upright picture.
        mode: As `ImageInfo` has it; `N bands` of a TIFF that is no photo.
        bit_depth: Of the samples.
        profile: The name of its colour profile; empty without one.
        digest: Of all pixels: the same for the same picture in other files.
        likeness: Its difference hash.
        copy: Its small copy, SIDE x SIDE x 3 bytes.
        deviation: Of all samples, in levels of 255.
        visible: The share of its pixels that are not wholly transparent.
        values: Of a mask: how many pixels have each value, or each colour as red + 256 green + 65536 blue.
        many_values: Whether a mask has more than are counted.
    """

    path: Path
    size: int = 0
    fault: Fault = ""
    reason: str = ""
    format: str = ""
    width: int = 0
    height: int = 0
    mode: str = ""
    bit_depth: int = 8
    profile: str = ""
    digest: str = ""
    likeness: int = 0
    copy: bytes = b""
    deviation: float = 255.0
    visible: float = 1.0
    values: Mapping[int, int] = field(default_factory=dict)
    many_values: bool = False

    @property
    def is_read(self) -> bool:
        """Whether its pixels have been looked at."""
        return bool(self.copy)

    @property
    def channels(self) -> str:
        """gray, colour, or the bands of a TIFF; with alpha where it has some."""
        if self.mode.endswith("bands"):
            return self.mode
        plain = "gray" if self.mode.startswith("gray") else "colour"
        return plain + " with alpha" * self.mode.endswith(("alpha", "RGBA"))


def look_at(path: Path, *, is_mask: bool = False, whole: bool = True) -> Seen:
    """Find out what a file is; what cannot be read has a fault, and nothing is raised.

    Args:
        path: Of a file that is named as a picture.
        is_mask: Whether its values are to be counted.
        whole: Whether its pixels are decoded too.
    """
    try:
        return _looked_at(path, is_mask, whole)
    except Exception as error:  # one file of many must not end the work
        return Seen(path, fault="damaged", reason=_reason(path, error))


def _looked_at(path: Path, is_mask: bool, whole: bool) -> Seen:
    fault = _fault_outside(path)
    size = 0 if fault in ("broken-link", "no-permission") else path.stat().st_size
    if fault:
        return Seen(path, size, fault, _WORDS[fault])
    try:
        header = read_header(path)
    except LimnerError as error:
        return _unreadable(path, size, error)
    bands = bands_of(path)
    seen = Seen(
        path, size, format=header.format, width=header.width, height=header.height,
        mode=f"{bands.bands} bands" if bands else header.mode, bit_depth=header.bit_depth,
    )  # fmt: skip
    if reason := too_many_pixels(header.width, header.height, MOST_PIXELS):
        return replace(seen, fault="too-large", reason=reason.partition(":")[0])
    if not whole:
        return seen
    try:
        return _with_bands(seen, path) if bands else _with_pixels(seen, path, header, is_mask)
    except LimnerError as error:
        several = header.frames > 1
        return replace(seen, fault="several-pictures" if several else "damaged", reason=_reason(path, error))


def _fault_outside(path: Path) -> Fault:
    """What keeps a file from being opened."""
    try:
        if not path.exists():
            return "broken-link"
        if path.stat().st_size == 0:
            return "empty"
        with path.open("rb"):
            return ""
    except FileNotFoundError:
        return "broken-link"
    except OSError:
        return "no-permission"


_WORDS = {
    "broken-link": "links to what is not there",
    "no-permission": "may not be read",
    "empty": "is empty",
}


def _unreadable(path: Path, size: int, error: LimnerError) -> Seen:
    with path.open("rb") as file:
        known = has_pictures(file.read(512))
    return Seen(path, size, "damaged" if known else "not-a-picture", _reason(path, error))


def _reason(path: Path, error: Exception) -> str:
    """The words of an error without the path, and of a decoder's complaint nothing but that."""
    words = " ".join(str(error).split()).removeprefix(f"{path}: ")
    inner = re.fullmatch(r"is damaged, cut short or not an image \((.*)\): .*", words)
    return (inner[1] if inner else words)[:200] or type(error).__name__


def _with_pixels(seen: Seen, path: Path, header: ImageInfo, is_mask: bool) -> Seen:
    picture = read_image(path)
    shown = _shown(picture)
    digest = hashlib.blake2b(str(picture.pixels.shape).encode(), digest_size=16)
    for part in (picture.pixels, picture.alpha):
        digest.update(b"" if part is None else np.ascontiguousarray(part).data)
    values, many = _values(path, picture, header) if is_mask else ({}, False)
    return replace(
        seen,
        profile=_profile_name(picture.icc_profile),
        digest=digest.hexdigest(),
        **_summary(shown),
        visible=1.0 if picture.alpha is None else float((picture.alpha > 0).mean()),
        values=values,
        many_values=many,
    )


def _with_bands(seen: Seen, path: Path) -> Seen:
    """Of a TIFF that is no photo its first three bands are shown."""
    samples = read_bands(path)
    most = np.iinfo(samples.dtype).max
    shown = np.resize((samples[..., :3].astype(np.float32) * (255 / most)).astype(np.uint8), (*samples.shape[:2], 3))
    return replace(
        seen,
        digest=hashlib.blake2b(np.ascontiguousarray(samples).data, digest_size=16).hexdigest(),
        **_summary(shown),
    )


def _summary(shown: np.ndarray) -> dict[str, Any]:
    """What is kept of the pixels of a picture."""
    image = PillowImage.fromarray(shown)
    return {"likeness": difference_hash(image), "copy": small_copy(image).tobytes(), "deviation": deviation(image)}


def _shown(picture: Picture) -> np.ndarray:
    """uint8 (h, w, 3); what is transparent is white."""
    eight = picture.as_8_bit()
    pixels = np.repeat(eight.pixels, 3, -1) if eight.pixels.shape[-1] == 1 else eight.pixels[..., :3]
    if eight.alpha is None:
        return np.ascontiguousarray(pixels)
    share = eight.alpha[..., None].astype(np.float32) / 255
    return (pixels * share + 255 * (1 - share)).astype(np.uint8)


def _values(path: Path, picture: Picture, header: ImageInfo) -> tuple[dict[int, int], bool]:
    """How many pixels have each value, and whether there are too many to count."""
    if header.mode.startswith(("gray", "palette")):
        numbers = read_labels(path)[0].numpy()
    else:
        numbers = picture.as_8_bit().pixels[..., :3].astype(np.int64) @ np.array([1, 256, 65536])
    values, counts = np.unique(numbers, return_counts=True)
    if len(values) > _MOST_VALUES:
        return {}, True
    return dict(zip(values.tolist(), counts.tolist(), strict=True)), False


def _profile_name(profile: bytes | None) -> str:
    if not profile:
        return ""
    try:
        return " ".join(ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(profile))).split())
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return "a damaged profile"


def copy_of(seen: Seen) -> np.ndarray:
    """The small copy, (SIDE, SIDE, 3)."""
    return np.frombuffer(seen.copy, np.uint8).reshape(SIDE, SIDE, 3)
