"""Masks that are drawn as polygons: LabelMe's file for each picture, COCO's file for all pictures of a folder.

Formats: github.com/wkentaro/labelme (shapes, points in pixels from the upper left corner; a mask has its first and
its last pixel for points, and what lies between as a PNG in base64); cocodataset.org, format-data (run lengths go down
the columns, and are packed as numbers of five bits a character, every one from the fourth on as its difference from
the one two before). A pixel belongs to a polygon if its middle does, by the even-odd rule; Pillow would take the pixels
on the border too.
"""

import base64
import functools
import io
import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from PIL import Image

from limner.errors import LimnerError
from limner.files.bands import bands_of
from limner.files.image import read_header
from limner.files.json_text import parse_json

BACKGROUND = "background"
"""What is in no polygon."""
IGNORED, EMPTY = "__ignore__", "_background_"
"""Labels by which LabelMe marks what is not told, and what is background."""

_MOST_BYTES = 2**30  # LabelMe puts the picture into its file, COCO has hundreds of thousands of objects in one


class Shape(NamedTuple):
    """One object of a picture.

    Attributes:
        label: Its class; `IGNORED` where COCO says that it is a crowd.
        rings: Polygons (points, 2), x and y in pixels, that it is the union of.
        runs: Or lengths of runs down the columns, of background and object in turn.
        group: Shapes of one number above 0 are one object.
    """

    label: str
    rings: tuple[Float[np.ndarray, "_ 2"], ...]
    runs: tuple[int, ...] = ()
    group: int = 0


class Drawn(NamedTuple):
    """What a file says of a picture: its sides in pixels, and its objects, those on top last."""

    height: int
    width: int
    shapes: tuple[Shape, ...]


def is_drawn(path: Path) -> bool:
    """Whether a mask is a file of polygons, by its name."""
    return path.suffix.lower() == ".json"


def labels_of(paths: Sequence[Path]) -> list[str]:
    """The names of the classes in files of polygons, without the background: COCO's by number, LabelMe's by name."""
    found = [one for path in dict.fromkeys(paths) for one in _labels(path)]
    kept = dict.fromkeys(one for one in found if one not in (IGNORED, EMPTY, BACKGROUND))
    return list(kept) if any(_is_coco(_read(path)) for path in paths) else sorted(kept)


def classes_of_pixels(path: Path, picture: Path, labels: Sequence[str]) -> Int[np.ndarray, "h w"]:
    """The number of each pixel's class, 0 in no polygon; -1 where it is not told.

    Args:
        path: The file of polygons.
        picture: That they are drawn on.
        labels: Of the classes, in the order of their numbers; the first is the background.

    Raises:
        LimnerError: If the file is of another picture, or has a class that is not there.
    """
    drawn = _of_picture(path, picture)
    numbers = {label: number for number, label in enumerate(labels)} | {IGNORED: -1, EMPTY: 0}
    if unknown := sorted({one.label for one in drawn.shapes} - set(numbers)):
        raise LimnerError(
            f"{path}: polygons on {picture.name} must be of {', '.join(labels[1:])}, got also {', '.join(unknown)}: "
            "rename them, or name the class"
        )
    made = np.zeros((drawn.height, drawn.width), np.int64)
    for shape in drawn.shapes:
        made[_pixels(shape, made.shape)] = numbers[shape.label]
    return made


def objects_of_pixels(path: Path, picture: Path) -> Int[np.ndarray, "h w"]:
    """The number of each pixel's object from 1, whatever its class; 0 in none, -1 where it is not told.

    Raises:
        LimnerError: If the file is of another picture.
    """
    drawn = _of_picture(path, picture)
    made, numbers = np.zeros((drawn.height, drawn.width), np.int64), dict[tuple[str, int], int]()
    for index, shape in enumerate(drawn.shapes):
        object_of = numbers.setdefault((shape.label, shape.group or -index - 1), len(numbers) + 1)
        told = {IGNORED: -1, EMPTY: 0}.get(shape.label, object_of)
        made[_pixels(shape, made.shape)] = told
    return made


