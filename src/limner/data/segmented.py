"""Pictures with a mask each, bent and lit at random: what segmentation is learnt from."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from pydantic import Field
from torch import Tensor

from limner.data.folder import find_images, is_picture, pictures_named
from limner.data.masks import CLASSES_FILE, Classes, ClassName, Meaning, Value, found_classes, read_classes, read_mask
from limner.data.source import DataConfig
from limner.errors import LimnerError
from limner.files.bands import bands_of, read_bands
from limner.files.image import read_header, read_image
from limner.files.visible import visible_tensor
from limner.metrics.segmentation import objects_of
from limner.ops.border_weights import border_weights, cores_of, separated
from limner.ops.color import shown_photo
from limner.ops.elastic import Places, displacements, fetch, turned
from limner.types import Image

BORDER = ClassName(name="border", color=(86, 180, 233), value=2)
"""The class of the pixels along the outlines of objects."""

_FOLDERS = ("labels", "masks", "instances", "annotations", "segmentations")


class Segmented(NamedTuple):
    """A batch of pictures in [0, 1], the classes of their pixels, and what each pixel counts."""

    image: Float[Tensor, "n c h w"]
    label: Int[Tensor, "n 1 h w"]
    weight: Float[Tensor, "n 1 h w"]

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        """What the system's forward pass is given."""
        return (self.image,)


class Marked(NamedTuple):
    """One whole picture of the training data.

    Attributes:
        image: (c, h, w) uint8 or uint16, as its file has.
        label: (1, h, w), the number of a class, -1 where it is not told.
        weight: (1, h, w).
    """

    image: Tensor
    label: Tensor
    weight: Tensor

    @property
    def picture(self) -> Float[Tensor, "c h w"]:
        """The image as floats in [0, 1]."""
        return self.image.to(torch.float32) / torch.iinfo(self.image.dtype).max


