"""The single objects of a segmentation, found strip by strip: numbered and measured.

An object is a connected part of one class; pixels that touch at a corner are connected. Where the borders of objects
are known, it grows from a connected part of what is within: pixel by pixel, up to a reach, it takes those of its class
that touch it and belong to no other yet, so that objects that touch come apart.

A strip is seen with as many rows above and below it as objects grow, and one at least. The parts that are seen are
numbered by themselves and tied to those of the strip above, by the rows that both see; so no picture of the numbers
need be held. All sums are of whole numbers, so the measures do not depend on how the picture was cut.
"""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
from jaxtyping import Float, Integer
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from limner.files.atomic import atomic_path, check_place
from limner.metrics.segmentation import objects_of
from limner.runtime.operators import Span

_LEVELS = 2**24  # of intensity: sums over 2^29 pixels are exact in 64-bit floats
_NEAR = ((-1, 0), (0, -1), (0, 1), (1, 0), (-1, -1), (-1, 1), (1, -1), (1, 1))  # down and across, the nearest first

Marks: TypeAlias = Callable[[Span], Integer[np.ndarray, "n w"]]
"""Some rows of a picture of the numbers of classes."""


class Measured(NamedTuple):
    """An object: a connected part of one class, or what has grown from one.

    Attributes:
        number: From 1, as in the picture of the objects.
        name: Of its class.
        area: In pixels.
        x: Of the middle of its area, in pixels from the middle of the first one.
        y: Likewise.
        mean_intensity: Of the photo over it: the mean of its channels, in [0, 1].
    """

    number: int
    name: str
    area: int
    x: float
    y: float
    mean_intensity: float


class Objects:
    """The objects of all classes but the first, numbered from 1: class by class, each from the top left.

    Strips are added from the top; after the last one comes `close`, and then `numbers` and `measured` may be asked.

    Args of the constructor:
        names: Of the classes.
        height: Of the picture, in pixels.
        classes: The number of the class of each pixel.
        seeds: The same where an object may begin, and 0 elsewhere.
        reach: How many pixels objects grow from there.
        least_area: In pixels; smaller objects are left out.
    """

    def __init__(
        self, names: Sequence[str], height: int, classes: Marks, seeds: Marks, *, reach: int = 0, least_area: int = 1
    ) -> None:
        self._names, self._height, self._least_area = names, height, least_area
        self._classes, self._seeds, self._reach = classes, seeds, reach
        self._seen_twice: np.ndarray | None = None  # the parts in the rows that the next strip sees, too
        self._begins: dict[int, int] = {}  # row of a strip -> how many parts were seen before it
        self._count = 0
        self._sums: list[np.ndarray] = []  # a column for each part of a strip: class, first pixel, area, x, y, gray
        self._ties: list[np.ndarray] = []
        self._final = np.zeros(1, np.int64)
        self._found = np.zeros((6, 0))

    def __len__(self) -> int:
        """How many objects there are."""
        return self._found.shape[1]

    def add(self, rows: Span, gray: Float[np.ndarray, "n w"]) -> None:
        """Find the objects of the next strip.

        Args:
            rows: Which it is.
            gray: The photo, in [0, 1].
        """
        seen = self._seen(rows)
        seeds = self._seeds(seen)
        parts, count = _parts(seeds, len(self._names))
        own = self._grown(parts, seeds, rows)
        self._begins[rows.start] = self._count
        self._sums.append(np.concatenate([_kinds(parts, count, seeds)[None], _sums(own, count, gray, rows.start)]))
        if self._seen_twice is not None:
            self._ties.append(_ties(self._seen_twice, _counted_on(parts[: len(self._seen_twice)], self._count)))
        self._seen_twice = _counted_on(parts[max(0, rows.stop - self._margin) - seen.start :], self._count)
        self._count += count

    def close(self) -> None:
        """Number the objects; no strip follows."""
        sums = np.concatenate([np.zeros((6, 0)), *self._sums], 1)
        ties = np.concatenate([np.zeros((2, 0), int), *self._ties], 1) - 1
        shape = (self._count, self._count)
        graph = coo_matrix((np.ones(ties.shape[1], bool), (ties[0], ties[1])), shape)
        count, tied = connected_components(graph, directed=False) if self._count else (0, np.zeros(0, int))
        totals = np.full((6, count), np.inf)
        for least, one in zip(totals[:2], sums, strict=False):
            np.minimum.at(least, tied, one)
        totals[2:] = [np.bincount(tied, one, count) for one in sums[2:]]
        order = np.lexsort((totals[1], totals[0]))
        order = order[totals[2, order] >= self._least_area]
        numbers = np.zeros(count, np.int64)
        numbers[order] = np.arange(1, len(order) + 1)
        self._final, self._found = np.concatenate([[0], numbers[tied]]), totals[:, order]
        self._sums, self._ties = [], []

    def numbers(self, rows: Span) -> Integer[np.ndarray, "n w"]:
        """0, or the number of each pixel's object, in a strip that was added."""
        seeds = self._seeds(self._seen(rows))
        own = self._grown(_parts(seeds, len(self._names))[0], seeds, rows)
        return self._final[_counted_on(own, self._begins[rows.start])]

    @property
    def _margin(self) -> int:
        return max(1, self._reach)

    def _seen(self, rows: Span) -> Span:
        """A strip with the rows about it."""
        return Span(max(0, rows.start - self._margin), min(self._height, rows.stop + self._margin))

    def _grown(self, parts: np.ndarray, seeds: np.ndarray, rows: Span) -> np.ndarray:
        """The parts in the rows of a strip, from those of the seeds that are seen."""
        seen = self._seen(rows)
        classes = self._classes(seen) if self._reach else seeds
        grown, kinds = parts, seeds
        for _ in range(self._reach):
            grown, kinds = _grown(grown, kinds, classes)
        return grown[rows.start - seen.start : rows.stop - seen.start]

    def class_of(self, number: int) -> int:
        """The class of an object."""
        return int(self._found[0, number - 1])

    def measured(self) -> Iterator[Measured]:
        """The measures of all objects."""
        for number, (kind, _, area, x, y, gray) in enumerate(self._found.T, 1):
            middle = round(float(x / area), 3), round(float(y / area), 3)
            mean = round(float(gray / area / _LEVELS), 6)
            yield Measured(number, self._names[int(kind)], int(area), *middle, mean)


