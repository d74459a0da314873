"""Training pairs of what goes in and what should come out.

They lie side by side in one picture or in two folders, what goes in may be label pictures, or is made from photos.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from limner.data.alike import check_alike, check_halves, first_of
from limner.data.derived import CHANNELS, Derivation, derived
from limner.data.folder import find_images, pictures_named
from limner.data.label_maps import LabelledPhotos, LabelMapsConfig
from limner.data.masks import Byte
from limner.data.photo_cache import PhotoCache
from limner.data.sampler import Samples
from limner.data.source import DataConfig, TrainingData
from limner.errors import LimnerError
from limner.files.image import read_header, read_image
from limner.files.picture import Picture, alpha_tensor
from limner.files.visible import visible_tensor
from limner.ops.resample import imresize
from limner.types import Image

PairPlace: TypeAlias = tuple[Path] | tuple[Path, Path]
"""One file of two halves, or the file of what goes in and that of what should come out."""

_RANDOM = ("mask-holes", "noise")


class Pair(NamedTuple):
    """A batch of what goes in and what should come out."""

    source: Float[Tensor, "n c h w"]
    target: Float[Tensor, "n k H W"]

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        """What the system's forward pass is given."""
        return (self.source,)

    @property
    def source_as_target(self) -> Float[Tensor, "n k H W"]:
        """What goes in with as many channels as what should come out: the baseline of every measurement."""
        before, after = self.source.shape[-3], self.target.shape[-3]
        if before == 1 or before == after:
            return self.source.expand_as(self.target)
        color = self.source[..., :3, :, :]
        if after == 4:
            return torch.cat([color, torch.ones_like(color[..., :1, :, :])], -3)
        return color if after == 3 else color.mean(-3, keepdim=True)


class PairsConfig(DataConfig):
    """How pairs are stored or made, and which crops are drawn."""

    source: Literal["left", "right", "A", "B"] = Field(
        "left", description="a half of each picture, or one of two folders with pictures of the same names"
    )
    derive: Derivation | None = Field(None, description="what goes in is made so from plain photos, which come out")
    labels: Literal["values", "colors"] | None = Field(
        None, description="what goes in are label pictures, whose pixels have the value or the color of a class"
    )
    colors: tuple[tuple[Byte, Byte, Byte], ...] = Field(
        (), description="of the classes; without any those of classes.toml, or those that are found"
    )
    names: tuple[str, ...] = Field((), description="of the classes, in the order of their colors")
    resize: int = Field(286, ge=4, description="sides of a pair, or the shorter one of a photo, before it is cropped")
    patch: int = Field(256, ge=4, description="side of a crop, in pixels")
    mirror: bool = Field(True, description="mirror at random")

    def facts(self, place: Path) -> Mapping[str, Any]:
        """How many channels: 1 of gray pictures, 4 where all have transparency, else 3; and the classes of labels."""
        if self.derive:
            return {"in_channels": CHANNELS[self.derive], "out_channels": 3, "derived": self.derive}
        if self.labels:
            classes = self.label_maps.facts(place)
            return {"in_channels": 3, "out_channels": 3} | {
                key: classes[key] for key in ("class_names", "class_colors")
            }
        first, second = self._channels(place)
        return {"in_channels": first, "out_channels": second}

    @property
    def label_maps(self) -> LabelMapsConfig:
        """The same data as label maps and photos."""
        halves = self.source if self.source in ("left", "right") else None
        return LabelMapsConfig.parse(
            {
                "label_half": halves, "images": self._other, "masks": self.source, "meaning": self.labels or "colors",
                "colors": self.colors, "names": self.names, "height": self.patch, "width": self.patch,
                "jitter": self.resize - self.patch, "mirror": self.mirror,
                "held_out": self.held_out, "part": self.part,
            }
        )  # fmt: skip

    @property
    def _other(self) -> str:
        return "B" if self.source == "A" else "A"

    def load(self, place: Path, *, memory: int | None = None) -> TrainingData:
        """The pairs of a folder.

        Raises:
            LimnerError: If there are none, or they do not fit each other.
        """
        if self.patch > self.resize:
            raise LimnerError(f"patch must be at most resize, got {self.patch} and {self.resize}: crop less")
        if self.labels:
            return LabelPairs(self.label_maps.load(place, memory=memory))
        if self.derive:
            return DerivedPairs(self.pictures(place), self.derive, self, memory=memory)
        return PicturePairs(self._chosen(place), self._channels(place), self, memory=memory)

    def read(self, place: Path) -> list[Pair]:
        """Whole pairs (c, h, w), each as large as its files.

        Raises:
            LimnerError: If there are none, or they do not fit each other.
        """
        if self.labels:
            maps = self.label_maps.load(place)
            return [Pair(maps.shown(one.label), one.photo) for one in map(maps.whole, range(len(maps)))]
        if self.derive:
            photos = [visible_tensor(read_image(path))[0] for path in self.pictures(place)]
            return [Pair(derived(photo, self.derive, _rng(number)), photo) for number, photo in enumerate(photos)]
        channels = self._channels(place)
        return [read_pair(one, channels, swap=self.source == "right")[0] for one in self._chosen(place)]

    def _channels(self, place: Path) -> tuple[int, int]:
        """Of what goes in and of what comes out, those that are held out too."""
        places = self.places(place)
        return _channels(one[0] for one in places), _channels(one[-1] for one in places)

    def _chosen(self, place: Path) -> list[PairPlace]:
        places = self.places(place)
        return [places[number] for number in self.chosen(len(places))]

    def places(self, place: Path) -> list[PairPlace]:
        """Where pairs lie: a picture of two halves, or two pictures.

        Raises:
            LimnerError: If there are none, one lacks its partner, or this has other sides; the first three are named.
        """
        if self.source in ("left", "right"):
            found = find_images(place)
            check_halves(found)
            return [(path,) for path in found]
        first, second = place / self.source, place / self._other
        pairs = [(path, _named(second, path)) for path in find_images(first)]
        lonely = [path for path, other in pairs if other is None]
        lonely += [path for path in find_images(second) if _named(first, path) is None]
        if lonely:
            raise LimnerError(
                f"each picture of {first} must have one of its name in {second} and the reverse, got {len(lonely)} "
                f"without: {first_of([str(path) for path in lonely])}: add what is missing, or take these away"
            )
        whole = [(path, other) for path, other in pairs if other is not None]
        check_alike(whole)
        return list(whole)


