"""Pictures of any kind: a path, a PIL image, an array or a tensor, and results of the same kind."""

from collections.abc import Callable
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import NamedTuple, TypeAlias, TypeVar

import numpy as np
from jaxtyping import Float
from PIL import Image as PillowImage
from torch import Tensor

from limner.arguments import check_path, shown
from limner.errors import LimnerError
from limner.files.atomic import check_place
from limner.files.image import (
    Picture,
    alpha_tensor,
    check_writable,
    from_tensor,
    read_image,
    write_image,
)
from limner.files.still import from_pillow
from limner.files.visible import read_source, source_tensor, visible_tensor
from limner.media.pixel_values import floats_of, like_array, like_tensor, samples_of
from limner.ops.framing import with_longer_side
from limner.ops.resample import imresize
from limner.runtime.memory import check_memory
from limner.types import Image

AnyPicture: TypeAlias = str | PathLike[str] | PillowImage.Image | np.ndarray | Tensor
PictureT = TypeVar("PictureT", bound=AnyPicture)

_BLANK = Picture(np.zeros((1, 1, 3), np.uint8))


class OpenedPicture(NamedTuple):
    """A picture that has been read.

    Attributes:
        image: RGB (n, 3, h, w) in [0, 1], float32 on the CPU, with visible colours where a photo is transparent.
        picture: All that its file or its array says; None of a tensor.
    """

    image: Image
    picture: Picture | None


def open_picture(picture: AnyPicture) -> OpenedPicture:
    """Read a picture.

    Args:
        picture: A path; a PIL image; an array (h, w) or (h, w, 1 | 3 | 4) of uint8, uint16, bool, or floats in [0, 1];
            or a tensor (3, h, w) or (n, 3, h, w), or of one channel, of floats in [0, 1], uint8, uint16 or bool.

    Raises:
        LimnerError: If it cannot be read, or has another shape.
    """
    if isinstance(picture, Tensor):
        return OpenedPicture(floats_of(picture), None)
    if isinstance(picture, np.ndarray):
        read = _from_array(samples_of(np.asarray(picture)))  # a matrix would stay one
    elif isinstance(picture, PillowImage.Image):
        read = from_pillow(picture)
    else:
        read = read_image(_path_of(picture))
    return OpenedPicture(visible_tensor(read), read)


def open_source(picture: AnyPicture) -> Image:
    """Read a picture whose style or texture is wanted: what it hides counts as what it shows.

    Args:
        picture: As for `open_picture`.

    Raises:
        LimnerError: If it cannot be read, has another shape, or is transparent everywhere.
    """
    if isinstance(picture, str | PathLike):
        return read_source(_path_of(picture))
    opened = open_picture(picture)
    return source_tensor(opened.picture) if opened.picture else opened.image


def whiteness(mask: AnyPicture) -> Float[Tensor, "1 1 h w"]:
    """How white a mask is, in [0, 1]; what is transparent in it counts as black.

    Args:
        mask: As for `open_picture`.

    Raises:
        LimnerError: If it cannot be read.
    """
    opened = open_picture(mask)
    white = opened.image[:1].mean(dim=1, keepdim=True)
    alpha = alpha_tensor(opened.picture) if opened.picture else None
    return white if alpha is None else white * alpha


def as_same_kind(
    result: Image | Picture,
    original: PictureT,
    like: Picture | None,
    output: str | PathLike[str] | None,
    usual: Callable[[Path], Path],
    *,
    quality: int | None = None,
    overwrite: bool = False,
) -> PictureT:
    """The result in the kind of the original: of a path, the path of the file that it is written to.

    What is given as pixels comes back as pixels; with an `output`, it is written there too.

    Args:
        result: A tensor becomes a picture as `picture_of` says.
        original: What the result was made from.
        like: What `open_picture` made of it.
        output: A file, or a folder for a path, where the result is written.
        usual: From the path of the original to where the result is written without `output`.
        quality: As for `write_image`.
        overwrite: Whether a file that is there may be replaced.

    Raises:
        LimnerError: If the file cannot be written.
    """
    made = result if isinstance(result, Picture) else picture_of(result[:1], like or _BLANK)
    target = _target(original, output, usual)
    if target is not None:
        write_image(target, made, quality=quality, overwrite=overwrite)
    if isinstance(original, Tensor):
        assert isinstance(result, Tensor)
        return like_tensor(result, original)  # type: ignore[return-value]
    if isinstance(original, np.ndarray):
        return like_array(_as_array(made, is_flat=original.ndim == 2), original)  # type: ignore[return-value]
    if isinstance(original, PillowImage.Image):
        return _as_pillow(made)  # type: ignore[return-value]
    return str(target) if isinstance(original, str) else target  # type: ignore[return-value]


def check_output(
    original: AnyPicture,
    output: str | PathLike[str] | None,
    usual: Callable[[Path], Path],
    *,
    quality: int | None = None,
    overwrite: bool = False,
) -> None:
    """Refuse, before the work, what `as_same_kind` would refuse after it.

    Raises:
        LimnerError: If the original is no picture, or the file cannot be written, or is there and may not be replaced.
    """
    check_picture(original)
    if output is not None:
        check_path("output", output)
    target = _target(original, output, usual)
    if target is None:
        return
    if isinstance(original, Tensor) and original.dim() == 4 and len(original) != 1:
        raise LimnerError(f"one picture is written to {target}, got {len(original)}: pass them one by one")
    check_place(target, overwrite=overwrite)
    check_writable(target, _BLANK, quality=quality)


