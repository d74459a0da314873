"""Training pictures of two kinds without pairs: two folders, or the halves of pictures taken apart."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, TypeAlias

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from limner.data.folder import find_images, is_picture
from limner.data.photo_cache import PhotoCache
from limner.data.source import DataConfig
from limner.errors import LimnerError
from limner.files.image import alpha_tensor, read_header, read_image, to_tensor
from limner.files.tree import files_below
from limner.ops.resample import imresize
from limner.ops.transparency import over
from limner.types import Image

Half: TypeAlias = Literal["whole", "left", "right"]
Place: TypeAlias = tuple[Path, Half]
"""A file, and what of it is one picture."""

Level: TypeAlias = Annotated[int, Field(ge=0, le=255)]
"""Of a colour."""

_NAMES = (("trainA", "trainB"), ("A", "B"))


class Unpaired(NamedTuple):
    """A batch of pictures of either kind, in [0, 1]; the first of one has nothing to do with the first of the other."""

    a: Float[Tensor, "n 3 h w"]
    b: Float[Tensor, "n 3 h w"]

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        """What the system's forward pass is given."""
        return (self.a, self.b)


class UnpairedConfig(DataConfig):
    """Where the two kinds lie, and which crops are drawn."""

    layout: Literal["folders", "halves"] = Field(
        "folders", description="a folder for each kind, or pictures whose left half is A and whose right half is B"
    )
    a: str | None = Field(None, description="folder of A; without it trainA, A, or the first of two folders")
    b: str | None = Field(None, description="folder of B; without it trainB, B, or the second of two folders")
    resize: int = Field(286, ge=4, description="both sides of a picture, in pixels, before it is cropped")
    patch: int = Field(256, ge=4, description="side of a crop, in pixels")
    mirror: bool = Field(True, description="mirror at random")
    background: tuple[Level, Level, Level] = Field((255, 255, 255), description="R, G and B behind what is transparent")

    def facts(self, place: Path) -> Mapping[str, Any]:
        """What the two kinds are called: their folders, without `train` before the name; and the background."""
        folders = () if self.layout == "halves" else self._folders(place)
        names = tuple(folder.name.removeprefix("train") or folder.name for folder in folders)
        return {"domains": names or ("left", "right"), "background": self.background}

    def files(self, place: Path) -> list[Path]:
        """The pictures of both kinds.

        Raises:
            LimnerError: If there are not two kinds.
        """
        return list(dict.fromkeys(path for places in self._all(place) for path, _ in places))

    def pictures(self, folder: Path) -> list[Path]:
        """The pictures that are read; none if there are none of one kind."""
        both = self._places(folder)
        return [path for places in both for path, _ in places] if all(both) else []

    def load(self, place: Path, *, memory: int | None = None) -> "UnpairedPictures":
        """The pictures of both kinds.

        Raises:
            LimnerError: If there are not two kinds, or of one there are none.
        """
        if self.patch > self.resize:
            raise LimnerError(f"patch must be at most resize, got {self.patch} and {self.resize}: crop less")
        both = self._places(place)
        if not all(both):
            raise LimnerError(f"{place} leaves no pictures of one kind to read: add some, or change data.held_out")
        return UnpairedPictures(*both, self, memory=memory)

    def _places(self, place: Path) -> tuple[list[Place], list[Place]]:
        """Of either kind, those that are held out or the others."""
        first, second = ([places[number] for number in self.chosen(len(places))] for places in self._all(place))
        return first, second

    def _all(self, place: Path) -> tuple[list[Place], list[Place]]:
        if self.layout == "folders":
            first, second = ([(path, "whole") for path in find_images(one)] for one in self._folders(place))
            return first, second  # type: ignore[return-value]  # "whole" is a str to mypy
        found = find_images(place)
        for path in found:
            if (width := read_header(path).width) % 2:
                raise LimnerError(f"{path}: two pictures side by side have an even width, got {width}: crop it")
        return [(path, "left") for path in found], [(path, "right") for path in found]

    def _folders(self, place: Path) -> tuple[Path, Path]:
        """Those of A and B."""
        if (self.a is None) != (self.b is None):
            raise LimnerError("data.a and data.b are given both or neither, got one: name the other folder too")
        if self.a is not None and self.b is not None:
            return place / self.a, place / self.b
        for first, second in _NAMES:
            if (place / first).is_dir() and (place / second).is_dir():
                return place / first, place / second
        found = sorted(one for one in place.iterdir() if _holds_pictures(one)) if place.is_dir() else []
        if len(found) != 2:
            raise LimnerError(
                f"{place} must hold two folders of pictures, one for each kind, got {len(found)}: name them trainA and "
                "trainB, or pass --set data.a=FOLDER --set data.b=FOLDER"
            )
        return found[0], found[1]


