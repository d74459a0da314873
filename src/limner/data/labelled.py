"""Small pictures with a class each, of a folder for each class, a CSV file, an idx file as of MNIST, or one sheet."""

import csv
from abc import abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from pydantic import Field
from torch import Tensor

from limner.data.folder import find_images
from limner.data.small_pictures import (
    IMAGES,
    LABELS,
    Colours,
    alike,
    idx_images,
    read_idx,
    read_small,
    squeezed,
    tiles_of,
)
from limner.data.source import DataConfig
from limner.errors import LimnerError
from limner.types import Image

_SHEET_COLUMNS, _SHEET_ROWS = 10, 4
_Share = Annotated[float, Field(ge=0, le=1)]


class Labelled(NamedTuple):
    """A batch of pictures, in [0, 1], and their classes."""

    image: Float[Tensor, "n c h w"]
    label: Int[Tensor, " n"]

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        """What a generator is given, beside what it draws itself."""
        return (self.label,)


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
        """A picture (1, 3, h, w): what `run` makes of the first classes, a column each; of a single one in all."""
        known = min(_SHEET_COLUMNS, int(self.labels.max()) + 1)
        classes = torch.arange(known) if known > 1 else torch.zeros(_SHEET_COLUMNS, dtype=torch.int64)
        made = run(classes.repeat(_SHEET_ROWS))
        rows = [torch.cat(list(row), dim=-1) for row in made.split(len(classes))]
        return torch.cat(rows, dim=-2).expand(3, -1, -1)[None].clamp(0, 1)


class Found(NamedTuple):
    """Pictures as they were found, uint8 (c, h, w) each, and the class of each."""

    images: list[Tensor]
    labels: Tensor


class SmallConfig(DataConfig):
    """How large pictures are, and what becomes of their colours."""

    side: int = Field(28, ge=4, description="of the pictures, in pixels")
    margin: int = Field(0, ge=0, description="of black around a picture, within its side, in pixels")
    tile: int | None = Field(
        None, ge=1, description="side of the tiles of a single picture, in pixels; equally many of each class, in order"
    )
    colours: Colours = Field("as they are", description="gray makes one channel of three, rgb three of one")
    background: tuple[_Share, _Share, _Share] | None = Field(
        None, description="RGB behind transparent pictures; None: their visible colours go on"
    )

    @abstractmethod
    def found(self, place: Path) -> Found:
        """All pictures of a place; those of files have their side already, for whole ones may fill the memory.

        Raises:
            LimnerError: If there are none, or they cannot be read.
        """

    def facts(self, place: Path) -> Mapping[str, Any]:
        """How many channels the pictures have, and their side."""
        return {"channels": self.found(place).images[0].shape[0], "side": self.side}

    def files(self, place: Path) -> list[Path]:
        """The pictures, or the idx files."""
        idx = [*place.glob(IMAGES), *place.glob(LABELS)] if place.is_dir() else []
        return sorted(idx) or super().files(place)

    def load(self, place: Path, *, memory: int | None = None) -> LabelledPictures:
        """All pictures, in memory: at their side they are small.

        Raises:
            LimnerError: If there are none, or they cannot be read.
        """
        found = self.found(place)
        chosen = self.chosen(len(found.images))
        images = [found.images[one] for one in chosen]
        sized = [one if one.shape[-2:] == (self.side, self.side) else self.sized(one) for one in images]
        return LabelledPictures(torch.stack(sized), found.labels[chosen])

    def sized(self, image: Tensor) -> Tensor:
        """A picture squeezed to its side, with its margin."""
        inner = self.side - 2 * self.margin
        if inner < 1:
            raise LimnerError(f"a margin must leave something of {self.side} pixels, got {self.margin}: make it less")
        return F.pad(squeezed(image, inner), [self.margin] * 4)

    def of_files(self, paths: list[Path]) -> list[Tensor]:
        """Pictures of files, at their side, resized one by one."""
        return alike([self.sized(read_small(path, self.background, self.colours)) for path in paths])

    def of_sheet(self, path: Path) -> list[Tensor]:
        """The tiles of a picture.

        Raises:
            LimnerError: If their side is not said.
        """
        if self.tile is None:
            raise LimnerError(f"{path} is one picture: pass --set data.tile=N, the side of its tiles in pixels")
        return tiles_of(read_small(path, self.background, self.colours), self.tile)


