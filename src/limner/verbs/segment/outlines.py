"""The outlines of objects along the edges of their pixels, traced strip by strip, as SVG or GeoJSON.

OpenCV finds outlines of a picture that is whole in memory. Here each corner of an outline is noted as its strip passes,
with the direction in which the outline comes and goes, its object to the right; an object whose last row has passed is
put together and written down. So only the corners of objects that go on below are held.
"""

import itertools
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO
from xml.sax.saxutils import quoteattr

import numpy as np
from jaxtyping import Integer

from limner.errors import LimnerError
from limner.files.atomic import atomic_path, check_place

_EAST, _SOUTH, _WEST, _NORTH = range(4)
_MOST_HELD = 2**20  # corners that wait before it is seen which objects are whole


class Outlines:
    """Traces objects whose numbers are added strip by strip from the top."""

    def __init__(self) -> None:
        self._above: np.ndarray | None = None
        self._row = 0
        self._corners = [np.zeros((5, 0), np.int32)]
        self._held, self._most = 0, _MOST_HELD

    def add(self, numbers: Integer[np.ndarray, "n w"]) -> Iterator[tuple[int, list[np.ndarray]]]:
        """Take the next strip, and give those objects that have been found whole."""
        above = np.zeros_like(numbers[0]) if self._above is None else self._above
        self._note(np.concatenate([above[None], numbers]))
        self._above = numbers[-1].copy()
        self._row += len(numbers)
        if self._held > self._most:
            yield from self._whole(np.unique(self._above))

    def close(self) -> Iterator[tuple[int, list[np.ndarray]]]:
        """Give the objects that are left; no strip follows."""
        if self._above is not None:
            self._note(np.stack([self._above, np.zeros_like(self._above)]))
        yield from self._whole(np.zeros(0, np.int64))

    def _note(self, rows: np.ndarray) -> None:
        """Keep the corners between rows, of which the first has been seen."""
        found = _corners(np.pad(rows, ((0, 0), (1, 1))), self._row)
        self._corners.append(found)
        self._held += found.shape[1]

    def _whole(self, going_on: np.ndarray) -> Iterator[tuple[int, list[np.ndarray]]]:
        corners = np.concatenate(self._corners, 1)
        left = np.isin(corners[0], going_on)
        self._corners, self._held = [corners[:, left]], int(left.sum())
        self._most = max(_MOST_HELD, 2 * self._held)
        yield from _put_together(corners[:, ~left])


def outlines(numbers: Integer[np.ndarray, "h w"]) -> dict[int, list[np.ndarray]]:
    """The borders of each object, the outer one first, then those of its holes: (points, 2), x and y of pixel corners.

    Args:
        numbers: 0, or the number of an object, whose pixels are connected at corners at least.
    """
    tracer = Outlines()
    return {number: lines for found in (tracer.add(numbers), tracer.close()) for number, lines in found}


def _corners(rows: np.ndarray, first_row: int) -> np.ndarray:
    """(5, m): object, y, x, and the directions from which and to which its outline goes, at corners between rows."""
    square = [rows[:-1, :-1], rows[:-1, 1:], rows[1:, :-1], rows[1:, 1:]]
    at = np.flatnonzero((square[0] != square[1]) | (square[2] != square[3]) | (square[0] != square[2]))
    four = [one.ravel()[at] for one in square]  # above left, above right, below left, below right
    y, x = np.divmod(at, square[0].shape[1])
    found = []

    def note(which: np.ndarray, objects: np.ndarray, come: int, go: int) -> None:
        which = which & (objects > 0)
        ways = np.full((2, int(which.sum())), [[come], [go]])
        found.append(np.stack([objects[which], y[which] + first_row, x[which], *ways]).astype(np.int32))

    for corner, (come, go) in enumerate(((_SOUTH, _WEST), (_WEST, _NORTH), (_EAST, _SOUTH), (_NORTH, _EAST))):
        own, beside, under, across = (four[corner ^ flip] for flip in (0, 1, 2, 3))
        alone = (own != beside) & (own != under)
        note(alone & (own != across), own, come, go)
        note((own != beside) & (beside == under) & (beside == across), beside, _back(go), _back(come))
        # where two pixels of one object touch at a corner alone, the outline goes on along the other one
        note(alone & (own == across), own, come, _back(go))
    return np.concatenate(found, 1)


def _back(direction: int) -> int:
    return (direction + 2) % 4