def check_sheet(output: str | PathLike[str] | None, *, quality: int | None = None, overwrite: bool = False) -> None:
    """Refuse, before the work, a file that a picture made of no other cannot be written to; None is none.

    Raises:
        LimnerError: If it cannot be written, or is there and may not be replaced.
    """
    if output is not None:
        check_path("output", output)
        check_place(Path(output), overwrite=overwrite)
        check_writable(output, _BLANK, quality=quality)


def _target(original: AnyPicture, output: str | PathLike[str] | None, usual: Callable[[Path], Path]) -> Path | None:
    """The file that a result is written to; None for pixels that no file was asked for."""
    is_path = isinstance(original, str | PathLike)
    if output is None:
        return usual(Path(original)) if is_path else None  # type: ignore[arg-type]
    if is_path and Path(output).is_dir():
        return Path(output) / usual(Path(original)).name  # type: ignore[arg-type]
    return Path(output)


def picture_of(image: Image, like: Picture) -> Picture:
    """The first of some images as a picture with the depth, profile, metadata and transparency of `like`.

    It is gray where `like` is and its own three channels round to one. Transparency is resized.
    """
    alpha = alpha_tensor(like)
    if alpha is not None and alpha.shape[-2:] != image.shape[-2:]:
        alpha = imresize(alpha, size=(image.shape[-2], image.shape[-1])).clamp(0, 1)
    picture = from_tensor(image, like=in_color(like), alpha=alpha)
    return in_gray(picture, like.icc_profile) if like.is_gray and has_no_color(picture) else picture


def resized_photo(image: Image, size: int | None) -> Float[Tensor, "n 3 H W"]:
    """A photo resized to a given longer side; None leaves it.

    Raises:
        LimnerError: If memory does not hold so large a picture.
    """
    if size is not None:
        height, width = (side * size // max(image.shape[-2:]) for side in image.shape[-2:])
        check_memory(height, width)
    return with_longer_side(image, size)


def in_color(picture: Picture) -> Picture:
    """The same picture with three channels."""
    if not picture.is_gray:
        return picture
    return replace(picture, pixels=np.repeat(picture.pixels, 3, axis=2), icc_profile=None)  # that profile is of gray


def has_no_color(picture: Picture) -> bool:
    """Whether all channels are one."""
    return bool((picture.pixels[..., :1] == picture.pixels).all())


def in_gray(picture: Picture, profile: bytes | None) -> Picture:
    """A picture without colour as one channel, whose numbers mean what a profile of gray says."""
    return replace(picture, pixels=picture.pixels[..., :1], icc_profile=profile)


def _from_array(array: np.ndarray) -> Picture:
    pixels = array[..., None] if array.ndim == 2 else array
    if 0 in pixels.shape[:2]:
        raise LimnerError(f"an array must have at least 1 pixel, got {array.shape}: pass one that holds a picture")
    if pixels.ndim != 3 or pixels.shape[2] not in (1, 3, 4):
        raise LimnerError(f"an array must be (h, w) or (h, w, 1 | 3 | 4), got {array.shape}: reshape it")
    has_alpha = pixels.shape[2] == 4
    return Picture(pixels[..., :3] if has_alpha else pixels, pixels[..., 3] if has_alpha else None)


def _as_array(picture: Picture, *, is_flat: bool) -> np.ndarray:
    if is_flat and picture.is_gray and picture.alpha is None:
        return picture.pixels[..., 0]
    return picture.pixels if picture.alpha is None else np.dstack([picture.pixels, picture.alpha])


def _as_pillow(picture: Picture) -> PillowImage.Image:
    """In 8 bits but for gray, for Pillow holds no others, with what `Image.save` takes: profile, EXIF, resolution."""
    samples = _as_array(picture, is_flat=True)
    if samples.dtype == np.uint16 and samples.ndim == 3:
        samples = np.round(samples / 257).astype(np.uint8)
    result = PillowImage.fromarray(samples)
    said = {"icc_profile": picture.icc_profile, "exif": picture.exif, "xmp": picture.xmp, "dpi": picture.dpi}
    result.info.update({name: value for name, value in said.items() if value is not None})
    return result


def check_picture(picture: object) -> None:
    """Refuse what `open_picture` does not know.

    Raises:
        LimnerError: If it is of another type.
    """
    if not isinstance(picture, Tensor | np.ndarray | PillowImage.Image):
        _path_of(picture)


def _path_of(picture: object) -> str | PathLike[str]:
    if isinstance(picture, str | PathLike) and str(picture):
        if not Path(picture).name:
            raise LimnerError(f"{picture}: is a folder: name one of the images in it")
        return picture
    raise LimnerError(
        f"a picture must be a path, a PIL image, an array or a tensor, got {shown(picture)}: open it first, as by PIL"
    )
