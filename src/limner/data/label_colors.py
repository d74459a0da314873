"""Label pictures: colours that stand for classes, as paint programs and JPEG files leave them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Int, UInt8

from limner.data.masks import ClassName, packed
from limner.errors import LimnerError
from limner.files.image import read_image

Color: TypeAlias = tuple[int, int, int]

_LOSSY = frozenset({".jpg", ".jpeg", ".webp", ".avif", ".heic"})
_NEAR = 40  # levels between colours of one class: what JPEG makes of a flat colour lies within
_FLAT = 24  # levels that a part of one colour varies by, as JPEG stores it
_WINDOW = 7  # pixels of a side of such a part: less is a border between two colours
_INSIDE = 3  # pixels of a side of what is looked at for colours: thin parts are a few pixels wide
_ROUNDED = 3  # levels by which programs that convert profiles miss a colour
_MOST = 64  # classes
_SEEN = 5e-4  # share of a picture with one exact colour, and of all pictures, that is no accident


def is_lossy(path: Path) -> bool:
    """Whether files of this name may hold other colours than were saved: each pixel then takes the nearest class."""
    return path.suffix.lower() in _LOSSY


def palette_of(config: Mapping[str, Any]) -> tuple[ClassName, ...]:
    """The classes that a configuration, such as that of a weight file, names; none where it has none."""
    pairs = zip(config.get("class_names", ()), config.get("class_colors", ()), strict=True)
    return tuple(ClassName(name=name, color=tuple(color), value=tuple(color)) for name, color in pairs)


def read_colors(path: Path) -> UInt8[np.ndarray, "h w 3"]:
    """The colours of a label picture; gray ones are repeated.

    Raises:
        LimnerError: If it cannot be read.
    """
    pixels = read_image(path).as_8_bit().pixels
    return np.broadcast_to(pixels[..., :3] if pixels.shape[2] >= 3 else pixels[..., :1], (*pixels.shape[:2], 3))


def found_colors(pictures: Iterable[UInt8[np.ndarray, "h w 3"]], *, lossy: bool = False) -> tuple[Color, ...]:
    """The colours that label pictures are made of, in the order of red, green and blue.

    They are all colours where these are 64 at most. Of more, and of JPEG files, those that fill parts of pictures, and
    of each group that lies within 40 levels the most frequent one.

    Args:
        pictures: All of them.
        lossy: Whether they are JPEG files or the like.

    Raises:
        LimnerError: If there is only one.
    """
    everything, frequent, total = set[int](), Counter[int](), 0
    for pixels in pictures:
        numbers = packed(pixels.astype(np.int64))
        everything |= set(np.unique(numbers).tolist()) if len(everything) <= _MOST else set()
        values, counts = np.unique(numbers[_flat(pixels, _INSIDE)], return_counts=True)
        often = counts >= _SEEN * numbers.size
        frequent.update(dict(zip(values[often].tolist(), counts[often].tolist(), strict=True)))
        total += numbers.size
    found = [_color(one) for one in everything]
    if lossy or len(found) > _MOST:
        found = _apart([(_color(value), count / total) for value, count in frequent.most_common()])
    if len(found) < 2:
        raise LimnerError(f"label pictures must have two colours or more, got only {found}: check which they are")
    return tuple(sorted(found))


def _apart(shares: Sequence[tuple[Color, float]]) -> list[Color]:
    """The most frequent colours that lie far from one another; what is near one counts with it."""
    groups: list[tuple[Color, float]] = []
    for color, share in shares:
        near = [number for number, (other, _) in enumerate(groups) if _distance(color, other) <= _NEAR]
        if near:
            groups[near[0]] = (groups[near[0]][0], groups[near[0]][1] + share)
        else:
            groups.append((color, share))
    return [color for color, share in groups if share >= _SEEN][:_MOST]


def _distance(one: Color, other: Color) -> float:
    return float(np.linalg.norm(np.subtract(one, other)))


def _color(value: int) -> Color:
    return (value % 256, value // 256 % 256, value // 65536)


def labels_of(
    pixels: UInt8[np.ndarray, "h w 3"], classes: Sequence[ClassName], name: str, *, nearest: bool = False
) -> Int[np.ndarray, "h w"]:
    """The number of the class whose colour each pixel has.

    Args:
        pixels: Of a label picture.
        classes: Whose `color` is meant.
        name: Of the picture, for errors.
        nearest: Take the nearest colour, as of JPEG files. A part of one other colour, 7 pixels wide or more, is
            refused all the same.

    Raises:
        LimnerError: If a colour is no class's; it says which, where, and the nearest known one.
    """
    labels, apart = _nearest(pixels, classes)
    unknown = apart > (_NEAR if nearest else _ROUNDED)
    if nearest and unknown.any():
        unknown &= _flat(pixels, _WINDOW)
    if unknown.any():
        raise _unknown(pixels, unknown, classes, name)
    return _without_rims(pixels, labels, classes) if nearest else labels


def nearest_labels(pixels: UInt8[np.ndarray, "h w 3"], classes: Sequence[ClassName]) -> Int[np.ndarray, "h w"]:
    """The number of the class whose colour is nearest to that of each pixel, however far that is.

    Between two parts of other classes, what is mixed of their colours belongs to one of the two.
    """
    return _without_rims(pixels, _nearest(pixels, classes)[0], classes)


_REACHES = ((1, 1), (1, 2), (2, 1), (2, 2))  # pixels to either side
_MIXED = 16  # levels by which a mixed colour may leave the range of the two


def _without_rims(pixels: np.ndarray, labels: np.ndarray, classes: Sequence[ClassName]) -> np.ndarray:
    """Labels without those of mixed colours: a smooth border from blue to yellow shows green, which is none of it."""
    colors = np.array([one.color for one in classes], np.int16)
    levels = pixels.astype(np.int16)
    for reach in _REACHES:
        for axis in (0, 1):
            one, other = (_shifted(labels, step, axis) for step in (reach[0], -reach[1]))
            ends = np.stack([colors[one], colors[other]])
            is_mixed = (levels >= ends.min(0) - _MIXED) & (levels <= ends.max(0) + _MIXED)
            is_rim = (labels != one) & (labels != other) & (one != other) & is_mixed.all(-1)
            apart = np.abs(ends - levels).sum(-1)
            labels = np.where(is_rim, np.where(apart[0] <= apart[1], one, other), labels)
    return labels


def _shifted(labels: np.ndarray, step: int, axis: int) -> np.ndarray:
    """The labels so many pixels before each, or after it; at the border its own."""
    moved = np.roll(labels, step, axis)
    edge = slice(0, step) if step > 0 else slice(step, None)
    place = (edge, slice(None)) if axis == 0 else (slice(None), edge)
    moved[place] = labels[place]
    return moved


def _nearest(pixels: np.ndarray, classes: Sequence[ClassName]) -> tuple[np.ndarray, np.ndarray]:
    """The nearest class of each pixel, and how far its colour is; each colour is looked up once."""
    colors = np.array([one.color for one in classes], np.int64)
    values, places = np.unique(packed(pixels.astype(np.int64)), return_inverse=True)
    own = np.stack([values % 256, values // 256 % 256, values // 65536], -1)
    apart = np.linalg.norm(own[:, None] - colors, axis=-1)
    places = places.reshape(pixels.shape[:2])
    return apart.argmin(1)[places], apart.min(1)[places]


def _flat(pixels: np.ndarray, window: int) -> np.ndarray:
    """Where everything around a pixel has about its colour."""
    size = (window, window, 1)
    from scipy.ndimage import maximum_filter, minimum_filter  # imported here: every command would wait for it

    spread = maximum_filter(pixels, size).astype(np.int16) - minimum_filter(pixels, size)
    return np.asarray(spread.max(-1) <= _FLAT)


def _unknown(pixels: np.ndarray, unknown: np.ndarray, classes: Sequence[ClassName], name: str) -> LimnerError:
    values, counts = np.unique(packed(pixels[unknown].astype(np.int64)), return_counts=True)
    color = _color(int(values[counts.argmax()]))
    row, column = np.argwhere(unknown & (pixels == np.array(color)).all(-1))[0].tolist()
    near = min(classes, key=lambda one: _distance(one.color, color))
    return LimnerError(
        f"{name}: {color} at column {column}, row {row} is no colour of a class ({unknown.mean():.1%} of the picture "
        f"is none); the nearest is {near.color}, {near.name}: paint with the colours of the palette, without smooth "
        "edges"
    )
