"""Training pairs of what goes in and what should come out, side by side in one picture or in two folders."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from limner.data.folder import pictures_named
from limner.data.photo_cache import PhotoCache
from limner.data.source import DataConfig
from limner.errors import LimnerError
from limner.files.image import read_header, read_image
from limner.files.visible import visible_tensor
from limner.ops.resample import imresize
from limner.types import Image

PairPlace: TypeAlias = tuple[Path] | tuple[Path, Path]
"""One file of two halves, or the file of what goes in and that of what should come out."""


class Pair(NamedTuple):
    """A batch of what goes in and what should come out."""

    source: Float[Tensor, "n c h w"]
    target: Float[Tensor, "n k H W"]

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        """What the system's forward pass is given."""
        return (self.source,)


class PairsConfig(DataConfig):
    """How pairs are stored, and which crops are drawn."""

    source: Literal["left", "right", "A", "B"] = Field(
        "left", description="a half of each picture, or one of two folders with pictures of the same names"
    )
    resize: int = Field(286, ge=4, description="both sides of a picture, in pixels, before it is cropped")
    patch: int = Field(256, ge=4, description="side of a crop, in pixels")
    mirror: bool = Field(True, description="mirror at random")

    def facts(self, place: Path) -> Mapping[str, Any]:
        """Both are RGB."""
        return {"in_channels": 3, "out_channels": 3}

    def load(self, place: Path, *, memory: int | None = None) -> "PicturePairs":
        """The pairs of a folder.

        Raises:
            LimnerError: If there are none, or one lacks its other half.
        """
        if self.patch > self.resize:
            raise LimnerError(f"patch must be at most resize, got {self.patch} and {self.resize}: crop less")
        return PicturePairs(self._places(place), self, memory=memory)

    def read(self, place: Path) -> list[Pair]:
        """Whole pairs (3, h, w), each as large as its files.

        Raises:
            LimnerError: If there are none, or one lacks its other half.
        """
        return [read_pair(one, swap=self.source == "right") for one in self._places(place)]

    def _places(self, place: Path) -> list[PairPlace]:
        """Where pairs lie: a picture of two halves, or two pictures."""
        if self.source in ("left", "right"):
            found = self.pictures(place)
            for path in found:
                _check_width(path, read_header(path).width)
            return [(path,) for path in found]
        other = "B" if self.source == "A" else "A"
        pairs: list[PairPlace] = []
        for path in self.pictures(place / self.source):
            found = pictures_named(place / other, path.stem)
            if not found:
                raise LimnerError(
                    f"{path} has no picture of its name in {place / other}: add it, or take this one away"
                )
            pairs.append((path, found[0]))
        return pairs


def read_pair(place: PairPlace, *, swap: bool = False) -> Pair:
    """A whole pair (3, h, w) of two files, or of the halves of one, of which the right one comes first with `swap`.

    Raises:
        LimnerError: If a file cannot be read, or has no two halves.
    """
    path = place[0]
    if len(place) == 2:
        return Pair(*(visible_tensor(read_image(one))[0] for one in place))
    both = visible_tensor(read_image(path))[0]
    _check_width(path, both.shape[-1])
    left, right = both.chunk(2, dim=-1)
    return Pair(right, left) if swap else Pair(left, right)


def _check_width(path: Path, width: int) -> None:
    if width % 2:
        raise LimnerError(f"{path}: two pictures side by side have an even width, got {width}: crop it")


class PicturePairs:
    """Pairs, resized and cropped alike, mirrored at random."""

    def __init__(self, places: Sequence[PairPlace], config: PairsConfig, *, memory: int | None = None) -> None:
        """Take where pairs lie; they are read when they are drawn, `memory` as for `DataConfig.load`."""
        self.config, self._places = config, list(places)
        self._pairs = PhotoCache(self._read, memory)

    def _read(self, place: PairPlace) -> tuple[Tensor, ...]:
        pair = read_pair(place, swap=self.config.source == "right")
        return tuple(_resized(one, self.config.resize) for one in pair)

    def __len__(self) -> int:
        """Pairs."""
        return len(self._places)

    def draw(self, index: int, rng: torch.Generator) -> Pair:
        """Two crops (3, patch, patch) of the same place, in [0, 1]."""
        patch, limit = self.config.patch, self.config.resize - self.config.patch + 1
        top, left, mirror = (int(torch.randint(n, (), generator=rng)) for n in (limit, limit, 2))

        def crop(image: Tensor) -> Tensor:
            cut = image[:, top : top + patch, left : left + patch] / 255
            return cut.flip(-1) if mirror and self.config.mirror else cut

        return Pair(*map(crop, self._pairs(self._places[index])))

    def sheet(self, run: Callable[[Tensor], Tensor], num_rows: int = 4) -> Image:
        """A picture (1, 3, h, w) of fixed crops, a row each: the source, what `run` makes of it, the target."""
        rows = []
        for number in range(num_rows):
            rng = torch.Generator().manual_seed(number)
            pair = self.draw(int(torch.randint(len(self), (), generator=rng)), rng)
            rows.append(torch.cat([pair.source, run(pair.source[None])[0], pair.target], dim=-1))
        return torch.cat(rows, dim=-2)[None].clamp(0, 1)


def _resized(image: Tensor, side: int) -> Tensor:
    return (imresize(image[None], size=(side, side))[0].clamp(0, 1) * 255).round().to(torch.uint8)
