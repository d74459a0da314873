"""Pictures with a class each: a folder for each class, an idx file as of MNIST, or one sheet of equal tiles."""

import gzip
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from pydantic import Field
from torch import Tensor

from limner.data.folder import find_images
from limner.data.source import DataConfig
from limner.errors import LimnerError
from limner.files.image import is_image_path, read_image
from limner.files.visible import visible_tensor
from limner.ops.resample import imresize
from limner.types import Image

_IMAGES, _LABELS = "*images*idx3*", "*labels*idx1*"
_SHEET_COLUMNS, _SHEET_ROWS = 10, 4


class Labelled(NamedTuple):
    """A batch of pictures, in [0, 1], and their classes."""

    image: Float[Tensor, "n c h w"]
    label: Int[Tensor, " n"]

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        """What a generator is given, beside what it draws itself."""
        return (self.label,)


class LabelledConfig(DataConfig):
    """Where classes come from, and how large pictures are."""

    side: int = Field(28, ge=4, description="of the pictures, in pixels")
    margin: int = Field(0, ge=0, description="of black around a picture, within its side, in pixels")
    tile: int | None = Field(
        None, ge=1, description="side of the tiles of a single picture, in pixels; equally many of each class, in order"
    )
    num_classes: int = Field(10, ge=1, description="on such a sheet; folders and idx files tell themselves")

    def facts(self, place: Path) -> Mapping[str, Any]:
        """How many classes and channels there are, and the side of the pictures."""
        found = self._found(place)
        return {"num_classes": int(found.labels.max()) + 1, "channels": found.images[0].shape[0], "side": self.side}

    def files(self, place: Path) -> list[Path]:
        """The pictures, or the idx files."""
        idx = [*place.glob(_IMAGES), *place.glob(_LABELS)] if place.is_dir() else []
        return sorted(idx) or super().files(place)

    def load(self, place: Path, *, memory: int | None = None) -> "LabelledPictures":
        """All pictures, in memory: at their side they are small.

        Raises:
            LimnerError: If there are none, or they cannot be read.
        """
        found = self._found(place)
        chosen = self.chosen(len(found.images))
        images = [found.images[one] for one in chosen]
        sized = [one if one.shape[-2:] == (self.side, self.side) else self._sized(one) for one in images]
        return LabelledPictures(torch.stack(sized), found.labels[chosen])

    def _found(self, place: Path) -> "_Found":
        if place.is_file():
            return self._sheet(place)
        idx = sorted(place.glob(_IMAGES)) if place.is_dir() else []
        return _idx(idx[0], place) if idx else _folders(place, self._sized)

    def _sheet(self, path: Path) -> "_Found":
        if self.tile is None:
            raise LimnerError(f"{path} is one picture: pass --set data.tile=N, the side of its tiles in pixels")
        sheet = _read(path)
        rows, columns = sheet.shape[-2] // self.tile, sheet.shape[-1] // self.tile
        tiles = sheet.unfold(1, self.tile, self.tile).unfold(2, self.tile, self.tile).flatten(1, 2).transpose(0, 1)
        each, rest = divmod(rows * columns, self.num_classes)
        if rest or not each:
            raise LimnerError(
                f"{path} has {rows * columns} tiles of {self.tile} pixels, which {self.num_classes} classes do not "
                "share: pass --set data.num_classes=N"
            )
        return _Found(list(tiles), torch.arange(self.num_classes).repeat_interleave(each))

    def _sized(self, image: Tensor) -> Tensor:
        inner = self.side - 2 * self.margin
        if inner < 1:
            raise LimnerError(f"a margin must leave something of {self.side} pixels, got {self.margin}: make it less")
        wanted = image if image.shape[-2:] == (inner, inner) else _square(image, inner)
        return F.pad(wanted, [self.margin] * 4)


class _Found(NamedTuple):
    images: list[Tensor]
    """uint8 (c, h, w)."""
    labels: Tensor


def _read(path: Path) -> Tensor:
    """uint8 (1 or 3, h, w)."""
    picture = read_image(path).as_8_bit()
    channels = 1 if picture.is_gray else 3
    return (visible_tensor(picture)[0, :channels] * 255).round().to(torch.uint8)


def _square(image: Tensor, side: int) -> Tensor:
    return (imresize(image[None].float() / 255, size=(side, side))[0].clamp(0, 1) * 255).round().to(torch.uint8)


def _folders(place: Path, sized: Callable[[Tensor], Tensor]) -> _Found:
    """The classes are the folders, by name; pictures are resized one by one, for whole ones may fill the memory."""
    folders = sorted(one for one in place.iterdir() if one.is_dir()) if place.is_dir() else []
    if not folders:
        raise LimnerError(f"{place} holds no classes: put the pictures of each class into a folder of its own")
    paths = [(number, path) for number, folder in enumerate(folders) for path in find_images(folder)]
    images = [sized(_read(path)) for _, path in paths if is_image_path(path)]
    if any(len(image) != len(images[0]) for image in images):
        images = [image.expand(3, -1, -1) for image in images]
    return _Found(images, torch.tensor([number for number, _ in paths]))


def _idx(path: Path, place: Path) -> _Found:
    labels = sorted(place.glob(_LABELS))
    if not labels:
        raise LimnerError(f"{place} holds {path.name} without its labels: put {_LABELS} beside it")
    images, numbers = _idx_array(path), _idx_array(labels[0])
    if images.ndim != 3 or len(images) != len(numbers):
        raise LimnerError(
            f"{path} holds {len(images)} pictures and {labels[0].name} {len(numbers)} labels: get both anew"
        )
    return _Found(list(torch.from_numpy(images)[:, None]), torch.from_numpy(numbers.astype(np.int64)))


def _idx_array(path: Path) -> np.ndarray:
    """The format of LeCun's MNIST: two zero bytes, 8 for uint8, the number of axes, their lengths, the values."""
    try:
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError) as error:
        raise LimnerError(f"{path} is no whole gzip file ({error}): get it anew") from None
    axes = data[3] if len(data) > 4 and data[:3] == b"\0\0\x08" else 0
    shape = tuple(int.from_bytes(data[4 + 4 * axis : 8 + 4 * axis]) for axis in range(axes))
    values = np.frombuffer(data, np.uint8, offset=4 + 4 * axes) if axes else np.empty(0, np.uint8)
    if not axes or values.size != np.prod(shape):
        raise LimnerError(f"{path} is no whole idx file of bytes: get it anew")
    return values.reshape(shape).copy()


class LabelledPictures:
    """Pictures with their classes, as they are."""

    def __init__(self, images: Tensor, labels: Tensor) -> None:
        """Take uint8 (n, c, h, w) and int64 (n,)."""
        self.images, self.labels = images, labels

    def __len__(self) -> int:
        """Pictures."""
        return len(self.images)

    def draw(self, index: int, rng: torch.Generator) -> Labelled:
        """One picture (c, h, w) in [0, 1] and its class, a scalar."""
        return Labelled(self.images[index] / 255, self.labels[index])

    def sheet(self, run: Callable[[Tensor], Tensor]) -> Image:
        """A picture (1, 3, h, w): what `run` makes of the first classes, a column each."""
        classes = torch.arange(min(_SHEET_COLUMNS, int(self.labels.max()) + 1))
        made = run(classes.repeat(_SHEET_ROWS))
        rows = [torch.cat(list(row), dim=-1) for row in made.split(len(classes))]
        return torch.cat(rows, dim=-2).expand(3, -1, -1)[None].clamp(0, 1)
