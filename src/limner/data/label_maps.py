"""Label maps and photos of them: what a picture is made from where each pixel names a class."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from pydantic import Field
from torch import Tensor

from limner.data.alike import check_alike, check_halves
from limner.data.label_colors import Color, found_colors, is_lossy, labels_of, nearest_labels, read_colors
from limner.data.masks import (
    CLASSES_FILE,
    Byte,
    Classes,
    ClassName,
    Meaning,
    Value,
    mask_of,
    named_class,
    read_classes,
    read_mask,
)
from limner.data.photo_cache import PhotoCache
from limner.data.segmented import SegmentedConfig
from limner.data.source import DataConfig
from limner.errors import LimnerError
from limner.files.image import read_image
from limner.files.visible import visible_tensor
from limner.ops.resample import imresize
from limner.types import Image


class LabelMapped(NamedTuple):
    """A batch of label maps and of the photos that they were drawn from.

    Attributes:
        label: The number of each pixel's class.
        edges: 1 where a neighbour belongs to another object; no channel (e = 0) where objects are not told apart.
        photo: In [0, 1].
    """

    label: Int[Tensor, "n 1 h w"]
    edges: Float[Tensor, "n e h w"]
    photo: Float[Tensor, "n 3 h w"]

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        """What the system's forward pass is given, beside what it draws itself."""
        return (self.label, self.edges) if self.edges.shape[-3] else (self.label,)


class MapPlace(NamedTuple):
    """The files of one sample; a photo and its labels may be halves of one."""

    photo: Path
    labels: Path
    instances: Path | None = None


class LabelMapsConfig(DataConfig):
    """Where photos and label maps lie, what these mean, and how samples are drawn from them."""

    label_half: Literal["left", "right"] | None = Field(
        None, description="the half of each picture that holds its labels; None: photos and labels lie in two folders"
    )
    images: str = Field("images", description="the folder of the photos, or a pattern such as *_photo.jpg")
    masks: str | None = Field(
        None, description="the folder of the labels, or a pattern whose * is the photo's; None looks for one"
    )
    instances: str | None = Field(
        None, description="the folder of pictures that number objects, or such a pattern, for the edges between them"
    )
    meaning: Meaning = Field("values", description="of the pixels of labels in folders; halves have colors")
    ignore: tuple[Value, ...] = Field((), description="values or colours of labels that share one more class, unknown")
    colors: tuple[tuple[Byte, Byte, Byte], ...] = Field(
        (), description="of the classes, in their order; without any those of classes.toml, or those that are found"
    )
    names: tuple[str, ...] = Field((), description="of the classes, in their order")
    height: int = Field(256, ge=4, description="rows of a sample")
    width: int = Field(256, ge=4, description="columns of a sample")
    jitter: int = Field(30, ge=0, description="pixels that both sides have more before a sample is cut out at random")
    mirror: bool = Field(True, description="mirror at random")

    def facts(self, place: Path) -> Mapping[str, Any]:
        """The classes, and whether the edges of objects are told."""
        classes = self.classes(place)
        known = [*classes.classes, *([_unknown(classes)] if classes.ignored else [])]
        facts: dict[str, Any] = {
            "num_classes": len(known),
            "class_names": [one.name for one in known],
            "class_colors": [list(one.color) for one in known],
        }
        return facts | ({"instance_edges": True} if self.instances else {})

    def classes(self, place: Path) -> Classes:
        """What is configured, else what `classes.toml` names, else what the label maps hold.

        Raises:
            LimnerError: If there are no label maps, or their colours are no classes.
        """
        if self.meaning == "instances":
            raise LimnerError("label maps name classes: pass --set data.meaning=values or colors, got instances")
        if not self.label_half and self.meaning == "values":
            return self._folders.classes(place)
        if not self.colors and (named := place / CLASSES_FILE).is_file():
            return read_classes(named, "colors", self.ignore)
        chosen = self.colors or self._found_colors(place)
        kept = [color for color in chosen if color not in self.ignore]
        found = Classes(tuple(named_class(number, color) for number, color in enumerate(kept)), "colors", self.ignore)
        return found.named(self.names) if self.names else found

    @property
    def _folders(self) -> SegmentedConfig:
        """How the folders of photos and labels are read."""
        return SegmentedConfig(
            images=self.images, masks=self.masks, meaning=self.meaning, ignore=self.ignore, names=self.names
        )

    def _found_colors(self, place: Path) -> tuple[Color, ...]:
        paths = [one.labels for one in self.places(place)]
        pictures = (self.half_of(read_colors(path), labels=True) for path in paths)
        return found_colors(pictures, lossy=any(map(is_lossy, paths)))

    def half_of(self, pixels: np.ndarray, *, labels: bool) -> np.ndarray:
        """The labels of a picture, or its photo; all of it, where it is not halved."""
        if self.label_half is None:
            return pixels
        left, right = np.split(pixels, 2, axis=1)
        return left if (self.label_half == "left") == labels else right

    def places(self, place: Path) -> list[MapPlace]:
        """The files of all samples.

        Raises:
            LimnerError: If there are none, a photo has no labels, or these have another size.
        """
        if self.label_half:
            found = [MapPlace(path, path) for path in self._pictures_in_halves(place)]
            check_halves([one.photo for one in found])
            return found
        pairs = self._folders.pairs(place)
        numbered = dict(
            SegmentedConfig(images=self.images, masks=self.instances).pairs(place) if self.instances else ()
        )
        found = [MapPlace(photo, mask, numbered.get(photo)) for photo, mask in pairs]
        check_alike([(one.photo, one.labels) for one in found])
        return found

    def _pictures_in_halves(self, place: Path) -> list[Path]:
        everything = self.model_copy(update={"held_out": 0.0, "part": "training"})
        return DataConfig.pictures(everything, place)

    def files(self, place: Path) -> list[Path]:
        """The photos, the labels and the pictures that number objects."""
        return list(dict.fromkeys(path for one in self.places(place) for path in one if path is not None))

    def pictures(self, folder: Path) -> list[Path]:
        """The photos that are read."""
        places = self.places(folder)
        return [places[number].photo for number in self.chosen(len(places))]

    def load(self, place: Path, *, memory: int | None = None) -> "LabelledPhotos":
        """The label maps and photos of a folder.

        Raises:
            LimnerError: If there are none, or they do not fit each other.
        """
        places, classes = self.places(place), self.classes(place)
        chosen = [places[number] for number in self.chosen(len(places))]
        told = bool(self.colors) or (place / CLASSES_FILE).is_file()
        return LabelledPhotos(chosen, classes, self, told=told, memory=memory)

    def read(self, place: Path, *, resized: bool = True) -> list[LabelMapped]:
        """Whole samples (c, h, w): at the configured sides, or as large as their files.

        Raises:
            LimnerError: If there are none, or they do not fit each other.
        """
        samples = self.load(place)
        size = (self.height, self.width) if resized else None
        return [samples.whole(number, size) for number in range(len(samples))]