def _named(folder: Path, path: Path) -> Path | None:
    return next(iter(pictures_named(folder, path.stem)), None)


def _rng(number: int) -> torch.Generator:
    return torch.Generator().manual_seed(number)


def _channels(paths: Iterable[Path]) -> int:
    modes = {read_header(path).mode for path in paths}
    if all(mode.endswith(("+alpha", "RGBA")) for mode in modes):
        return 4
    return 1 if all(mode == "gray" for mode in modes) else 3


def read_pair(place: PairPlace, channels: tuple[int, int] = (3, 3), *, swap: bool = False) -> tuple[Pair, bool]:
    """A whole pair (c, h, w) of two files, or of the halves of one, of which the right one comes first with `swap`.

    Args:
        place: The file or the files.
        channels: Of what goes in and of what comes out: 1, 3, or 4 with transparency.
        swap: Whether the right half goes in.

    Returns:
        The pair, and whether it has more than 8 bits.

    Raises:
        LimnerError: If a file cannot be read, or has no two halves.
    """
    pictures = [read_image(path) for path in place]
    is_deep = any(one.bit_depth > 8 for one in pictures)
    if len(pictures) == 2:
        return Pair(*(_as(one, number) for one, number in zip(pictures, channels, strict=True))), is_deep
    check_halves(place)
    left, right = _as(pictures[0], channels[0]).chunk(2, dim=-1)
    return (Pair(right, left) if swap else Pair(left, right)), is_deep


def _as(picture: Picture, channels: int) -> Float[Tensor, "c h w"]:
    image, alpha = visible_tensor(picture)[0], alpha_tensor(picture)
    if channels == 4:
        return torch.cat([image, torch.ones(1, *image.shape[1:]) if alpha is None else alpha[0]])
    return image[:channels]


class PicturePairs:
    """Pairs, resized and cropped alike, mirrored at random."""

    def __init__(
        self,
        places: Sequence[PairPlace],
        channels: tuple[int, int],
        config: PairsConfig,
        *,
        memory: int | None = None,
    ) -> None:
        """Take where pairs lie and their channels; they are read when drawn, `memory` as for `DataConfig.load`."""
        self.config, self.channels, self._places = config, channels, list(places)
        self._pairs = PhotoCache(self._read, memory)

    def _read(self, place: PairPlace) -> tuple[Tensor, ...]:
        pair, is_deep = read_pair(place, self.channels, swap=self.config.source == "right")
        return tuple(_held(_resized(one, (self.config.resize,) * 2), is_deep) for one in pair)

    def __len__(self) -> int:
        """Pairs."""
        return len(self._places)

    def draw(self, index: int, rng: torch.Generator) -> Pair:
        """Two crops (c, patch, patch) of the same place, in [0, 1]."""
        source, target = self._pairs(self._places[index])
        cut = drawn_crop(source.shape, self.config, rng)
        return Pair(_unit(cut(source)), _unit(cut(target)))

    def sheet(self, run: Callable[[Tensor], Tensor], num_rows: int = 4) -> Image:
        """A picture (1, 3, h, w) of fixed crops, a row each: the source, what `run` makes of it, the target."""
        return sheet_of(self, run, num_rows)