def _put_together(corners: np.ndarray) -> Iterator[tuple[int, list[np.ndarray]]]:
    """The outlines of objects all of whose corners are there, in the order of their numbers."""
    objects, y, x, come, go = corners[:, np.lexsort((corners[2], corners[1], corners[0]))]
    following = np.empty(len(objects), np.int64)
    for direction in range(4):
        along, beside = (y, x) if direction in (_EAST, _WEST) else (x, y)
        begins, ends = (np.flatnonzero(one == direction) for one in (go, come))
        begins, ends = (one[np.lexsort((beside[one], along[one], objects[one]))] for one in (begins, ends))
        following[begins] = ends  # sides on one line do not overlap, so they end in the order in which they begin
    points, following_one = np.stack([x, y], 1), following.tolist()
    borders = np.flatnonzero(np.diff(objects, prepend=-1, append=-1)).tolist()
    for begin, end in itertools.pairwise(borders):
        yield int(objects[begin]), [points[line] for line in _rings(following_one, begin, end)]


def _rings(following: Sequence[int], begin: int, end: int) -> Iterator[list[int]]:
    """The closed lines among the corners of an object, by where they begin: first the one at its top left."""
    seen = set[int]()
    for first in range(begin, end):
        line = []
        at = first
        while at not in seen:
            seen.add(at)
            line.append(at)
            at = following[at]
        if line:
            yield line


class OutlineWriter:
    """Writes outlines as they are found, in the order of their numbers in the end.

    Args of the constructor:
        path: An .svg, or a .geojson with pixels for coordinates.
        size: Height and width of the picture, in pixels.
        class_of: Of the number of an object, the number of its class.
        names: Of the classes.
        colors: R, G and B of the classes.

    Raises:
        LimnerError: If the suffix is another, or a file is there.
    """

    def __init__(
        self,
        path: Path,
        size: tuple[int, int],
        class_of: Callable[[int], int],
        names: Sequence[str],
        colors: Sequence[tuple[int, int, int]],
        *,
        overwrite: bool = False,
    ) -> None:
        check_place(path, overwrite=overwrite)
        if path.suffix.lower() not in (".svg", ".geojson"):
            raise LimnerError(f"{path}: contours are written as .svg or .geojson: rename it")
        self._path, self._size = path, size
        self._class_of, self._names, self._colors = class_of, names, colors
        self._waiting = tempfile.TemporaryFile()  # noqa: SIM115  # it lives as long as this
        self._places: dict[int, tuple[int, int]] = {}

    def write_all(self, numbers: Iterable[Integer[np.ndarray, "n w"]]) -> None:
        """Trace the objects whose numbers come strip by strip from the top, and make the file."""
        tracer = Outlines()
        for strip in numbers:
            for number, lines in tracer.add(strip):
                self._keep(number, lines)
        for number, lines in tracer.close():
            self._keep(number, lines)
        self._finish()

    def _keep(self, number: int, lines: Sequence[np.ndarray]) -> None:
        """Write the outlines of an object where they wait."""
        kind = self._class_of(number)
        is_svg = self._path.suffix.lower() == ".svg"
        text = _svg(number, self._names[kind], self._colors[kind], lines) if is_svg else self._geojson(number, lines)
        self._places[number] = self._waiting.tell(), len(text.encode())
        self._waiting.write(text.encode())

    def _finish(self) -> None:
        (height, width), is_svg = self._size, self._path.suffix.lower() == ".svg"
        size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        with atomic_path(self._path) as temporary, temporary.open("wb") as file:
            if is_svg:
                self._copy(file, f'<svg xmlns="http://www.w3.org/2000/svg" {size}>\n', "\n", "\n</svg>\n")
            else:
                self._copy(file, '{"type": "FeatureCollection", "features": [', ", ", "]}")
        self._waiting.close()

    def _copy(self, file: IO[bytes], begin: str, between: str, end: str) -> None:
        file.write(begin.encode())
        for index, number in enumerate(sorted(self._places)):
            file.write(between.encode() if index else b"")
            place, length = self._places[number]
            self._waiting.seek(place)
            file.write(self._waiting.read(length))
        file.write(end.encode())

    def _geojson(self, number: int, lines: Sequence[np.ndarray]) -> str:
        shape = {"type": "Polygon", "coordinates": [[*line.tolist(), line[0].tolist()] for line in lines]}
        told = {"object": number, "class": self._names[self._class_of(number)]}
        return json.dumps({"type": "Feature", "properties": told, "geometry": shape})


def _svg(number: int, name: str, color: tuple[int, int, int], lines: Sequence[np.ndarray]) -> str:
    shape = " ".join("M" + " L".join(f"{x},{y}" for x, y in line.tolist()) + " Z" for line in lines)
    red, green, blue = color
    return (
        f'<path id="object-{number}" class={quoteattr(name)} d="{shape}" fill-rule="evenodd" '
        f'fill="none" stroke="rgb({red},{green},{blue})" vector-effect="non-scaling-stroke"/>'
    )
