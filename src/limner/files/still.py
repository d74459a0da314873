"""What Pillow has opened, a file or an image in memory, as a picture: upright, with its meaning and its metadata."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

import numpy as np
from PIL import Image as PillowImage
from PIL.ImageFile import ImageFile

from limner.errors import LimnerError
from limner.files.decode import Decoded, decode, decode_loaded
from limner.files.exif import orientation_of
from limner.files.header import ImageBytes, UnreadableError, check_planes, check_still
from limner.files.metadata import metadata_of, upright
from limner.files.opening import open_image
from limner.files.picture import Picture, Samples
from limner.files.quiet import quiet

_LAZY = ("PNG", "JPEG", "TIFF", "BMP", "GIF")  # whose pixels Pillow decodes when they are first asked for
_SAID = ("icc_profile", "exif")  # what callers add to an image before they hand it on


@contextmanager
def telling_of(name: str) -> Iterator[None]:
    """Every failure inside becomes one line that names the picture."""
    try:
        with quiet():
            yield
    except UnreadableError as error:
        raise LimnerError(f"{name}: {error}") from error
    except PermissionError as error:
        raise LimnerError(f"{name}: may not be read: ask for permission or copy it") from error
    except MemoryError as error:
        raise LimnerError(f"{name}: is too large for the memory of this machine: shrink it first") from error
    except Exception as error:  # the parsers of damaged files raise whatever they trip over
        raise LimnerError(
            f"{name}: is damaged, cut short or not an image ({reason_of(error)}): get the file once more"
        ) from error


def still_picture(file: ImageBytes, image: ImageFile, name: str) -> Picture:
    """What `open_image` made of a file.

    Raises:
        UnreadableError: It is no still image, or of samples that are not read.
    """
    check_still(image)
    check_planes(image)
    return _upright(decode(file, image), image, name)


def from_pillow(image: PillowImage.Image) -> Picture:
    """A PIL image as its file would be read.

    One that is still as it was opened is read from its file again, with the depth and the colour that Pillow drops.

    Raises:
        LimnerError: It is damaged, of samples that are not read, or without pixels.
    """
    name = str(image.filename) if isinstance(image, ImageFile) and image.filename else "the PIL image"
    with telling_of(name):
        if min(image.size) < 1:
            raise UnreadableError(f"must be at least 1 pixel wide and high, got {image.width}x{image.height}")
        file = _untouched(image) if isinstance(image, ImageFile) else None
        if file is not None:
            return still_picture(file, open_image(file), name)
        image.load()
        return _upright(decode_loaded(image), image, name)


def reason_of(error: Exception) -> str:
    """The words of an exception on one line."""
    return " ".join(str(error).split())[:200] or type(error).__name__


def _untouched(image: ImageFile) -> BytesIO | None:
    """The bytes of the file that an image was opened from, if it is one still picture that is not yet decoded."""
    if image.format not in _LAZY or not image.tile or image.fp is None or image.fp.closed:
        return None
    if image.tell() or getattr(image, "n_frames", 1) > 1:
        return None
    at = image.fp.tell()
    image.fp.seek(0)
    file = BytesIO(image.fp.read())
    image.fp.seek(at)
    again = open_image(file)
    is_same = (again.size, again.mode) == (image.size, image.mode)  # a draft of a JPEG has others
    says_same = all(again.info.get(key) == image.info.get(key) for key in _SAID)
    return file if is_same and says_same else None


def _upright(decoded: Decoded, image: PillowImage.Image, name: str) -> Picture:
    metadata = metadata_of(image)
    orientation = 1 if image.format == "TIFF" else orientation_of(metadata.exif)  # Pillow turns TIFF alone by itself
    metadata = upright(metadata)
    return Picture(
        _turned(decoded.pixels, orientation),
        None if decoded.alpha is None else _turned(decoded.alpha, orientation),
        decoded.icc_profile,
        coding=decoded.coding,
        **metadata._replace(notes=tuple(f"{name}: {one}" for one in (*decoded.notes, *metadata.notes)))._asdict(),
    )


def _turned(samples: Samples, orientation: int) -> Samples:
    """Upright samples, from those stored with an EXIF orientation (CIPA DC-008, section 4.6.4.A)."""
    if orientation > 4:
        samples = samples.swapaxes(0, 1)
    flip_rows, flip_columns = orientation in (3, 4, 7, 8), orientation in (2, 3, 6, 7)
    if flip_rows:
        samples = samples[::-1]
    if flip_columns:
        samples = samples[:, ::-1]
    return np.ascontiguousarray(samples)
