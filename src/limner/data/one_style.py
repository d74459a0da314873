"""Training data for networks of one style or texture: its picture, beside crops of contents or of itself."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Self

import torch
from pydantic import Field
from torch import Tensor

from limner.data.photo_cache import PhotoCache
from limner.data.source import DataConfig
from limner.data.style_pairs import Styled, cropped, read_at_shorter_side
from limner.errors import LimnerError
from limner.files.visible import read_source
from limner.types import Image


class OneStyleConfig(DataConfig):
    """Which picture gives the style, and which crops to draw."""

    patch: int = Field(256, ge=16, multiple_of=16, description="side of what is made in training, in pixels")
    resize: int | None = Field(None, ge=16, description="of the style's shorter side, in pixels; null leaves it")
    style: str = Field(
        "", description="a picture in whose style the pictures of the data are painted; empty: a texture"
    )

    def with_styles(self, pictures: Sequence[Path]) -> Self:
        """The same with the one picture whose style is learnt."""
        if len(pictures) != 1:
            raise LimnerError(f"one style is learnt from such data, got {len(pictures)}: pass one --style")
        return self.model_copy(update={"style": str(pictures[0].resolve())})

    def files(self, place: Path) -> list[Path]:
        """The contents or the texture, and the style."""
        return super().files(place) + ([Path(self.style)] if self.style else [])

    def load(self, place: Path, *, memory: int | None = None) -> "OneStyle":
        """A texture, of the one picture at `place`; or contents, the pictures of that folder, in a style.

        Raises:
            LimnerError: If there is no picture, or there are several textures.
        """
        found = [place] if place.is_file() else self.pictures(place)
        if self.style:
            return OneStyle(found, _picture(Path(self.style), self.resize), self.patch, memory=memory)
        if len(found) > 1:
            raise LimnerError(f"a texture is learnt from one picture, got the {len(found)} in {place}: name one")
        return OneStyle([], _picture(found[0], self.resize), self.patch)


def _picture(path: Path, side: int | None) -> Tensor:
    return read_source(path)[0] if side is None else read_at_shorter_side(path, side) / 255


class OneStyle:
    """Crops of contents, mirrored at random, or of the style itself, each beside the whole picture of the style."""

    def __init__(self, contents: list[Path], style: Tensor, patch: int, *, memory: int | None = None) -> None:
        """Take the paths of contents, or none for a texture.

        Args:
            contents: Pictures; they are resized so that their shorter sides are twice the crop's.
            style: (3, h, w) in [0, 1].
            patch: Side of a crop, in pixels.
            memory: As for `DataConfig.load`.

        Raises:
            LimnerError: If the picture of a texture is smaller than a crop.
        """
        self.contents, self.style, self.patch = contents, style, patch
        self._pictures = PhotoCache(partial(read_at_shorter_side, side=2 * patch), memory)
        if not contents and min(style.shape[-2:]) < patch:
            size = f"{style.shape[-1]}x{style.shape[-2]}"
            raise LimnerError(f"a texture's picture must have {patch} pixels a side, got {size}: --set data.patch=N")

    def __len__(self) -> int:
        """Contents; 1 of a texture."""
        return max(1, len(self.contents))

    def draw(self, index: int, rng: torch.Generator) -> Styled:
        """A crop (3, patch, patch) and the style (3, h, w), float32 in [0, 1]."""
        if not self.contents:
            return Styled(cropped(self.style, self.patch, rng, turn=False), self.style)
        picture = self._pictures(self.contents[index])
        return Styled(cropped(picture, self.patch, rng, turn=False) / 255, self.style)

    def sheet(self, run: Callable[[Tensor, Tensor], Tensor], num_rows: int = 3) -> Image:
        """A picture (1, 3, h, w) of fixed crops, a row each: the crop, and what `run` makes for it."""
        rows = []
        for number in range(num_rows):
            rng = torch.Generator().manual_seed(number)
            pair = self.draw(int(torch.randint(len(self), (), generator=rng)), rng)
            rows.append(torch.cat([pair.source, run(*(one[None] for one in pair.inputs))[0]], dim=-1))
        return torch.cat(rows, dim=-2)[None].clamp(0, 1)