class SegmentedConfig(DataConfig):
    """Where pictures and masks lie, what masks mean, and how samples are drawn from them."""

    images: str = Field("images", description="the folder of the pictures, or a pattern such as *_photo.jpg")
    masks: str | None = Field(
        None,
        description="their folder, a pattern whose * is the picture's, or a file of COCO; None looks for one",
    )
    meaning: Meaning = Field("values", description="of the pixels of a mask")
    ignore: tuple[Value, ...] = Field((), description="values or colours of masks that mean nothing")
    names: tuple[str, ...] = Field((), description="of the classes, in the order of their values")
    patch: int = Field(256, ge=16, description="sides of a sample, in pixels")
    crops: int = Field(1, ge=1, description="samples of each picture in an epoch")
    elastic: float = Field(10.0, ge=0, description="deviation in pixels of the vectors of a 3x3 grid on a sample")
    rotate: float = Field(180.0, ge=0, le=180, description="degrees of the largest turn")
    scale: float = Field(0.0, ge=0, lt=1, description="largest share that things grow or shrink by")
    mirror: bool = Field(True, description="mirror at random")
    gray: float = Field(0.1, ge=0, lt=1, description="deviation of brightness, and of the logarithm of contrast")
    exposure: float = Field(0.0, ge=0, description="deviation of the logarithm of a factor of all gray values")
    gamma: float = Field(0.0, ge=0, description="deviation of the logarithm of a power of all gray values")
    noise: float = Field(0.0, ge=0, description="largest deviation of noise on a sample")
    class_weights: bool = Field(False, description="w_c: each class counts alike, however many pixels it has")
    border_weight: float = Field(
        0.0,
        ge=0,
        description="w_0 of equation 2, between objects: numbered ones, or connected parts of classes above 0",
    )
    border_deviation: float = Field(5.0, gt=0, description="sigma of equation 2, in pixels")
    border: int = Field(
        0, ge=0, description="pixels along the outlines of numbered objects that are a class of their own and part them"
    )

    def facts(self, place: Path) -> Mapping[str, Any]:
        """The classes that the masks have, and how many channels the pictures."""
        if self.border and self.meaning != "instances":
            raise LimnerError(
                f"data.border is of objects by number, got data.meaning={self.meaning}: pass data.meaning=instances"
            )
        classes = [*self.classes(place).classes, *[BORDER] * bool(self.border)]
        return {
            "num_classes": len(classes),
            "class_names": [one.name for one in classes],
            "class_colors": [list(one.color) for one in classes],
            "in_channels": self._channels(self.pairs(place)),
            "border": self.border,
        }

    @staticmethod
    def _channels(pairs: Sequence[tuple[Path, Path]]) -> int:
        """One if all pictures are gray, those that are held out too; of TIFFs with bands how many these have."""
        found = {path: _channels_of(path) for path, _ in pairs}
        most, least = (choose(found, key=lambda path: found[path]) for choose in (max, min))
        if found[most] != found[least] and (found[least], found[most]) != (1, 3):
            raise LimnerError(
                f"pictures must have as many channels each, got {found[least]} in {least} and {found[most]} in {most}: "
                "take one kind away"
            )
        return found[most]

    def classes(self, place: Path) -> Classes:
        """What `classes.toml` names, or else what the masks hold."""
        if (named := place / CLASSES_FILE).is_file():
            return read_classes(named, self.meaning, self.ignore)
        found = found_classes([mask for _, mask in self.pairs(place)], self.meaning, self.ignore)
        return found.named(self.names) if self.names else found

    def files(self, place: Path) -> list[Path]:
        """The pictures and the masks."""
        return list(dict.fromkeys(path for pair in self.pairs(place) for path in pair))

    def load(self, place: Path, *, memory: int | None = None) -> "SegmentedPictures":
        """All pictures, in memory.

        Raises:
            LimnerError: If there are none, one has no mask, or one of another size.
        """
        pairs, classes = self.pairs(place), self.classes(place)
        learnt, channels = [pairs[number] for number in self.chosen(len(pairs))], self._channels(pairs)
        if not learnt:
            raise LimnerError(f"{place} has {len(pairs)} pictures, and none is left of them: change data.held_out")
        return SegmentedPictures([self._marked(*pair, classes, channels) for pair in learnt], self, classes)

    def unseen(self, place: Path) -> list[Marked]:
        """The pictures that are held out; all where none is. The borders of objects belong to them."""
        pairs, classes = self.pairs(place), self.classes(place)
        kept = self.model_copy(update={"part": "held out"}).chosen(len(pairs)) or range(len(pairs))
        channels = self._channels(pairs)
        marked = [self._marked(*pairs[number], classes, channels) for number in kept]
        return [one._replace(label=one.label.clamp(max=1)) for one in marked] if self.border else marked

    def chosen(self, count: int) -> list[int]:
        """Which of so many pictures are read: the last are held out, for neighbours in a stack are much alike."""
        learnt = count - round(self.held_out * count)
        self.refuse_none_left(count, count - learnt)
        return list(range(learnt)) if self.part == "training" else list(range(learnt, count))

    def pictures(self, folder: Path) -> list[Path]:
        """The pictures that are read, without their masks."""
        pairs = self.pairs(folder)
        return [pairs[number][0] for number in self.chosen(len(pairs))]

    def pairs(self, place: Path) -> list[tuple[Path, Path]]:
        """Pictures and their masks.

        Raises:
            LimnerError: If there are none, or one has no mask.
        """
        images = self._images(place)
        return [(path, self._mask_of(path, place)) for path in images]

    def _images(self, place: Path) -> list[Path]:
        if "*" not in self.images:
            return find_images(place / self.images)
        if self.images.count("*") > 1:
            raise LimnerError(
                f"data.images must have one * at most, which masks share, got {self.images}: name folders"
            )
        found = sorted(path for path in place.glob(self.images) if is_picture(path))
        if not found:
            raise LimnerError(f"{place} holds no picture of the pattern {self.images}: check data.images")
        return found

    def _mask_of(self, path: Path, place: Path) -> Path:
        """The mask of the same name, in the same folder below that of all masks; or the file of polygons on all."""
        masks = self.masks or self._folder(place)
        if "*" not in masks and (place / masks).is_file():
            return place / masks
        if "*" in self.images:
            name = _starred(path.relative_to(place).as_posix(), Path(self.images).as_posix())
        else:
            name = path.relative_to(place / self.images).with_suffix("").as_posix()
        before, _, after = (masks if "*" in masks else f"{masks}/*.*").partition("*")
        wanted = f"{before}{name}{after}"
        if "*" not in wanted:
            found = [place / wanted] * (place / wanted).is_file()
        else:
            same = (place / wanted).with_suffix("")
            found = [one for one in pictures_named(same.parent, same.name) if one != path]
            found += [one for one in [same.with_name(f"{same.name}.json")] if one.is_file()]
        if not found and "*" not in masks and len(of_all := [*(place / masks).glob("*.json")]) == 1:
            found = of_all
        if not found:
            raise LimnerError(f"{path} has no mask {place / wanted}: add it, or take the picture away")
        if len(found) > 1:
            raise LimnerError(f"{path} must have one mask, got {' and '.join(map(str, found))}: take all but one away")
        return found[0]

    def _folder(self, place: Path) -> str:
        found = [name for name in _FOLDERS if (place / name).is_dir()]
        if not found and "*" not in self.images:  # polygons lie beside the folder of the pictures, or in it
            found = [path.name for path in place.glob("*.json")]
            found = found or [self.images] * any((place / self.images).glob("*.json"))
        if len(found) != 1:
            there = ", ".join(found) or "none of them"
            raise LimnerError(
                f"{place} must hold one folder of masks of {', '.join(_FOLDERS)}, or polygons, got {there}: pass "
                "--set data.masks=FOLDER"
            )
        return found[0]

    def _marked(self, path: Path, mask: Path, classes: Classes, channels: int) -> Marked:
        image = _samples(path, channels)
        label = read_mask(mask, classes, path)
        if image.shape[-2:] != label.shape[-2:]:
            sizes = [f"{one.shape[-1]}x{one.shape[-2]}" for one in (image, label)]
            raise LimnerError(f"{path} has {sizes[0]} pixels and its mask {mask} {sizes[1]}: they must be alike")
        told = label >= 0
        weight = torch.ones(label.shape)
        objects = label[0].clamp(min=0).numpy()
        if self.border:
            objects = cores_of(objects, self.border)
            label = torch.where((label > 0) & torch.from_numpy(objects == 0), 2, (label > 0).long())
        elif classes.meaning == "instances":
            objects = separated(objects)
            label = torch.from_numpy((objects > 0).astype(np.int64))[None]
        elif self.border_weight:
            objects = objects_of(objects > 0)
        if self.border_weight:
            weight = weight + torch.from_numpy(border_weights(objects, self.border_weight, self.border_deviation))
        return Marked(image, torch.where(told, label, -1), weight * told)


