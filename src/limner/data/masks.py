"""Masks: pictures whose values or colours say what each pixel belongs to, or polygons with names."""

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, TypeAlias

import numpy as np
import torch
from jaxtyping import Int
from pydantic import Field
from torch import Tensor

from limner.config import Config
from limner.data.labels import read_labels
from limner.data.polygons import BACKGROUND, classes_of_pixels, is_drawn, labels_of, objects_of_pixels
from limner.errors import LimnerError
from limner.files.image import read_header, read_image

Meaning: TypeAlias = Literal["values", "colors", "instances"]
"""What a mask's pixels say.

| name | what |
|---|---|
| values | the number of a class, or any gray value that stands for one, such as 0 and 255 |
| colors | an RGB colour for each class |
| instances | 0, or the number of an object: two classes |

Polygons of LabelMe and COCO have names of classes for values; with instances each is an object.
"""

Byte = Annotated[int, Field(ge=0, le=255)]
"""A level of 8 bits."""
Value: TypeAlias = int | tuple[Byte, Byte, Byte]
"""A gray value, or R, G and B in 0..255."""

_MOST = 64
"""Classes that masks may have; more are a sign of blurred colours."""
PALETTE = (
    (0, 0, 0), (230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (0, 114, 178), (213, 94, 0),
    (204, 121, 167), (128, 128, 128), (150, 75, 0), (180, 220, 140), (255, 255, 255),
)  # fmt: skip
"""Okabe and Ito's, told apart by colour-blind people too, and four more."""


class ClassName(Config):
    """One class of a data set.

    Attributes:
        name: For people.
        color: R, G and B in 0..255, by which results show it.
        value: The gray value or the colour that means it in masks.
    """

    name: str
    color: tuple[Byte, Byte, Byte]
    value: Value


class Classes(NamedTuple):
    """What masks mean."""

    classes: tuple[ClassName, ...]
    meaning: Meaning
    ignored: tuple[Value, ...] = ()
    """Values that mean nothing: such pixels are not learnt from, and not counted."""
    labels: tuple[str, ...] = ()
    """What polygons call the classes, where masks are polygons."""

    def named(self, names: Sequence[str]) -> "Classes":
        """The same under other names.

        Raises:
            LimnerError: If these are not as many.
        """
        if len(names) != len(self.classes):
            raise LimnerError(f"names must be {len(self.classes)}, one for each class of the masks, got {len(names)}")
        pairs = zip(self.classes, names, strict=True)
        return self._replace(classes=tuple(one.model_copy(update={"name": name}) for one, name in pairs))


def mask_of(path: Path, meaning: Meaning) -> np.ndarray:
    """The pixels of a mask: int64 (h, w) numbers; a colour is red + 256 green + 65536 blue.

    Raises:
        LimnerError: If it cannot be read, or holds colours where numbers are wanted.
    """
    if meaning != "colors":
        mode = read_header(path).mode
        if not mode.startswith(("gray", "palette")):
            raise LimnerError(
                f"{path} holds colours ({mode}), and numbers are wanted: pass --set data.meaning=colors, or save it as "
                "gray"
            )
        return read_labels(path)[0].numpy()
    pixels = read_image(path).as_8_bit().pixels[..., :3].astype(np.int64)
    return packed(pixels)


def packed(colors: np.ndarray) -> np.ndarray:
    """(..., 1 or 3) bytes -> numbers."""
    if colors.shape[-1] == 1:
        colors = np.repeat(colors, 3, -1)
    return colors @ np.array([1, 256, 65536])


def number_of(value: Value) -> int:
    """A class's value as `mask_of` gives it."""
    return value if isinstance(value, int) else int(packed(np.array([value], np.int64))[0])


def _value_of(number: int, meaning: Meaning) -> Value:
    """What `number_of` makes a number of.

    >>> _value_of(255 + 256 * 128, "colors")
    (255, 128, 0)
    """
    return (number % 256, number // 256 % 256, number // 65536) if meaning == "colors" else number


CLASSES_FILE = "classes.toml"
"""Beside the pictures: `[[classes]]` with a name, a color and a value each, in the order of their numbers."""


def read_classes(path: Path, meaning: Meaning, ignored: Sequence[Value] = ()) -> Classes:
    """The classes that a file names.

    Raises:
        LimnerError: If it is no TOML, lacks a name, a color or a value, names fewer than two classes or one twice, or
            its values are no such values as masks have.
    """
    try:
        listed = tomllib.loads(path.read_text(encoding="utf-8")).get("classes", [])
        if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
            raise ValueError("it holds no list of tables")
        classes = tuple(ClassName.parse(one) for one in listed)
    except (ValueError, RecursionError, LimnerError) as error:
        raise LimnerError(f"{path} must list [[classes]] with name, color and value each: {error}") from None
    if len(classes) < 2 or (meaning == "instances" and len(classes) > 2):
        raise LimnerError(f"{path} must name two classes{' or more' * (meaning != 'instances')}, got {len(classes)}")
    if len({number_of(one.value) for one in classes}) < len(classes) or len({one.name for one in classes}) < len(
        classes
    ):
        raise LimnerError(f"{path}: each class has a name and a value of its own, got one twice: change it")
    if any(isinstance(one.value, int) == (meaning == "colors") for one in classes):
        kinds = "R, G and B" if meaning == "colors" else "whole numbers"
        raise LimnerError(f"{path}: values must be {kinds} for data.meaning={meaning}: change them, or --set that")
    return Classes(classes, meaning, tuple(ignored), tuple(one.name for one in classes))


def found_classes(paths: Sequence[Path], meaning: Meaning, ignored: Sequence[Value] = ()) -> Classes:
    """The classes that masks have, in the order of their values.

    Raises:
        LimnerError: If there are more than 64, as in masks that were saved as JPEG, or only one.
    """
    if meaning == "instances":
        both = enumerate(("background", "object"))
        return Classes(tuple(named_class(number, number, name) for number, name in both), meaning, tuple(ignored))
    if any(map(is_drawn, paths)):
        return _drawn_classes(paths, meaning, ignored)
    values: dict[int, Path] = {}
    for path in paths:
        for value in np.unique(mask_of(path, meaning)).tolist():
            values.setdefault(value, path)
        if len(values) > _MOST:
            raise LimnerError(
                f"masks must have at most {_MOST} classes, got {len(values)} values up to {path}: if it was saved as "
                "JPEG or resized, save it as PNG; if its numbers are objects, pass --set data.meaning=instances"
            )
    kept = [_value_of(one, meaning) for one in sorted(set(values) - {number_of(value) for value in ignored})]
    if len(kept) < 2:
        raise LimnerError(f"masks must have two classes or more, got only {kept} in {len(paths)} files: check them")
    return Classes(tuple(named_class(number, value) for number, value in enumerate(kept)), meaning, tuple(ignored))


def _drawn_classes(paths: Sequence[Path], meaning: Meaning, ignored: Sequence[Value]) -> Classes:
    """The background, and the classes that polygons name."""
    if others := [path for path in paths if not is_drawn(path)]:
        raise LimnerError(f"masks must be pictures or polygons, got both, as {others[0]}: take one kind away")
    if meaning == "colors" or ignored:
        raise LimnerError("polygons have names of classes, no values: leave out data.ignore and data.meaning=colors")
    labels = [BACKGROUND, *labels_of(paths)]
    if len(labels) < 2:
        raise LimnerError(f"{paths[0]}: there are no polygons in {len(set(paths))} files: draw some")
    return Classes(
        tuple(named_class(number, number, name) for number, name in enumerate(labels)), meaning, (), tuple(labels)
    )


def named_class(number: int, value: Value, name: str | None = None) -> ClassName:
    """A class under its value; a colour shows itself."""
    color = PALETTE[number % len(PALETTE)] if isinstance(value, int) else value
    return ClassName(name=name or f"class {value}", color=color, value=value)


def read_mask(path: Path, classes: Classes, picture: Path) -> Int[Tensor, "1 h w"]:
    """The number of each pixel's class, or of instances that of its object; -1 where it is to be ignored.

    Args:
        path: Of the mask: a picture, or a file of polygons.
        classes: What masks mean.
        picture: That it is the mask of.

    Raises:
        LimnerError: If it has a value or a name that no class has, or is drawn on another picture.
    """
    if is_drawn(path):
        is_one = classes.meaning == "instances"
        drawn = objects_of_pixels(path, picture) if is_one else classes_of_pixels(path, picture, classes.labels)
        return torch.from_numpy(drawn)[None]
    mask = mask_of(path, classes.meaning)
    if classes.meaning == "instances":
        return torch.from_numpy(np.where(np.isin(mask, [number_of(one) for one in classes.ignored]), -1, mask))[None]
    known = {number_of(one.value): number for number, one in enumerate(classes.classes)}
    known |= {number_of(value): -1 for value in classes.ignored}
    values, places = np.unique(mask, return_inverse=True)
    if unknown := [value for value in values.tolist() if value not in known]:
        share = float(np.isin(mask, unknown).mean())
        wanted, others = (_some([_value_of(one, classes.meaning) for one in ones]) for ones in (sorted(known), unknown))
        raise LimnerError(
            f"{path}: masks must hold {wanted}, got also {others} in {share:.1%} of "
            "its pixels: name the class, or save it as PNG if it was a JPEG"
        )
    numbers = np.array([known[value] for value in values.tolist()])[places].reshape(mask.shape)
    return torch.from_numpy(numbers.astype(np.int64))[None]


def _some(values: Sequence[Value], most: int = 12) -> str:
    text = ", ".join(map(str, values[:most]))
    return text if len(values) <= most else f"{text} and {len(values) - most} more"