class DerivedPairs:
    """Crops of photos, mirrored at random, and what is made of them to go in."""

    def __init__(
        self, paths: Sequence[Path], derivation: Derivation, config: PairsConfig, *, memory: int | None = None
    ) -> None:
        """Take photos; they are read when they are drawn, `memory` as for `DataConfig.load`."""
        self.paths, self.derivation, self.config = list(paths), derivation, config
        self._photos = PhotoCache(self._read, memory)

    def _read(self, path: Path) -> tuple[Tensor, ...]:
        """A photo by its shorter side, and what is made of the whole of it, if that is no matter of chance."""
        picture = read_image(path)
        scale = self.config.resize / min(picture.height, picture.width)
        sides = [max(self.config.resize, round(scale * side)) for side in (picture.height, picture.width)]
        photo = _resized(visible_tensor(picture)[0], (sides[0], sides[1]))
        both = [photo] if self.derivation in _RANDOM else [photo, derived(photo, self.derivation)]
        return tuple(_held(one, picture.bit_depth > 8) for one in both)

    def __len__(self) -> int:
        """Photos."""
        return len(self.paths)

    def draw(self, index: int, rng: torch.Generator) -> Pair:
        """What goes in (c, patch, patch), and the crop of a photo, in [0, 1]."""
        photo, *source = self._photos(self.paths[index])
        cut = drawn_crop(photo.shape, self.config, rng)
        target = _unit(cut(photo))
        return Pair(_unit(cut(source[0])) if source else derived(target, self.derivation, rng), target)

    def sheet(self, run: Callable[[Tensor], Tensor], num_rows: int = 4) -> Image:
        """A picture (1, 3, h, w) of fixed crops, a row each: what goes in, what `run` makes of it, the photo."""
        return sheet_of(self, run, num_rows)


class LabelPairs:
    """Label maps by the colours of their classes, and photos."""

    def __init__(self, maps: LabelledPhotos) -> None:
        """Take label maps and photos."""
        self.maps = maps

    def __len__(self) -> int:
        """Photos."""
        return len(self.maps)

    def draw(self, index: int, rng: torch.Generator) -> Pair:
        """Two crops (3, patch, patch) of the same place, in [0, 1]."""
        sample = self.maps.draw(index, rng)
        return Pair(self.maps.shown(sample.label), sample.photo)

    def sheet(self, run: Callable[[Tensor], Tensor], num_rows: int = 4) -> Image:
        """A picture (1, 3, h, w) of fixed crops, a row each: the labels, what `run` makes of them, the photo."""
        return sheet_of(self, run, num_rows)


def drawn_crop(shape: Sequence[int], config: PairsConfig, rng: torch.Generator) -> Callable[[Tensor], Tensor]:
    """A way to cut the same part out of several (c, h, w), mirrored or not."""
    limits = (shape[-2] - config.patch + 1, shape[-1] - config.patch + 1, 2)
    top, left, mirror = (int(torch.randint(limit, (), generator=rng)) for limit in limits)

    def cut(image: Tensor) -> Tensor:
        part = image[:, top : top + config.patch, left : left + config.patch]
        return part.flip(-1) if mirror and config.mirror else part

    return cut


def sheet_of(samples: Samples, run: Callable[[Tensor], Tensor], num_rows: int) -> Image:
    """Fixed samples of pairs, a row each: what goes in, what `run` makes of it, what should come out."""
    rows = []
    for number in range(num_rows):
        rng = _rng(number)
        pair: Pair = samples.draw(int(torch.randint(len(samples), (), generator=rng)), rng)
        rows.append(torch.cat([as_rgb(one) for one in (pair.source, run(pair.source[None])[0], pair.target)], dim=-1))
    return torch.cat(rows, dim=-2)[None].clamp(0, 1)


def as_rgb(image: Float[Tensor, "c h w"]) -> Float[Tensor, "3 h w"]:
    """A picture of 1, 3 or 4 channels as people see it: what is transparent is white.

    >>> as_rgb(torch.zeros(4, 1, 1)).flatten()
    tensor([1., 1., 1.])
    """
    if image.shape[0] == 4:
        return image[:3] * image[3:] + 1 - image[3:]
    return image.expand(3, -1, -1)


def _resized(image: Tensor, size: tuple[int, int]) -> Tensor:
    return imresize(image[None], size=size)[0].clamp(0, 1)


def _held(image: Tensor, is_deep: bool) -> Tensor:
    """Bytes, unless that would lose bits."""
    return image if is_deep else (image * 255).round().to(torch.uint8)


def _unit(image: Tensor) -> Tensor:
    return image / 255 if image.dtype == torch.uint8 else image