def filled(ring: Float[np.ndarray, "_ 2"], height: int, width: int) -> Bool[np.ndarray, "h w"]:
    """The pixels whose middles lie inside a polygon.

    >>> filled(np.array([[1.0, 0.0], [3.0, 0.0], [3.0, 1.0], [1.0, 1.0]]), 2, 4).astype(int)
    array([[0, 1, 1, 0],
           [0, 0, 0, 0]])
    """
    changes = np.zeros((height, width + 1), np.int64)
    for (x, y), (other_x, other_y) in zip(ring, np.roll(ring, -1, 0), strict=True):
        low, high = sorted((y, other_y))
        rows = np.arange(max(0, int(np.ceil(low - 0.5))), min(height, int(np.ceil(high - 0.5))))
        if len(rows):
            crossed = x + (rows + 0.5 - y) * (other_x - x) / (other_y - y)
            np.add.at(changes, (rows, np.ceil(crossed - 0.5).clip(0, width).astype(int)), 1)
    return changes[:, :-1].cumsum(1) % 2 == 1


def _pixels(shape: Shape, size: tuple[int, ...]) -> Bool[np.ndarray, "h w"]:
    height, width = size
    if shape.runs:
        return np.repeat(np.arange(len(shape.runs)) % 2 == 1, shape.runs).reshape(width, height).T
    made: np.ndarray = np.logical_or.reduce([filled(ring, height, width) for ring in shape.rings])
    return made


def _of_picture(path: Path, picture: Path) -> Drawn:
    told = _read(path)
    drawn = _coco(path, told, picture) if _is_coco(told) else _labelme(path, told)
    header = bands_of(picture) or read_header(picture)
    if (drawn.height, drawn.width) != (header.height, header.width):
        raise LimnerError(
            f"{path} is drawn on {drawn.width}x{drawn.height} pixels, and {picture} has {header.width}x"
            f"{header.height}: take the picture that it was drawn on"
        )
    return drawn


def _read(path: Path) -> Mapping[str, Any]:
    return _parsed(path, path.stat().st_mtime_ns)


@functools.lru_cache(maxsize=4)  # COCO's file is of all pictures
def _parsed(path: Path, changed: int) -> Mapping[str, Any]:
    try:
        told = parse_json(path.read_bytes(), most=_MOST_BYTES)
    except (OSError, ValueError) as error:
        raise LimnerError(f"{path}: is no JSON ({error}): export it again") from None
    if not isinstance(told, dict) or not ("shapes" in told or _is_coco(told)):
        raise LimnerError(
            f"{path}: holds neither LabelMe's shapes nor COCO's images, annotations and categories: export it as one"
        )
    return told


def _is_coco(told: Mapping[str, Any]) -> bool:
    return {"images", "annotations", "categories"} <= set(told)


def _labels(path: Path) -> list[str]:
    told = _read(path)
    try:
        if _is_coco(told):
            return [str(one["name"]) for one in sorted(told["categories"], key=lambda one: int(one["id"]))]
        return [str(one["label"]) for one in told["shapes"]]
    except (KeyError, TypeError, ValueError) as error:
        raise LimnerError(f"{path}: has a class without a name ({error!r}): export it again") from None


