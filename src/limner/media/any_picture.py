"""Pictures of any kind: a path, a PIL image, an array or a tensor, and results of the same kind."""

from collections.abc import Callable
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import NamedTuple, TypeAlias, TypeVar

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image as PillowImage
from torch import Tensor

from limner.errors import LimnerError
from limner.files.image import Picture, alpha_tensor, from_tensor, read_image, write_image
from limner.files.visible import read_source, source_tensor, visible_tensor
from limner.ops.framing import with_longer_side
from limner.ops.resample import imresize
from limner.runtime.memory import check_memory
from limner.types import Image

AnyPicture: TypeAlias = str | PathLike[str] | PillowImage.Image | np.ndarray | Tensor
PictureT = TypeVar("PictureT", bound=AnyPicture)

_AS_THEY_ARE = ("L", "RGB", "RGBA", "I;16")
_OTHER_COLOURS = ("CMYK", "YCbCr", "LAB", "HSV")  # their profiles do not fit the RGB that they become


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
        picture: A path; a PIL image; an array (h, w) or (h, w, 1 | 3 | 4) of uint8 or uint16; or a tensor (3, h, w) or
            (n, 3, h, w) in [0, 1].

    Raises:
        LimnerError: If it cannot be read, or has another shape.
    """
    if isinstance(picture, Tensor):
        return OpenedPicture(_batched(picture), None)
    if isinstance(picture, np.ndarray):
        read = _from_array(picture)
    elif isinstance(picture, PillowImage.Image):
        read = _from_array(_array_of(picture))
    else:
        read = read_image(picture)
    return OpenedPicture(visible_tensor(read), read)


def open_source(picture: AnyPicture) -> Image:
    """Read a picture whose style or texture is wanted: what it hides counts as what it shows.

    Args:
        picture: As for `open_picture`.

    Raises:
        LimnerError: If it cannot be read, has another shape, or is transparent everywhere.
    """
    if isinstance(picture, str | PathLike):
        return read_source(picture)
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
    overwrite: bool = False,
) -> PictureT:
    """The result in the kind of the original: of a path, the path of the file that it is written to.

    Args:
        result: A tensor becomes a picture as `picture_of` says.
        original: What the result was made from.
        like: What `open_picture` made of it.
        output: Where the result of a path is written.
        usual: From the path of the original to where the result is written without `output`.
        overwrite: Whether a file that is there may be replaced.

    Raises:
        LimnerError: If the file cannot be written.
    """
    if isinstance(original, Tensor):
        assert isinstance(result, Tensor)
        tensor = result.to(original)
        return tensor if original.dim() == 4 else tensor[0]  # type: ignore[return-value]
    if isinstance(result, Tensor):
        assert like is not None
        result = picture_of(result, like)
    if isinstance(original, np.ndarray):
        return _as_array(result, is_flat=original.ndim == 2)  # type: ignore[return-value]
    if isinstance(original, PillowImage.Image):
        return _as_pillow(result, original)  # type: ignore[return-value]
    target = Path(output) if output else usual(Path(original))
    write_image(target, result, overwrite=overwrite)
    return str(target) if isinstance(original, str) else target  # type: ignore[return-value]


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


def _batched(image: Tensor) -> Image:
    if image.dim() not in (3, 4) or image.shape[-3] != 3 or not image.is_floating_point():
        raise LimnerError(
            f"a tensor must be (3, h, w) or (n, 3, h, w) of floats in [0, 1], "
            f"got {tuple(image.shape)} of {image.dtype}: reshape it, or divide whole numbers by 255"
        )
    return (image if image.dim() == 4 else image[None]).detach().to("cpu", torch.float32)


def _from_array(array: np.ndarray) -> Picture:
    pixels = array[..., None] if array.ndim == 2 else array
    if pixels.ndim != 3 or pixels.shape[2] not in (1, 3, 4):
        raise LimnerError(f"an array must be (h, w) or (h, w, 1 | 3 | 4), got {array.shape}: reshape it")
    has_alpha = pixels.shape[2] == 4
    return Picture(pixels[..., :3] if has_alpha else pixels, pixels[..., 3] if has_alpha else None)


def _as_array(picture: Picture, *, is_flat: bool) -> np.ndarray:
    if is_flat and picture.is_gray and picture.alpha is None:
        return picture.pixels[..., 0]
    return picture.pixels if picture.alpha is None else np.dstack([picture.pixels, picture.alpha])


def _array_of(image: PillowImage.Image) -> np.ndarray:
    has_alpha = "A" in image.mode.upper().removeprefix("LAB") or "transparency" in image.info
    mode = image.mode if image.mode in _AS_THEY_ARE else "RGBA" if has_alpha else "RGB"
    return np.asarray(image if mode == image.mode else image.convert(mode))


def _as_pillow(picture: Picture, original: PillowImage.Image) -> PillowImage.Image:
    result = PillowImage.fromarray(_as_array(picture, is_flat=True))
    if "icc_profile" in original.info and original.mode not in _OTHER_COLOURS:
        result.info["icc_profile"] = original.info["icc_profile"]
    return result