def _parts(labels: np.ndarray, num_classes: int) -> tuple[np.ndarray, int]:
    """The connected parts of a strip, numbered from 1 class by class, and how many there are."""
    parts, count = np.zeros(labels.shape, np.int32), 0
    for number in range(1, num_classes):
        found = objects_of(labels == number)
        np.copyto(parts, found + count, where=found > 0, casting="unsafe")
        count += int(found.max(initial=0))
    return parts, count


def _counted_on(parts: np.ndarray, before: int) -> np.ndarray:
    """The numbers of parts in the whole picture, of which so many were seen before; 0 stays."""
    return np.where(parts > 0, parts + np.int64(before), 0)


def _grown(parts: np.ndarray, kinds: np.ndarray, classes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The parts with the pixels of their class that touch them, and the class of each pixel of a part.

    A pixel that touches two goes to the nearest, side by side before corner to corner; of those that are as near to the
    one above, to its left, to its right, below, and so with corners. None of it depends on how parts are numbered.
    """
    rows, columns = np.nonzero((classes > 0) & (parts == 0))
    if not len(rows):
        return parts, kinds
    wide, wide_kinds, own = np.pad(parts, 1), np.pad(kinds, 1), classes[rows, columns]
    taken = np.zeros(len(rows), parts.dtype)
    for down, across in _NEAR:
        place = rows + 1 + down, columns + 1 + across
        np.copyto(taken, wide[place], where=(taken == 0) & (wide_kinds[place] == own))
    grown, grown_kinds = parts.copy(), kinds.copy()
    grown[rows, columns], grown_kinds[rows, columns] = taken, np.where(taken > 0, own, 0)
    return grown, grown_kinds


def _kinds(parts: np.ndarray, count: int, seeds: np.ndarray) -> np.ndarray:
    """The class of each part."""
    kinds, places = np.zeros(count), np.flatnonzero(parts)
    kinds[parts.ravel()[places] - 1] = seeds.ravel()[places]
    return kinds


def _sums(parts: np.ndarray, count: int, gray: np.ndarray, first_row: int) -> np.ndarray:
    """(5, count): the first pixel, the area, and the sums of x, y and intensity of each part."""
    places = np.flatnonzero(parts)
    which = parts.ravel()[places] - 1
    rows, columns = np.divmod(places, parts.shape[1])
    firsts = np.full(count, parts.size)
    np.minimum.at(firsts, which, places)
    from_top = np.where(firsts < parts.size, firsts + float(first_row) * parts.shape[1], np.inf)  # or in rows about it
    levels = np.round(gray.ravel()[places].astype(np.float64) * _LEVELS)
    sums = (np.bincount(which, one, count) for one in (None, columns, rows + first_row, levels))
    return np.stack([from_top, *sums])


def _ties(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """(2, t): parts of one object, by rows in which the strips above and below number the same pixels."""
    ties: np.ndarray = np.unique(np.stack([above[above > 0], below[above > 0]]), axis=1)
    return ties


def write_table(path: Path, objects: Iterable[Measured], *, overwrite: bool = False) -> None:
    """A CSV file with a line for each object.

    Raises:
        LimnerError: If a file is there.
    """
    check_place(path, overwrite=overwrite)
    with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["object", "class", "area_px", "centroid_x", "centroid_y", "mean_intensity"])
        writer.writerows(objects)