def _channels_of(path: Path) -> int:
    bands = bands_of(path)
    return bands.bands if bands else 1 if read_header(path).mode.startswith("gray") else 3


def _samples(path: Path, channels: int) -> Tensor:
    """The channels of a picture (c, h, w) in the type of its file."""
    if bands_of(path):
        return torch.from_numpy(read_bands(path)).permute(2, 0, 1).contiguous()
    picture = read_image(path)
    kind = torch.uint8 if picture.bit_depth == 8 else torch.uint16
    return (visible_tensor(picture)[0, :channels] * torch.iinfo(kind).max).round().to(kind)


def _starred(name: str, pattern: str) -> str:
    """What a pattern's * stands for.

    >>> _starred("cat_photo.jpg", "*_photo.jpg")
    'cat'
    """
    before, _, after = pattern.partition("*")
    return name[len(before) : len(name) - len(after)]


class SegmentedPictures:
    """Crops of pictures with what their pixels belong to, bent, turned, mirrored and lit at random."""

    def __init__(self, marked: Sequence[Marked], config: SegmentedConfig, classes: Classes) -> None:
        """Take whole pictures, all of as many channels."""
        self.marked, self.config, self.classes = marked, config, classes
        self._class_weights = self._balance() if config.class_weights else None

    def _balance(self) -> Tensor:
        number = len(self.classes.classes) + bool(self.config.border)
        labels = torch.cat([one.label[one.label >= 0] for one in self.marked])
        counts = torch.bincount(labels, minlength=number)
        return counts.sum() / (len(counts) * counts.clamp(min=1))

    def __len__(self) -> int:
        """Samples in an epoch."""
        return self.config.crops * len(self.marked)

    def draw(self, index: int, rng: torch.Generator) -> Segmented:
        """One sample, of `patch` pixels a side."""
        one = self.marked[index % len(self.marked)]
        places = self._places(one.image.shape[-2], one.image.shape[-1], rng)
        image = _seen_anew(fetch(one.picture, places), self.config, rng)
        label = fetch(one.label.float(), places, nearest=True).long()
        weight = fetch(one.weight, places, nearest=True)
        if self._class_weights is not None:
            weight = weight * self._class_weights[label.clamp(min=0)]
        return Segmented(image, label.clamp(min=0), weight)

    def _places(self, height: int, width: int, rng: torch.Generator) -> Places:
        own, patch = self.config, self.config.patch

        def within(limit: float) -> float:
            return limit * (2 * float(torch.rand((), generator=rng)) - 1)

        places = turned(patch, patch, angle=within(own.rotate), scale=1 + within(own.scale))
        if own.elastic:
            places = places + displacements(patch, patch, own.elastic, rng)
        if own.mirror and torch.rand((), generator=rng) < 0.5:
            places = places.flip(1)
        middle = [(side - 1) / 2 + within(max(0.0, (side - patch) / 2)) for side in (width, height)]
        return places + torch.tensor(middle)

    def sheet(self, run: Callable[[Tensor], Tensor], num_rows: int = 4) -> Image:
        """A picture (1, 3, h, w) of fixed samples, a row each: the picture, the classes found, the true ones."""
        colors = torch.tensor([one.color for one in (*self.classes.classes, BORDER)]) / 255
        rows = []
        for number in range(num_rows):
            rng = torch.Generator().manual_seed(number)
            sample = self.draw(int(torch.randint(len(self), (), generator=rng)), rng)
            found = run(sample.image[None])[0].argmax(0)
            shown = [colors[labels].permute(2, 0, 1) for labels in (found, sample.label[0])]
            rows.append(torch.cat([shown_photo(sample.image[None])[0], *shown], -1))
        return torch.cat(rows, -2)[None].clamp(0, 1)


def _exposed(image: Tensor, deviation: float, rng: torch.Generator) -> Tensor:
    """All gray values times one factor, as a lamp or a shutter changes them: black stays black."""
    if not deviation:
        return image
    return (image * float(torch.randn((), generator=rng).mul(deviation).exp())).clamp(max=1)


def _seen_anew(image: Tensor, config: SegmentedConfig, rng: torch.Generator) -> Tensor:
    """As another camera would see it, in another light."""
    image = _exposed(image, config.exposure, rng)
    if config.gamma:
        image = image ** np.exp(config.gamma * float(torch.randn((), generator=rng)))
    image = _lit(image, config.gray, rng)
    if config.noise:
        deviation = config.noise * float(torch.rand((), generator=rng))
        image = (image + deviation * torch.randn(image.shape, generator=rng)).clamp(0, 1)
    return image


def _lit(image: Tensor, deviation: float, rng: torch.Generator) -> Tensor:
    """Gray values changed alike everywhere: brightness, and contrast around the mean."""
    if not deviation:
        return image
    brightness, contrast = (deviation * torch.randn(2, generator=rng)).tolist()
    return ((image - image.mean()) * np.exp(contrast) + image.mean() + brightness).clamp(0, 1)