class LabelledConfig(SmallConfig):
    """Where classes come from."""

    num_classes: int = Field(10, ge=1, description="on a sheet; folders, CSV and idx files tell themselves")
    csv: str | None = Field(
        None,
        description="a file in the folder, with a head, whose column `file` names pictures; None: a folder a class",
    )
    column: str = Field("class", description="of such a file that holds the class")

    def facts(self, place: Path) -> Mapping[str, Any]:
        """How many classes there are, too."""
        found = self.found(place)
        return {"num_classes": int(found.labels.max()) + 1, "channels": found.images[0].shape[0], "side": self.side}

    def files(self, place: Path) -> list[Path]:
        """The CSV file and what it names, too."""
        return (
            super().files(place) if self.csv is None else [place / self.csv, *(path for path, _ in self._rows(place))]
        )

    def found(self, place: Path) -> Found:
        """All pictures of a place and their classes, these numbered in the order of their names."""
        if place.is_file():
            return self._sheet(place)
        if self.csv is not None:
            return self._classes(self._rows(place))
        idx = idx_images(place)
        return _idx(idx, place) if idx else self._classes(_folders(place))

    def _sheet(self, path: Path) -> Found:
        tiles = self.of_sheet(path)
        each, rest = divmod(len(tiles), self.num_classes)
        if rest or not each:
            raise LimnerError(
                f"{path} has {len(tiles)} tiles of {self.tile} pixels, which {self.num_classes} classes do not share: "
                "pass --set data.num_classes=N"
            )
        return Found(tiles, torch.arange(self.num_classes).repeat_interleave(each))

    def _classes(self, rows: list[tuple[Path, str]]) -> Found:
        names = sorted({name for _, name in rows}, key=by_number)
        return Found(self.of_files([path for path, _ in rows]), torch.tensor([names.index(name) for _, name in rows]))

    def pictures(self, folder: Path) -> list[Path]:
        """The pictures that are read; of a CSV file those that it names, in its order."""
        if self.csv is None:
            return super().pictures(folder)
        rows = self._rows(folder)
        return [rows[place][0] for place in self.chosen(len(rows))]

    def _rows(self, place: Path) -> list[tuple[Path, str]]:
        assert self.csv is not None
        path = place / self.csv
        try:
            with path.open(newline="", encoding="utf-8-sig") as file:
                rows = list(csv.DictReader(file))
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise LimnerError(f"{path} is no CSV file ({error}): name one in the folder of the pictures") from None
        if not rows or not {"file", self.column} <= set(rows[0]):
            head = ", ".join(map(str, rows[0])) if rows else "nothing"
            raise LimnerError(
                f"{path} must have the columns file and {self.column}, got {head}: pass --set data.column=NAME"
            )
        return [(place / row["file"], str(row[self.column])) for row in rows]


def by_number(name: str) -> tuple[bool, int, str]:
    """Numbers by their value and before words: 9, 10, a."""
    return (not name.isdecimal(), int(name) if name.isdecimal() else 0, name)


def _may_be_class(path: Path) -> bool:
    return path.is_dir() and not path.name.startswith(".")


def _folders(place: Path) -> list[tuple[Path, str]]:
    folders = sorted(filter(_may_be_class, place.iterdir())) if place.is_dir() else []
    if not folders:
        raise LimnerError(f"{place} holds no classes: put the pictures of each class into a folder of its own")
    return [(path, folder.name) for folder in folders for path in find_images(folder)]


def _idx(path: Path, place: Path) -> Found:
    labels = sorted(place.glob(LABELS))
    if not labels:
        raise LimnerError(f"{place} holds {path.name} without its labels: put {LABELS} beside it")
    images, numbers = read_idx(path), read_idx(labels[0])
    if images.ndim != 3 or len(images) != len(numbers):
        raise LimnerError(
            f"{path} holds {len(images)} pictures and {labels[0].name} {len(numbers)} labels: get both anew"
        )
    return Found(list(torch.from_numpy(images)[:, None]), torch.from_numpy(numbers.astype(np.int64)))