def _holds_pictures(folder: Path) -> bool:
    return folder.is_dir() and not folder.name.startswith(".") and any(map(is_picture, files_below(folder)))


def read_over(path: Path, background: Sequence[int]) -> Image:
    """A picture (1, 3, h, w) in [0, 1], with R, G and B in 0..255 behind what is transparent.

    Raises:
        LimnerError: If it cannot be read.
    """
    picture = read_image(path)
    image, alpha = to_tensor(picture), alpha_tensor(picture)
    return image if alpha is None else over(image, alpha, background)


class UnpairedPictures:
    """Pictures of two kinds, resized, cropped and mirrored at random, each for itself."""

    def __init__(
        self, a: Sequence[Place], b: Sequence[Place], config: UnpairedConfig, *, memory: int | None = None
    ) -> None:
        """Take where pictures lie; they are read when they are drawn, `memory` as for `DataConfig.load`."""
        self.config, self._a, self._b = config, list(a), list(b)
        self._pictures = PhotoCache(self._read, memory)

    def _read(self, place: Place) -> Tensor:
        path, half = place
        image = read_over(path, self.config.background)
        if half != "whole":
            image = image.chunk(2, dim=-1)[half == "right"]
        sized = imresize(image, size=(self.config.resize, self.config.resize))[0]
        return (sized.clamp(0, 1) * 255).round().to(torch.uint8)

    def __len__(self) -> int:
        """Pictures of the kind that has more."""
        return max(len(self._a), len(self._b))

    def draw(self, index: int, rng: torch.Generator) -> Unpaired:
        """Two crops (3, patch, patch) in [0, 1]: the one of the larger kind goes by `index`, the other by chance."""
        chance = int(torch.randint(min(len(self._a), len(self._b)), (), generator=rng))
        first, second = (index, chance) if len(self._a) >= len(self._b) else (chance, index)
        return Unpaired(self._crop(self._a[first], rng), self._crop(self._b[second], rng))

    def _crop(self, place: Place, rng: torch.Generator) -> Tensor:
        patch, limit = self.config.patch, self.config.resize - self.config.patch + 1
        top, left, mirror = (int(torch.randint(n, (), generator=rng)) for n in (limit, limit, 2))
        cut = self._pictures(place)[:, top : top + patch, left : left + patch] / 255
        return cut.flip(-1) if mirror and self.config.mirror else cut

    def sheet(self, run: Callable[..., Any], num_rows: int = 6) -> Image:
        """A picture (1, 3, h, w) of fixed crops, a row each: of A and then of B the source, and what `run` makes.

        Args:
            run: From both to what comes of A, then as many pictures of what comes of B.
            num_rows: Crops of either kind.
        """
        rng = torch.Generator().manual_seed(0)
        drawn = [self.draw(int(torch.randint(len(self), (), generator=rng)), rng) for _ in range(num_rows)]
        a, b = (torch.stack(one) for one in zip(*drawn, strict=True))
        made = run(a, b)
        of_a, of_b = made[: len(made) // 2], made[len(made) // 2 :]
        rows = torch.cat([a, *of_a, b, *of_b], dim=-1)
        return torch.cat(list(rows), dim=-2)[None].clamp(0, 1)
