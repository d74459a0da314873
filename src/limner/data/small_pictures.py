"""Small pictures, all of which are held at once: opaque, square, from folders, idx files or sheets."""

import gzip
import zlib
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from limner.errors import LimnerError
from limner.files.image import read_image
from limner.files.picture import Picture, alpha_tensor, to_tensor
from limner.files.visible import visible_tensor
from limner.ops.resample import imresize

IMAGES, LABELS = "*images*idx3*", "*labels*idx1*"
"""The idx files of a folder."""

_MOST_BYTES = 2**29  # of an idx file, unpacked: EMNIST's has 418 MB

Colours: TypeAlias = Literal["as they are", "gray", "rgb"]

_LUMA = torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)  # ITU-R BT.601


def colours_of(channels: int) -> Colours:
    """Those of pictures of so many channels.

    >>> colours_of(1)
    'gray'
    """
    return "gray" if channels == 1 else "rgb"


def read_small(
    path: Path, background: tuple[float, float, float] | None = None, colours: Colours = "as they are"
) -> UInt8[Tensor, "c h w"]:
    """A picture of one channel or three.

    Args:
        path: Of its file.
        background: RGB in [0, 1], behind what is transparent; None: its visible colours go on there.
        colours: `gray` makes one channel of three, `rgb` three of one.

    Raises:
        LimnerError: If it cannot be read.
    """
    image = _opaque(read_image(path).as_8_bit(), background)
    if colours == "gray" and len(image) == 3:
        return (_LUMA * image).sum(0, keepdim=True).round().to(torch.uint8)
    return image.expand(3, -1, -1) if colours == "rgb" else image


def _opaque(picture: Picture, background: tuple[float, float, float] | None) -> Tensor:
    channels, alpha = 1 if picture.is_gray else 3, alpha_tensor(picture)
    if alpha is None or background is None:
        shown = visible_tensor(picture)[0, :channels]
    else:
        behind = torch.tensor(background).view(3, 1, 1)
        channels = 3 if len(set(background)) > 1 else channels  # gray before gray stays gray
        shown = (alpha[0] * to_tensor(picture)[0] + (1 - alpha[0]) * behind)[:channels]
    return (shown * 255).round().to(torch.uint8)


def squeezed(image: UInt8[Tensor, "c h w"], side: int) -> UInt8[Tensor, "c s s"]:
    """A picture resized to a square."""
    if image.shape[-2:] == (side, side):
        return image
    return (imresize(image[None].float() / 255, size=(side, side))[0].clamp(0, 1) * 255).round().to(torch.uint8)


def tiles_of(sheet: UInt8[Tensor, "c h w"], tile: int) -> list[Tensor]:
    """The tiles of a sheet, row by row; what is left at its right and below belongs to none."""
    return list(sheet.unfold(1, tile, tile).unfold(2, tile, tile).flatten(1, 2).transpose(0, 1))


def alike(images: list[Tensor]) -> list[Tensor]:
    """Pictures of as many channels: gray ones among coloured ones get three."""
    most = max((len(one) for one in images), default=1)
    return [one.expand(most, -1, -1) for one in images]


def idx_images(place: Path) -> Path | None:
    """The idx file of pictures in a folder, where there is one."""
    return next(iter(sorted(place.glob(IMAGES))), None) if place.is_dir() else None


def read_idx(path: Path) -> np.ndarray:
    """The format of LeCun's MNIST: two zero bytes, 8 for uint8, the number of axes, their lengths, the values.

    Raises:
        LimnerError: If it is no such file, not all of it, or larger than such files are.
    """
    try:
        with path.open("rb") as stored, gzip.open(stored) if path.suffix == ".gz" else stored as file:
            data = file.read(_MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise LimnerError(f"{path} is no whole gzip file ({error}): get it anew") from None
    if len(data) > _MOST_BYTES:
        raise LimnerError(f"{path} has more than {_MOST_BYTES // 2**20} MB: take fewer pictures")
    axes = data[3] if len(data) > 4 and data[:3] == b"\0\0\x08" else 0
    shape = tuple(int.from_bytes(data[4 + 4 * axis : 8 + 4 * axis]) for axis in range(axes))
    values = np.frombuffer(data, np.uint8, offset=4 + 4 * axes) if axes else np.empty(0, np.uint8)
    if not axes or values.size != np.prod(shape):
        raise LimnerError(f"{path} is no whole idx file of bytes: get it anew")
    return values.reshape(shape).copy()