def _unknown(classes: Classes) -> ClassName:
    """The class of what is to be ignored, under its colour, or a gray that is no other class's."""
    value = classes.ignored[0]
    taken = {one.color for one in classes.classes}
    grays = ((level, level, level) for level in (0, *range(255, 0, -1)))
    color = value if not isinstance(value, int) else next(gray for gray in grays if gray not in taken)
    return named_class(len(classes.classes), value, "unknown").model_copy(update={"color": color})


class LabelledPhotos:
    """Label maps and photos, resized and cropped alike, mirrored at random."""

    def __init__(
        self,
        places: Sequence[MapPlace],
        classes: Classes,
        config: LabelMapsConfig,
        *,
        told: bool = True,
        memory: int | None = None,
    ) -> None:
        """Take where samples lie; they are read when they are drawn.

        Args:
            places: Of the files.
            classes: What label maps mean.
            config: How samples are drawn.
            told: Whether the colours of the classes are told, and so all that there may be.
            memory: As for `DataConfig.load`.
        """
        self.places, self.classes, self.config, self.told = list(places), classes, config, told
        self._held = PhotoCache(self._prepared, memory)

    def __len__(self) -> int:
        """Photos."""
        return len(self.places)

    def _prepared(self, place: MapPlace) -> tuple[Tensor, ...]:
        more = self.config.jitter
        sample = self._sized(place, (self.config.height + more, self.config.width + more))
        return sample.label.to(torch.int16), sample.edges.to(torch.uint8), _bytes(sample.photo)

    def _sized(self, place: MapPlace, size: tuple[int, int] | None) -> LabelMapped:
        """A whole sample; a pixel of a label map takes the nearest one, and edges are found where it is resized."""
        photo, label = self._photo(place), self._label(place)
        objects = None if place.instances is None else torch.from_numpy(mask_of(place.instances, "values"))[None]
        if size:
            photo = imresize(photo[None], size=size)[0].clamp(0, 1)
            label = _nearest(label, size)
            objects = None if objects is None else _nearest(objects, size)
        edges = torch.zeros(0, *label.shape[-2:]) if objects is None else edges_between(objects)
        return LabelMapped(label, edges, photo)

    def _photo(self, place: MapPlace) -> Float[Tensor, "3 h w"]:
        if self.config.label_half is None:
            return visible_tensor(read_image(place.photo))[0]
        left, right = visible_tensor(read_image(place.photo))[0].chunk(2, -1)
        return right if self.config.label_half == "left" else left

    def _label(self, place: MapPlace) -> Int[Tensor, "1 h w"]:
        if self.classes.meaning == "colors":
            pixels = self.config.half_of(read_colors(place.labels), labels=True)
            known = [*self.classes.classes, *(named_class(0, value, "unknown") for value in self.classes.ignored)]
            found = self._numbers(pixels, known, place.labels)
            label = torch.from_numpy(np.minimum(found, len(self.classes.classes)))[None]
        else:
            label = read_mask(place.labels, self.classes, place.photo)
        return torch.where(label < 0, len(self.classes.classes), label)

    def _numbers(self, pixels: np.ndarray, known: Sequence[ClassName], path: Path) -> np.ndarray:
        """Colours that were found take in what is rarer; those that were told must be all."""
        if not self.told:
            return nearest_labels(pixels, known)
        return labels_of(pixels, known, str(path), nearest=is_lossy(path))

    def draw(self, index: int, rng: torch.Generator) -> LabelMapped:
        """A crop of one sample, (1, height, width), (e, height, width) and (3, height, width)."""
        label, edges, photo = self._held(self.places[index])
        top, left, mirror = (int(torch.randint(n, (), generator=rng)) for n in (*2 * [self.config.jitter + 1], 2))

        def cut(whole: Tensor) -> Tensor:
            part = whole[:, top : top + self.config.height, left : left + self.config.width]
            return part.flip(-1) if mirror and self.config.mirror else part

        return LabelMapped(cut(label).long(), cut(edges).float(), cut(photo) / 255)

    def whole(self, index: int, size: tuple[int, int] | None = None) -> LabelMapped:
        """A whole sample, of the given rows and columns, or as large as its files."""
        return self._sized(self.places[index], size)

    def shown(self, label: Int[Tensor, "1 h w"]) -> Float[Tensor, "3 h w"]:
        """A label map by the colours of its classes; what is unknown is black."""
        colors = torch.tensor([*(one.color for one in self.classes.classes), (0, 0, 0)]) / 255
        return colors[label[0]].permute(2, 0, 1)

    def sheet(self, run: Callable[..., Any], num_rows: int = 4) -> Image:
        """A picture (1, 3, h, w) of fixed samples, a row each: the label map, what `run` makes of it, the photo."""
        rows = []
        for number in range(num_rows):
            rng = torch.Generator().manual_seed(number)
            sample = self.draw(int(torch.randint(len(self), (), generator=rng)), rng)
            made = run(*(one[None] for one in sample.inputs))
            several = [one[0] for one in (made if isinstance(made, tuple) else (made,))]
            rows.append(torch.cat([self.shown(sample.label), *several, sample.photo], dim=-1))
        return torch.cat(rows, dim=-2)[None].clamp(0, 1)


def edges_between(objects: Int[Tensor, "1 h w"]) -> Float[Tensor, "1 h w"]:
    """1 where one of the four neighbours belongs to another object.

    >>> edges_between(torch.tensor([[[1, 1, 2, 2]]]))
    tensor([[[0., 1., 1., 0.]]])
    """
    edges = torch.zeros(objects.shape, dtype=torch.bool)
    down, across = objects[:, 1:] != objects[:, :-1], objects[..., 1:] != objects[..., :-1]
    edges[:, 1:] |= down
    edges[:, :-1] |= down
    edges[..., 1:] |= across
    edges[..., :-1] |= across
    return edges.float()


def _nearest(numbers: Int[Tensor, "1 h w"], size: tuple[int, int]) -> Int[Tensor, "1 H W"]:
    """The numbers at the middles of pixels of other sides."""
    rows, columns = (
        ((torch.arange(after) + 0.5) * before / after).long()
        for before, after in zip(numbers.shape[-2:], size, strict=True)
    )
    return numbers[:, rows][..., columns]


def _bytes(image: Tensor) -> Tensor:
    return (image * 255).round().to(torch.uint8)
