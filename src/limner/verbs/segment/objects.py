"""The single objects of a segmentation, found strip by strip: numbered and measured.

An object is a connected part of one class; pixels that touch at a corner are connected. The parts in a strip are
numbered by themselves and tied to those of the strip above, so no picture of the numbers need be held. All sums are of
whole numbers, so the measures do not depend on how the picture was cut.
"""

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Integer
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from limner.files.atomic import atomic_path, check_place
from limner.metrics.segmentation import objects_of

_LEVELS = 2**24  # of intensity: sums over 2^29 pixels are exact in 64-bit floats


class Measured(NamedTuple):
    """An object: a connected part of one class.

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
        least_area: In pixels; smaller objects are left out.
    """

    def __init__(self, names: Sequence[str], least_area: int = 1) -> None:
        self._names, self._least_area = names, least_area
        self._rows = 0
        self._above: tuple[np.ndarray, np.ndarray] | None = None  # the labels of the last row, and its parts
        self._begins: dict[int, int] = {}  # row of a strip -> how many parts there are above
        self._count = 0
        self._sums: list[np.ndarray] = []  # a column for each part of a strip: class, first pixel, area, x, y, gray
        self._ties: list[np.ndarray] = []
        self._final = np.zeros(1, np.int64)
        self._found = np.zeros((6, 0))

    def __len__(self) -> int:
        """How many objects there are."""
        return self._found.shape[1]

    def add(self, labels: Integer[np.ndarray, "n w"], gray: Float[np.ndarray, "n w"]) -> None:
        """Find the objects of the next strip.

        Args:
            labels: The number of the class of each pixel.
            gray: The photo, in [0, 1].
        """
        parts, count = _parts(labels, len(self._names))
        self._begins[self._rows] = self._count
        self._sums.append(_sums(parts, count, labels, gray, self._rows))
        if self._above is not None:
            self._ties.append(_ties(*self._above, labels[0], np.where(parts[0], parts[0] + self._count, 0)))
        self._above = labels[-1].copy(), np.where(parts[-1], parts[-1] + self._count, 0)
        self._count += count
        self._rows += len(labels)

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

    def numbers(self, labels: Integer[np.ndarray, "n w"], first_row: int) -> Integer[np.ndarray, "n w"]:
        """0, or the number of each pixel's object, in a strip that was added."""
        parts, _ = _parts(labels, len(self._names))
        return self._final[np.where(parts > 0, parts + self._begins[first_row], 0)]

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


def _sums(parts: np.ndarray, count: int, labels: np.ndarray, gray: np.ndarray, first_row: int) -> np.ndarray:
    """(6, count): the class, the first pixel, the area, and the sums of x, y and intensity of each part."""
    places = np.flatnonzero(parts)
    which = parts.ravel()[places] - 1
    rows, columns = np.divmod(places, labels.shape[1])
    firsts = np.full(count, labels.size)
    np.minimum.at(firsts, which, places)
    levels = np.round(gray.ravel()[places].astype(np.float64) * _LEVELS)
    return np.stack(
        [
            labels.ravel()[firsts].astype(np.float64),
            firsts + float(first_row) * labels.shape[1],
            *(np.bincount(which, one, count) for one in (None, columns, rows + first_row, levels)),
        ]
    )


def _ties(above: np.ndarray, parts_above: np.ndarray, labels: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """(2, t): parts above and below the line between two strips that are of one object."""
    width, pairs = len(labels), []
    for shift in (-1, 0, 1):
        one, other = slice(max(0, -shift), width - max(0, shift)), slice(max(0, shift), width - max(0, -shift))
        same = (above[one] == labels[other]) & (parts[other] > 0)
        pairs.append(np.stack([parts_above[one][same], parts[other][same]]))
    ties: np.ndarray = np.unique(np.concatenate(pairs, 1), axis=1)
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
