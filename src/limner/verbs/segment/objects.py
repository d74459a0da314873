"""The single objects of a segmentation: numbered, measured, and outlined."""

import csv
import json
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import quoteattr

import numpy as np
from jaxtyping import Float, Int
from scipy import ndimage

from limner.errors import LimnerError
from limner.files.atomic import atomic_path, check_place
from limner.metrics.segmentation import objects_of
from limner.verbs.segment.segmenter import Segmentation


class Measured(NamedTuple):
    """An object: a connected part of one class.

    Attributes:
        number: From 1, as in the picture of the objects.
        name: Of its class.
        area: In pixels.
        x: Of the middle of its area, in pixels from the middle of the first one.
        y: Likewise.
        mean_intensity: Of the photo over it: the mean of R, G and B, in [0, 1].
    """

    number: int
    name: str
    area: int
    x: float
    y: float
    mean_intensity: float


def numbered(segmentation: Segmentation) -> tuple[Int[np.ndarray, "h w"], list[str]]:
    """The objects of all classes but the first, from 1, class by class; and the name of each one's class."""
    numbers, names = np.zeros(segmentation.labels.shape, np.int64), list[str]()
    for number, name in enumerate(segmentation.names[1:], 1):
        found = objects_of(segmentation.labels == number)
        numbers = np.where(found > 0, found + len(names), numbers)
        names += [name] * int(found.max(initial=0))
    return numbers, names


def measured(numbers: Int[np.ndarray, "h w"], names: Sequence[str], gray: Float[np.ndarray, "h w"]) -> list[Measured]:
    """The measures of numbered objects.

    Args:
        numbers: 0, or the number of an object.
        names: Of the classes of objects 1, 2 and so on.
        gray: The photo, in [0, 1].
    """
    indices = np.arange(1, len(names) + 1)
    areas = ndimage.sum_labels(np.ones_like(numbers), numbers, indices)
    means = ndimage.mean(gray, numbers, indices)
    middles = ndimage.center_of_mass(np.ones_like(numbers), numbers, indices)
    return [
        Measured(int(number), name, int(area), round(float(x), 3), round(float(y), 3), round(float(mean), 6))
        for number, name, area, (y, x), mean in zip(indices, names, areas, middles, means, strict=True)
    ]


def write_table(path: Path, objects: Sequence[Measured], *, overwrite: bool = False) -> None:
    """A CSV file with a line for each object.

    Raises:
        LimnerError: If a file is there.
    """
    check_place(path, overwrite=overwrite)
    with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["object", "class", "area_px", "centroid_x", "centroid_y", "mean_intensity"])
        writer.writerows(objects)


def check_outlines() -> None:
    """Refuse outlines before the work where they cannot be made.

    Raises:
        LimnerError: If OpenCV is not installed.
    """
    if find_spec("cv2") is None:
        raise LimnerError("contours need OpenCV: pip install '.[video]'")


def outlines(numbers: Int[np.ndarray, "h w"]) -> dict[int, list[np.ndarray]]:
    """The borders of each object, the outer one first, then those of its holes: (points, 2), x and y of pixel corners.

    Raises:
        LimnerError: If OpenCV is not installed.
    """
    check_outlines()
    import cv2

    found: dict[int, list[np.ndarray]] = {}
    for number, place in enumerate(ndimage.find_objects(numbers), 1):
        if place is None:
            continue
        # twice as large, so that a line along the middles of its border pixels is one along their edges
        mask = np.kron((numbers[place] == number).astype(np.uint8), np.ones((2, 2), np.uint8))
        lines, _ = cv2.findContours(np.pad(mask, 1), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
        corner = np.array([place[1].start, place[0].start])
        found[number] = [_without_repeats(np.round((line[:, 0] - 1) / 2 + 0.25)) + corner for line in lines]
    return found


def _without_repeats(points: np.ndarray) -> np.ndarray:
    return points[(points != np.roll(points, 1, 0)).any(1)]


def write_outlines(
    path: Path,
    segmentation: Segmentation,
    numbers: Int[np.ndarray, "h w"],
    names: Sequence[str],
    *,
    overwrite: bool = False,
) -> None:
    """The outlines of the objects as SVG, or as GeoJSON with pixels for coordinates, as the suffix says.

    Raises:
        LimnerError: If the suffix is another, a file is there, or OpenCV is not installed.
    """
    check_place(path, overwrite=overwrite)
    writers = {".svg": _svg, ".geojson": _geojson}
    if path.suffix.lower() not in writers:
        raise LimnerError(f"{path}: contours are written as .svg or .geojson: rename it")
    text = writers[path.suffix.lower()](segmentation, outlines(numbers), names)
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _svg(segmentation: Segmentation, found: dict[int, list[np.ndarray]], names: Sequence[str]) -> str:
    height, width = segmentation.labels.shape
    colors = dict(zip(segmentation.names, segmentation.colors, strict=True))
    paths = []
    for number, lines in found.items():
        shape = " ".join("M" + " L".join(f"{x:g},{y:g}" for x, y in line) + " Z" for line in lines)
        red, green, blue = colors[names[number - 1]]
        paths.append(
            f'<path id="object-{number}" class={quoteattr(names[number - 1])} d="{shape}" fill-rule="evenodd" '
            f'fill="none" stroke="rgb({red},{green},{blue})" vector-effect="non-scaling-stroke"/>'
        )
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
    return "\n".join([head, *paths, "</svg>", ""])


def _geojson(segmentation: Segmentation, found: dict[int, list[np.ndarray]], names: Sequence[str]) -> str:
    features = [
        {
            "type": "Feature",
            "properties": {"object": number, "class": names[number - 1]},
            "geometry": {"type": "Polygon", "coordinates": [[*line.tolist(), line[0].tolist()] for line in lines]},
        }
        for number, lines in found.items()
    ]
    return json.dumps({"type": "FeatureCollection", "features": features})
