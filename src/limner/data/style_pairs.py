"""Training pairs for style transfer: a crop of a photo and one of a painting, each of its own folder."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple, Self

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from limner.data.folder import find_images
from limner.data.photo_cache import PhotoCache
from limner.data.source import DataConfig
from limner.data.varied import lit, recolored
from limner.errors import LimnerError
from limner.files.image import is_image_path
from limner.files.visible import read_source
from limner.ops.resample import imresize
from limner.types import Image


class Styled(NamedTuple):
    """A batch of what is to be painted, and of pictures whose styles it is to have."""

    source: Image
    style: Float[Tensor, "n 3 H W"]

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        """What the system's forward pass is given."""
        return (self.source, self.style)


class StylePairsConfig(DataConfig):
    """Which pairs to draw."""

    patch: int = Field(256, ge=16, multiple_of=8, description="side of a crop, in pixels")
    resize: int = Field(512, ge=16, description="of a picture's shorter side, in pixels, before it is cropped")
    styles: str | tuple[str, ...] = Field((), description="folders or files of pictures whose styles are learnt")
    without: tuple[str, ...] = Field((), description="names of files, without endings, that are kept from training")
    recolor: bool = Field(False, description="swap the colour channels of styles at random; not in the paper")
    style_patch: int | None = Field(
        None, ge=16, multiple_of=8, description="side of a crop of a style, in pixels; None: as of a content"
    )
    varied: bool = Field(
        False,
        description="resize to a random side of at most `resize`, light contents, and turn hues and tones of styles; "
        "not in the paper",
    )

    def with_styles(self, pictures: Sequence[Path]) -> Self:
        """The same with pictures whose styles are learnt."""
        return self.model_copy(update={"styles": tuple(str(path.resolve()) for path in pictures)})

    def files(self, place: Path) -> list[Path]:
        """The contents and the styles."""
        styles = (self.styles,) if isinstance(self.styles, str) else self.styles
        return [*super().files(place), *(path for style in styles for path in _pictures_at(Path(style)))]

    def load(self, folder: Path, *, memory: int | None = None) -> "StylePairs":
        """Pairs of the pictures in a folder and the styles.

        Raises:
            LimnerError: If there are no styles, or a folder holds no picture.
        """
        styles = (self.styles,) if isinstance(self.styles, str) else self.styles
        if not styles:
            raise LimnerError("style pairs need pictures of styles, got none: pass --set data.styles=FOLDER")
        found = [self._kept(_pictures_at(Path(style))) for style in styles]
        contents = self._kept(self.pictures(folder))
        return StylePairs(
            contents,
            [path for paths in found for path in paths],
            patch=self.patch,
            resize=self.resize,
            recolor=self.recolor,
            memory=memory,
            style_patch=self.style_patch,
            varied=self.varied,
        )

    def _kept(self, paths: list[Path]) -> list[Path]:
        kept = [path for path in paths if path.stem not in self.without]
        if not kept:
            raise LimnerError(f"all of {len(paths)} pictures are kept from training: leave out some of data.without")
        return kept


def _pictures_at(place: Path) -> list[Path]:
    return [place] if place.is_file() and is_image_path(place) else find_images(place)


class StylePairs:
    """Random crops of contents and of styles; styles are turned and both are mirrored at random."""

    def __init__(
        self,
        contents: Sequence[Path],
        styles: Sequence[Path],
        *,
        patch: int,
        resize: int,
        recolor: bool = False,
        memory: int | None = None,
        style_patch: int | None = None,
        varied: bool = False,
    ) -> None:
        """Take the paths; pictures are read when they are drawn.

        Args:
            contents: Pictures.
            styles: Pictures.
            patch: Side of a crop, in pixels.
            resize: Of a picture's shorter side before it is cropped, in pixels.
            recolor: Whether to swap the colour channels of styles.
            memory: As for `DataConfig.load`.
            style_patch: Side of a crop of a style, in pixels; None: as of a content.
            varied: Whether to resize to random sides, light contents, and turn hues and tones of styles.

        Raises:
            LimnerError: If a crop is larger than a picture.
        """
        self.patch, self.style_patch, self.resize = patch, style_patch or patch, resize
        if (largest := max(self.patch, self.style_patch)) > resize:
            raise LimnerError(f"patch must be at most resize, got {largest} and {resize}: crop less, or resize to more")
        self.contents, self.styles = list(contents), list(styles)
        self.recolor, self.varied = recolor, varied
        self._pictures = PhotoCache(partial(read_at_shorter_side, side=resize), memory)

    def __len__(self) -> int:
        """Content pictures."""
        return len(self.contents)

    def draw(self, index: int, rng: torch.Generator) -> Styled:
        """A crop of content `index` and one of a style drawn at random, each float32 (3, side, side) in [0, 1]."""
        content = self._crop(self.contents[index], self.patch, rng, turn=False)
        style = self._crop(self.styles[_below(len(self.styles), rng)], self.style_patch, rng, turn=True)
        if self.recolor:
            style = style[torch.randperm(3, generator=rng)]
        return Styled(lit(content, rng), recolored(style, rng)) if self.varied else Styled(content, style)

    def _crop(self, path: Path, patch: int, rng: torch.Generator, *, turn: bool) -> Tensor:
        picture = self._pictures(path)
        if self.varied:
            share = float(torch.rand((), generator=rng)) ** (2 if turn else 1)  # styles are more often seen whole
            picture = _at_shorter_side(picture / 255, patch + round(share * (self.resize - patch)))
            return cropped(picture, patch, rng, turn=turn)
        return cropped(picture, patch, rng, turn=turn) / 255

    def sheet(self, run: Callable[[Tensor, Tensor], Tensor], num_rows: int = 4) -> Image:
        """A picture (1, 3, h, w) of fixed pairs, a row each: the content, the style, what `run` makes of them."""
        rows = []
        for number in range(num_rows):
            rng = torch.Generator().manual_seed(number)
            pair = self.draw(_below(len(self), rng), rng)
            painted = run(*(one[None] for one in pair.inputs))[0]
            style = pair.style[:, : self.patch, : self.patch]
            rows.append(torch.cat([pair.source, style, painted], dim=-1))
        return torch.cat(rows, dim=-2)[None].clamp(0, 1)


def cropped(picture: Tensor, patch: int, rng: torch.Generator, *, turn: bool) -> Tensor:
    """A random square of (3, h, w), mirrored and, if that is asked for, turned at random."""
    top, left = (_below(side - patch + 1, rng) for side in picture.shape[-2:])
    cut = picture[:, top : top + patch, left : left + patch]
    cut = cut.flip(-1) if _below(2, rng) else cut
    return torch.rot90(cut, _below(4, rng), (-2, -1)) if turn else cut


def read_at_shorter_side(path: Path, side: int) -> Tensor:
    """A picture as uint8 (3, h, w) with a shorter side of so many pixels."""
    return (_at_shorter_side(read_source(path)[0], side) * 255).round().to(torch.uint8)


def _at_shorter_side(picture: Tensor, side: int) -> Tensor:
    """(3, h, w) in [0, 1] with a shorter side of so many pixels."""
    height, width = picture.shape[-2:]
    scale = side / min(height, width)
    size = (max(side, round(scale * height)), max(side, round(scale * width)))
    return imresize(picture[None], size=size)[0].clamp(0, 1)


def _below(limit: int, rng: torch.Generator) -> int:
    return int(torch.randint(limit, (), generator=rng))
