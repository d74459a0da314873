"""Masks: pictures whose values or colours say what each pixel belongs to."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from limner.config import Config
from limner.data.labels import read_labels
from limner.errors import LimnerError
from limner.files.image import read_image

Meaning: TypeAlias = Literal["values", "colors", "instances"]
"""What a mask's pixels say.

| name | what |
|---|---|
| values | the number of a class, or any gray value that stands for one, such as 0 and 255 |
| colors | an RGB colour for each class |
| instances | 0, or the number of an object: two classes |
"""

_MOST = 64
"""Classes that masks may have; more are a sign of blurred colours."""
_PALETTE = (
    (0, 0, 0), (230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (0, 114, 178), (213, 94, 0),
    (204, 121, 167), (128, 128, 128), (150, 75, 0), (180, 220, 140), (255, 255, 255),
)  # fmt: skip  # Okabe and Ito's, told apart by colour-blind people too, and four more


class ClassName(Config):
    """One class of a data set.

    Attributes:
        name: For people.
        color: R, G and B in 0..255, by which results show it.
        value: The gray value or the colour that means it in masks.
    """

    name: str
    color: tuple[int, int, int]
    value: int | tuple[int, int, int]


class Classes(NamedTuple):
    """What masks mean."""

    classes: tuple[ClassName, ...]
    meaning: Meaning
    ignored: tuple[int | tuple[int, int, int], ...] = ()
    """Values that mean nothing: such pixels are not learnt from, and not counted."""


def mask_of(path: Path, meaning: Meaning) -> np.ndarray:
    """The pixels of a mask: int64 (h, w) numbers; a colour is red + 256 green + 65536 blue.

    Raises:
        LimnerError: If it cannot be read, or holds colours where numbers are wanted.
    """
    if meaning != "colors":
        return read_labels(path)[0].numpy()
    pixels = read_image(path).as_8_bit().pixels[..., :3].astype(np.int64)
    return packed(pixels)


def packed(colors: np.ndarray) -> np.ndarray:
    """(..., 1 or 3) bytes -> numbers."""
    if colors.shape[-1] == 1:
        colors = np.repeat(colors, 3, -1)
    return colors @ np.array([1, 256, 65536])


def number_of(value: int | Sequence[int]) -> int:
    """A class's value as `mask_of` gives it."""
    return value if isinstance(value, int) else int(packed(np.array(value, np.int64)))


def found_classes(paths: Sequence[Path], meaning: Meaning, ignored: Sequence[int] = ()) -> Classes:
    """The classes that masks have, in the order of their values.

    Raises:
        LimnerError: If there are more than 64, as in masks that were saved as JPEG, or only one.
    """
    if meaning == "instances":
        return Classes(
            tuple(_named(number, number, name) for number, name in enumerate(("background", "object"))), meaning
        )
    values: dict[int, Path] = {}
    for path in paths:
        for value in np.unique(mask_of(path, meaning)).tolist():
            values.setdefault(value, path)
        if len(values) > _MOST:
            raise LimnerError(
                f"masks must have at most {_MOST} classes, got {len(values)} values up to {path}: if it was saved as "
                "JPEG or resized, save it as PNG; if its numbers are objects, pass --set data.meaning=instances"
            )
    kept = sorted(set(values) - set(ignored))
    if len(kept) < 2:
        raise LimnerError(f"masks must have two classes or more, got only {kept} in {len(paths)} files: check them")
    return Classes(tuple(_named(number, value) for number, value in enumerate(kept)), meaning, tuple(ignored))


def _named(number: int, value: int, name: str | None = None) -> ClassName:
    return ClassName(name=name or f"class {value}", color=_PALETTE[number % len(_PALETTE)], value=value)


def read_mask(path: Path, classes: Classes) -> Int[Tensor, "1 h w"]:
    """The number of each pixel's class, -1 where it is to be ignored; of instances, the number of its object.

    Raises:
        LimnerError: If it has a value that no class has.
    """
    mask = mask_of(path, classes.meaning)
    if classes.meaning == "instances":
        return torch.from_numpy(mask)[None]
    known = {number_of(one.value): number for number, one in enumerate(classes.classes)}
    known |= {number_of(value): -1 for value in classes.ignored}
    values, places = np.unique(mask, return_inverse=True)
    if unknown := [value for value in values.tolist() if value not in known]:
        share, wanted = float(np.isin(mask, unknown).mean()), ", ".join(map(str, sorted(known)))
        raise LimnerError(
            f"{path}: masks must hold {wanted}, got also {_some(unknown)} in {share:.1%} of "
            "its pixels: name the class, or save it as PNG if it was a JPEG"
        )
    numbers = np.array([known[value] for value in values.tolist()])[places].reshape(mask.shape)
    return torch.from_numpy(numbers.astype(np.int64))[None]


def _some(values: Sequence[int], most: int = 5) -> str:
    text = ", ".join(map(str, values[:most]))
    return text if len(values) <= most else f"{text} and {len(values) - most} more"
