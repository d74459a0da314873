"""Training batches for fast style transfer: photos cut at random from a folder, each with one of some styles."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

import torch
from jaxtyping import Float, Int
from pydantic import Field
from torch import Tensor

from limner.data.photo_cache import PhotoCache
from limner.data.source import DataConfig
from limner.data.varied import lit
from limner.errors import LimnerError
from limner.files.visible import read_source
from limner.ops.resample import imresize

_CLOSEST, _WIDEST = 1.0, 2.0  # shorter sides of photos before they are cut, in patches


class Stylization(NamedTuple):
    """A batch of photos and the style that each is to be painted in.

    Attributes:
        source: The photos.
        style: Its number; a number means the same picture in a whole run.
        style_crops: Both ends of each photo's style picture, which together show all of it that a square can.
    """

    source: Float[Tensor, "n 3 h w"]
    style: Int[Tensor, " n"]
    style_crops: Float[Tensor, "n 2 3 s s"]

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        """What the system's forward pass is given."""
        return (self.source,)


class StylizationConfig(DataConfig):
    """Which photos to draw, and in which styles."""

    styles: tuple[Path, ...] = Field((), description="pictures, in the order of the system's styles")
    patch: int = Field(256, ge=16, multiple_of=4, description="side of the photos, in pixels")
    style_size: int = Field(384, ge=16, description="shorter side of the style pictures, in pixels")

    def with_styles(self, pictures: Sequence[Path]) -> Self:
        """The same with pictures whose styles are learnt."""
        return self.model_copy(update={"styles": tuple(path.resolve() for path in pictures)})

    def facts(self, place: Path) -> Mapping[str, Any]:
        """The names of the styles, which are those of their files.

        Raises:
            LimnerError: If two files are of one name.
        """
        names = [path.stem for path in self.styles]
        if len(set(names)) < len(names):
            raise LimnerError(f"styles are named after their files, got {', '.join(names)}: rename one of them")
        return {"styles": names} if names else {}

    def files(self, place: Path) -> list[Path]:
        """The photos and the styles."""
        return [*super().files(place), *self.styles]

    def load(self, folder: Path, *, memory: int | None = None) -> "StylizationPatches":
        """The photos of a folder."""
        if not self.styles:
            raise LimnerError("training needs a style: pass --style PICTURE")
        return StylizationPatches(
            self.pictures(folder), self.styles, patch=self.patch, style_size=self.style_size, memory=memory
        )


class StylizationPatches:
    """Crops of photos at random sizes, mirrored and lit at random, and for each a style at random."""

    def __init__(
        self,
        photos: Sequence[Path],
        styles: Sequence[Path],
        *,
        patch: int,
        style_size: int,
        memory: int | None = None,
    ) -> None:
        """Load the styles; photos are read when they are drawn.

        Args:
            photos: At least one.
            styles: At least one picture.
            patch: Side of the crops, in pixels.
            style_size: The shorter side of the styles, in pixels.
            memory: As for `DataConfig.load`.

        Raises:
            LimnerError: If a picture cannot be read.
        """
        self.patch = patch
        self._paths, self._photos = list(photos), PhotoCache(self._read, memory)
        self._styles = [squares_of(read(path), style_size) for path in styles]

    def _read(self, path: Path) -> Tensor:
        return _bytes(_shrunk(read(path), self.patch))

    def __len__(self) -> int:
        """Photos."""
        return len(self._paths)

    def draw(self, index: int, rng: torch.Generator) -> Stylization:
        """A crop (3, patch, patch) in [0, 1], the number of a style, and both ends of that style's picture."""
        photo = self._photos(self._paths[index]).float() / 255
        least = self.patch / min(photo.shape[-2:])
        scale = least * float(_CLOSEST + (min(_WIDEST, 1 / least) - _CLOSEST) * torch.rand((), generator=rng))
        sides = [max(self.patch, round(scale * side)) for side in photo.shape[-2:]]
        photo = imresize(photo[None], size=(sides[0], sides[1]))[0].clamp(0, 1)
        top, left = (int(torch.randint(side - self.patch + 1, (), generator=rng)) for side in sides)
        crop = lit(photo[:, top : top + self.patch, left : left + self.patch], rng)
        style = torch.randint(len(self._styles), (), generator=rng)
        mirrored = crop.flip(-1) if torch.rand((), generator=rng) < 0.5 else crop  # a coin
        return Stylization(mirrored.contiguous(), style, self._styles[int(style)])

    def sheet(self, run: Callable[[Tensor], Tensor], num_crops: int = 4) -> Tensor:
        """A picture (1, 3, h, w) of fixed crops, a row each: the photo, and what `run` makes of it."""
        rows = []
        for number in range(num_crops):
            rng = torch.Generator().manual_seed(number)
            photo = self.draw(int(torch.randint(len(self), (), generator=rng)), rng).source
            rows.append(torch.cat([photo, run(photo[None])[0]], dim=-1))
        return torch.cat(rows, dim=-2)[None].clamp(0, 1)


def read(path: Path) -> Tensor:
    """RGB (3, h, w) in [0, 1]."""
    return read_source(path)[0]


def _shrunk(photo: Tensor, patch: int) -> Tensor:
    """With a shorter side of between one and two patches."""
    shorter = min(photo.shape[-2:])
    scale = max(_CLOSEST, min(_WIDEST, shorter / patch)) * patch / shorter
    sides = [max(patch, round(scale * side)) for side in photo.shape[-2:]]
    return imresize(photo[None], size=(sides[0], sides[1]))[0].clamp(0, 1) if scale != 1 else photo


def _bytes(photo: Tensor) -> Tensor:
    return (photo * 255).round().to(torch.uint8)


def squares_of(style: Tensor, size: int) -> Tensor:
    """The first and the last square of a picture (3, h, w) with a shorter side of `size`: (2, 3, size, size)."""
    height, width = style.shape[-2:]
    scale = size / min(height, width)
    sides = max(size, round(scale * height)), max(size, round(scale * width))
    resized = imresize(style[None], size=sides)[0].clamp(0, 1)
    return torch.stack([resized[:, :size, :size], resized[:, -size:, -size:]])