def _labelme(path: Path, told: Mapping[str, Any]) -> Drawn:
    try:
        size = int(told["imageHeight"]), int(told["imageWidth"])
        return Drawn(*size, tuple(_labelme_shape(path, one, size) for one in told["shapes"]))
    except (KeyError, TypeError, ValueError, OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise LimnerError(f"{path}: is not as LabelMe writes it ({error!r}): save it there again") from None


def _labelme_shape(path: Path, told: Mapping[str, Any], size: tuple[int, int]) -> Shape:
    label, group = str(told["label"]), int(told.get("group_id") or 0)
    if told.get("shape_type") == "mask":
        return Shape(label, (), _runs(_placed(told, size)), group)
    return Shape(label, (_ring(path, told),), group=group)


def _placed(told: Mapping[str, Any], size: tuple[int, int]) -> Bool[np.ndarray, "h w"]:
    """The pixels of LabelMe's masks: a PNG, where it lies in the picture."""
    left, top = (round(value) for value in told["points"][0])
    made = np.zeros(size, bool)
    with Image.open(io.BytesIO(base64.b64decode(told["mask"], validate=True)), formats=["PNG"]) as png:
        if not (0 <= left <= size[1] - png.width and 0 <= top <= size[0] - png.height):
            raise ValueError(f"a mask of {png.width}x{png.height} pixels at {left},{top}")
        made[top : top + png.height, left : left + png.width] = np.asarray(png) != 0
    return made


def _runs(mask: Bool[np.ndarray, "h w"]) -> tuple[int, ...]:
    """Lengths of runs down the columns, of background and object in turn.

    >>> _runs(np.array([[True, False], [True, True]]))
    (0, 2, 1, 1)
    """
    changes = np.flatnonzero(np.diff(mask.T.ravel(), prepend=False))
    return tuple(np.diff(changes, prepend=0, append=mask.size).tolist())


def _ring(path: Path, told: Mapping[str, Any]) -> Float[np.ndarray, "_ 2"]:
    kind, points = told.get("shape_type", "polygon"), np.array(told["points"], np.float64).reshape(-1, 2)
    if kind == "rectangle" and len(points) == 2:
        (left, top), (right, bottom) = points
        return np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
    if kind == "circle" and len(points) == 2:
        angles = np.linspace(0, 2 * np.pi, 128, endpoint=False)
        return points[0] + np.hypot(*(points[1] - points[0])) * np.stack([np.cos(angles), np.sin(angles)], 1)
    if kind not in ("polygon", "rectangle") or len(points) < 3:
        raise LimnerError(
            f"{path}: {told['label']} is drawn as a {kind} of {len(points)} points, which has no area: draw a polygon"
        )
    return points


def _coco(path: Path, told: Mapping[str, Any], picture: Path) -> Drawn:
    try:
        names = {int(one["id"]): str(one["name"]) for one in told["categories"]}
        same = [one for one in told["images"] if Path(str(one["file_name"])).name == picture.name]
        if len(same) != 1:
            raise LimnerError(
                f"{path} names {len(same)} pictures {picture.name}, and there must be one: export it again, or take "
                "the picture away"
            )
        (about,) = same
        size = int(about["height"]), int(about["width"])
        own = [one for one in told["annotations"] if one["image_id"] == about["id"]]
        own.sort(key=lambda one: -float(one.get("area", 0)))  # small ones on top
        return Drawn(*size, tuple(_annotation(path, one, names, size) for one in own))
    except (KeyError, TypeError, ValueError) as error:
        raise LimnerError(f"{path}: is not as COCO has it ({error!r}): export it again") from None


def _annotation(path: Path, told: Mapping[str, Any], names: Mapping[int, str], size: tuple[int, int]) -> Shape:
    label = IGNORED if told.get("iscrowd") else names[int(told["category_id"])]
    outline = told["segmentation"]
    if isinstance(outline, dict):
        counts = outline["counts"]
        runs = tuple(_unpacked(counts) if isinstance(counts, str) else map(int, counts))
        if sum(runs) != size[0] * size[1] or min(runs, default=0) < 0:
            raise ValueError(f"runs of {sum(runs)} pixels in annotation {told.get('id')}")
        return Shape(label, (), runs)
    rings = tuple(np.array(one, np.float64).reshape(-1, 2) for one in outline)
    if not rings or min(map(len, rings)) < 3:
        raise LimnerError(f"{path}: annotation {told.get('id')} of {label} is no polygon of three points: delete it")
    return Shape(label, rings)


def _unpacked(text: str) -> Iterator[int]:
    """COCO's packed run lengths.

    >>> list(_unpacked("25o0"))
    [2, 5, 31]
    """
    found = list[int]()
    characters = iter(text)
    while (first := next(characters, None)) is not None:
        number = 0
        for place in itertools.count():
            value = ord(first if place == 0 else next(characters)) - 48
            number |= (value & 31) << 5 * place
            if not value & 32:
                number -= (1 << 5 * (place + 1)) if value & 16 else 0
                break
        found.append(number + (found[-2] if len(found) > 2 else 0))
    yield from found
