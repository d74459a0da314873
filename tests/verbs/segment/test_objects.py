"""Objects by hand, by scikit-image, and outlines that give the areas back."""

import csv
import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from limner.errors import LimnerError
from limner.metrics.segmentation import objects_of
from limner.runtime.operators import Span
from limner.verbs.segment.objects import Measured, Objects, write_table
from limner.verbs.segment.outlines import Outlines, OutlineWriter, outlines

rng = np.random.default_rng(0)
NAMES = ("ground", "cell", 'a <b> & "c"')
COLORS = ((0, 0, 0), (1, 2, 3), (255, 128, 0))


def cuts(height: int, rows: int | None) -> list[tuple[int, int]]:
    """Strips of so many rows; None: one."""
    step = rows or height
    return [(start, min(start + step, height)) for start in range(0, height, step)]


def rows_of(marks: np.ndarray) -> Callable[[Span], np.ndarray]:
    return lambda rows: marks[rows.start : rows.stop]


def found_in(
    labels: np.ndarray,
    gray: np.ndarray | None = None,
    rows: int | None = None,
    *,
    seeds: np.ndarray | None = None,
    reach: int = 0,
    least_area: int = 1,
) -> Objects:
    begun = labels if seeds is None else seeds
    given = rows_of(labels), rows_of(begun)
    objects = Objects(NAMES, len(labels), *given, reach=reach, least_area=least_area)
    gray = np.zeros(labels.shape) if gray is None else gray
    for start, stop in cuts(len(labels), rows):
        objects.add(Span(start, stop), gray[start:stop])
    objects.close()
    return objects


def numbers_of(objects: Objects, height: int, rows: int | None = None) -> np.ndarray:
    return np.concatenate([objects.numbers(Span(*one)) for one in cuts(height, rows)])


def numbered(
    labels: np.ndarray, rows: int | None = None, *, seeds: np.ndarray | None = None, reach: int = 0
) -> np.ndarray:
    return numbers_of(found_in(labels, None, rows, seeds=seeds, reach=reach), len(labels), rows)


def measured(labels: np.ndarray, gray: np.ndarray, rows: int | None = None) -> list[Measured]:
    return [*found_in(labels, gray, rows).measured()]


def write_outlines(path: Path, labels: np.ndarray, rows: int | None = None) -> None:
    objects = found_in(labels, None, rows)
    writer = OutlineWriter(path, labels.shape, objects.class_of, NAMES, COLORS)
    writer.write_all(objects.numbers(Span(*one)) for one in cuts(len(labels), rows))


def test_objects_are_numbered_class_by_class() -> None:
    labels = np.array([[2, 0, 1, 0, 2], [0, 0, 0, 1, 0], [1, 0, 0, 0, 2]])
    assert numbered(labels).tolist() == [[3, 0, 1, 0, 4], [0, 0, 0, 1, 0], [2, 0, 0, 0, 5]]
    objects = found_in(labels)
    assert len(objects) == 5
    assert [objects.class_of(number) for number in range(1, 6)] == [1, 1, 2, 2, 2]


@pytest.mark.parametrize("rows", [None, 1, 2])
def test_objects_that_are_too_small_are_left_out_wherever_the_picture_was_cut(rows: int | None) -> None:
    """Of the areas 1, 4 over three rows, and 2 the last two are left."""
    labels = np.array([[1, 0, 2, 0, 0], [0, 0, 2, 0, 1], [0, 2, 2, 0, 1]])
    objects = found_in(labels, None, rows, least_area=2)
    assert numbers_of(objects, 3, rows).tolist() == [[0, 0, 2, 0, 0], [0, 0, 2, 0, 1], [0, 2, 2, 0, 1]]
    assert [(one.number, one.area) for one in objects.measured()] == [(1, 2), (2, 4)]


def speckled(height: int = 40, width: int = 50, share: float = 0.3) -> np.ndarray:
    return (rng.random((height, width)) < share) * rng.integers(1, 3, (height, width))


@pytest.mark.parametrize("rows", [1, 2, 7, 39])
@pytest.mark.parametrize("share", [0.2, 0.4, 0.6, 1.0])
def test_objects_in_strips_are_those_of_the_whole(share: float, rows: int) -> None:
    """Which scipy numbers class by class, from the top left."""
    labels, gray = speckled(share=share), rng.random((40, 50))
    whole, count = np.zeros(labels.shape, int), 0
    for kind in (1, 2):
        found = objects_of(labels == kind)
        whole, count = np.where(found > 0, found + count, whole), count + found.max()
    assert np.array_equal(numbered(labels, rows), whole)
    assert np.array_equal(numbered(labels), whole)
    assert measured(labels, gray, rows) == measured(labels, gray)


def by_hand(labels: np.ndarray, seeds: np.ndarray, reach: int) -> np.ndarray:
    """Pixel by pixel: the parts of the seeds, and time after time to each pixel of their class the part of the nearest
    of its eight neighbours, of those that are as near the first; numbered by class, then by the first pixel."""
    parts, count = np.zeros(labels.shape, int), 0
    for kind in (1, 2):
        found = objects_of(seeds == kind)
        parts, count = np.where(found > 0, found + count, parts), count + found.max()
    kinds = {part: seeds[parts == part][0] for part in range(1, count + 1)}
    grown = parts.copy()
    for _ in range(reach):
        before = grown.copy()
        for y, x in np.argwhere((before == 0) & (labels > 0)):
            near = [
                ((v - y) ** 2 + (u - x) ** 2, v, u, before[v, u])
                for v in range(max(0, y - 1), min(len(labels), y + 2))
                for u in range(max(0, x - 1), min(labels.shape[1], x + 2))
                if before[v, u] and kinds[before[v, u]] == labels[y, x]
            ]
            grown[y, x] = min(near)[3] if near else 0
    order = sorted(kinds, key=lambda part: (kinds[part], np.flatnonzero(grown == part)[0]))
    return np.array([0, *(order.index(part) + 1 for part in range(1, count + 1))])[grown]


@pytest.mark.parametrize("rows", [None, 1, 2, 7, 39])
@pytest.mark.parametrize(("share", "reach"), [(0.1, 1), (0.3, 1), (0.8, 1), (0.05, 3), (0.02, 6), (0.01, 50)])
def test_objects_that_grow_in_strips_are_those_of_the_whole(share: float, reach: int, rows: int | None) -> None:
    labels, gray = np.kron(speckled(20, 25, share=0.7), np.ones((2, 2), int)), rng.random((40, 50))
    seeds = labels * (rng.random(labels.shape) < share)
    made = numbered(labels, rows, seeds=seeds, reach=reach)
    assert np.array_equal(made, by_hand(labels, seeds, reach))
    assert len(np.unique(made)) > 5
    assert np.all((made == 0) | (labels > 0))
    found, whole = (found_in(labels, gray, cut, seeds=seeds, reach=reach) for cut in (rows, None))
    assert [*found.measured()] == [*whole.measured()]
    assert [one.area for one in found.measured()] == np.bincount(made.ravel())[1:].tolist()


@pytest.mark.parametrize("rows", [None, 1, 2])
def test_a_bridge_parts_two_objects(rows: int | None) -> None:
    """Its middle is out of reach of either, and then the first's; a blob that nothing begins in is no object."""
    labels = np.array([[1, 1, 1, 1, 1, 1, 1, 0, 1], [1, 1, 0, 0, 0, 1, 1, 0, 1]])
    seeds = np.array([[1, 1, 0, 0, 0, 1, 1, 0, 0], [1, 0, 0, 0, 0, 0, 1, 0, 0]])
    expected = [[1, 1, 1, 0, 2, 2, 2, 0, 0], [1, 1, 0, 0, 0, 2, 2, 0, 0]]
    assert numbered(labels, rows, seeds=seeds, reach=1).tolist() == expected
    expected[0][3] = 1
    assert numbered(labels, rows, seeds=seeds, reach=2).tolist() == expected


@pytest.mark.parametrize("rows", [None, 1, 2])
def test_a_pixel_between_two_seeds_goes_to_the_nearest_or_else_to_the_first(rows: int | None) -> None:
    """Left before right, above before below, a side before a corner, and never to another class."""
    beside = np.array([[1, 0, 1]])
    assert numbered(np.ones((1, 3), int), rows, seeds=beside, reach=1).tolist() == [[1, 1, 2]]
    assert numbered(np.ones((3, 1), int), rows, seeds=beside.T, reach=1).tolist() == [[1], [1], [2]]
    corner = np.array([[1, 0, 0], [0, 0, 1], [0, 0, 0]])
    found = numbered(np.array([[1, 0, 0], [0, 1, 1], [0, 0, 0]]), rows, seeds=corner, reach=1)
    assert found.tolist() == [[1, 0, 0], [0, 2, 2], [0, 0, 0]]
    other = numbered(np.array([[1, 1, 2]]), rows, seeds=np.array([[0, 0, 2]]), reach=2)
    assert other.tolist() == [[0, 0, 1]]


def test_a_spiral_through_all_strips_is_one_object() -> None:
    labels = np.zeros((30, 31), int)
    for inset in range(0, 15, 2):
        labels[inset : 30 - inset, 30 - inset] = labels[29 - inset, inset : 31 - inset] = 1
        labels[inset + 2 : 30 - inset, inset] = labels[inset, max(0, inset - 2) : 31 - inset] = 1
    assert numbered(labels, 4).max() == 1


def test_nothing_there_gives_no_objects(tmp_path: Path) -> None:
    labels = np.zeros((4, 5), int)
    assert not numbered(labels, 2).any()
    assert measured(labels, np.zeros((4, 5))) == []
    write_table(tmp_path / "a.csv", [])
    assert len((tmp_path / "a.csv").read_text().splitlines()) == 1
    write_outlines(tmp_path / "a.svg", labels)
    assert len(ElementTree.parse(tmp_path / "a.svg").getroot()) == 0


def test_an_object_by_hand() -> None:
    labels = np.array([[0, 1, 1], [0, 1, 0]])
    (one,) = measured(labels, np.array([[9, 0.2, 0.4], [9, 0.6, 9]]), 1)
    assert one[:3] == (1, "cell", 3)
    assert list(one[3:]) == pytest.approx([4 / 3, 1 / 3, 0.4], abs=1e-3)


def test_measures_are_those_of_scikit_image() -> None:
    regionprops = pytest.importorskip("skimage.measure").regionprops
    labels, gray = speckled(), rng.random((40, 50))
    made = measured(labels, gray, 9)
    assert len(made) > 20
    for one, other in zip(made, regionprops(numbered(labels), gray), strict=True):
        assert (one.number, one.area) == (other.label, other.area)
        assert (one.y, one.x) == pytest.approx(other.centroid, abs=1e-3)
        assert one.mean_intensity == pytest.approx(other.intensity_mean, abs=1e-6)


def area(points: np.ndarray) -> float:
    """By the shoelace formula."""
    x, y = points.T
    return abs(float(x @ np.roll(y, 1) - y @ np.roll(x, 1))) / 2


def inside(points: list[np.ndarray], height: int, width: int) -> np.ndarray:
    """Whether the middle of each pixel lies inside, by the even-odd rule: lines that a ray to the left crosses."""
    crossed = np.zeros((height, width), int)
    for line in points:
        for (x, y), (other_x, other_y) in zip(line, np.roll(line, -1, 0), strict=True):
            assert x == other_x or y == other_y  # along the edges of pixels
            if x == other_x:
                crossed[int(min(y, other_y)) : int(max(y, other_y)), int(x) :] += 1
    return crossed % 2 == 1


@pytest.mark.parametrize("share", [0.3, 0.5, 0.7, 0.9])
def test_outlines_give_the_pixels_back(share: float) -> None:
    """Of objects with holes, with islands, at the picture's borders, and joined at corners alone."""
    numbers = numbered((rng.random((30, 37)) < share).astype(int))
    found = outlines(numbers)
    assert sorted(found) == list(range(1, numbers.max() + 1))
    for number, lines in found.items():
        shape = numbers == number
        assert np.array_equal(inside(lines, *shape.shape), shape)
        outer, *holes = map(area, lines)
        assert outer - sum(holes) == shape.sum()


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
@pytest.mark.parametrize("rows", [1, 3, 29])
def test_outlines_in_strips_are_those_of_the_whole(
    share: float, rows: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Object by object as soon as its last row has passed, and the file in the order of their numbers."""
    monkeypatch.setattr("limner.verbs.segment.outlines._MOST_HELD", 1)
    labels = speckled(30, 37, share)
    numbers = numbered(labels)
    whole, tracer, made = outlines(numbers), Outlines(), dict[int, list[np.ndarray]]()
    for start, stop in cuts(30, rows):
        made |= dict(tracer.add(numbers[start:stop]))
        assert rows == 29 or share == 0.9 or stop < 15 or len(made) > 3  # long before the end
    made |= dict(tracer.close())
    assert sorted(made) == sorted(whole)
    for number, lines in whole.items():
        assert all(np.array_equal(*pair) for pair in zip(lines, made[number], strict=True))
    for name in ("a.svg", "a.geojson"):
        write_outlines(tmp_path / name, labels, rows)
        write_outlines(tmp_path / f"whole_{name}", labels)
        assert (tmp_path / name).read_bytes() == (tmp_path / f"whole_{name}").read_bytes()


@pytest.mark.parametrize("share", [0.3, 0.6])
def test_outlines_are_those_of_opencv(share: float) -> None:
    """Which goes along the middles of border pixels, so along their edges in a picture twice as large."""
    cv2 = pytest.importorskip("cv2")
    numbers = numbered((rng.random((20, 30)) < share).astype(int))
    for number, lines in outlines(numbers).items():
        large = np.kron((numbers == number).astype(np.uint8), np.ones((2, 2), np.uint8))
        others, _ = cv2.findContours(np.pad(large, 1), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
        expected = sorted(area(np.round((one[:, 0] - 1) / 2 + 0.25)) for one in others)
        assert sorted(map(area, lines)) == expected


def test_one_pixel_has_four_corners() -> None:
    numbers = np.zeros((4, 5), int)
    numbers[2, 3] = 1
    (line,) = outlines(numbers)[1]
    assert sorted(map(tuple, line.tolist())) == [(3, 2), (3, 3), (4, 2), (4, 3)]


def ring() -> np.ndarray:
    labels = np.zeros((6, 8), int)
    labels[1:4, 1:4], labels[2, 2], labels[4:6, 5:8] = 1, 0, 2
    return labels


def test_outlines_as_svg(tmp_path: Path) -> None:
    write_outlines(tmp_path / "a.svg", ring())
    root = ElementTree.parse(tmp_path / "a.svg").getroot()
    assert root.attrib["viewBox"] == "0 0 8 6"
    first, second = root
    assert (first.attrib["id"], first.attrib["class"], first.attrib["stroke"]) == ("object-1", "cell", "rgb(1,2,3)")
    assert (second.attrib["class"], second.attrib["stroke"]) == (NAMES[2], "rgb(255,128,0)")
    assert first.attrib["d"].count("M") == first.attrib["d"].count("Z") == 2
    assert {*second.attrib["d"].replace("M", "").replace("L", "").replace(" Z", "").split()} == {
        "5,4", "8,4", "8,6", "5,6",
    }  # fmt: skip


def test_outlines_as_geojson(tmp_path: Path) -> None:
    write_outlines(tmp_path / "a.geojson", ring())
    stated = json.loads((tmp_path / "a.geojson").read_text())
    first, second = stated["features"]
    assert first["properties"] == {"object": 1, "class": "cell"}
    rings = first["geometry"]["coordinates"]
    assert [area(np.array(one[:-1])) for one in rings] == [9, 1]
    assert all(one[0] == one[-1] for one in rings)
    assert second["properties"]["class"] == NAMES[2]


def test_tables_have_a_line_for_each(tmp_path: Path) -> None:
    write_table(tmp_path / "a.csv", measured(ring(), np.full((6, 8), 0.25)))
    with (tmp_path / "a.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert rows[0] == {
        "object": "1", "class": "cell", "area_px": "8", "centroid_x": "2.0", "centroid_y": "2.0",
        "mean_intensity": "0.25",
    }  # fmt: skip
    assert (rows[1]["class"], rows[1]["area_px"], rows[1]["centroid_x"]) == (NAMES[2], "6", "6.0")


def test_other_suffixes_and_files_that_are_there_are_refused(tmp_path: Path) -> None:
    with pytest.raises(LimnerError, match=r"contours are written as .svg or .geojson: rename it"):
        write_outlines(tmp_path / "a.png", ring())
    for name in ("a.svg", "a.csv"):
        (tmp_path / name).write_text("precious")
    with pytest.raises(LimnerError, match="already there"):
        write_outlines(tmp_path / "a.svg", ring())
    with pytest.raises(LimnerError, match="already there"):
        write_table(tmp_path / "a.csv", [])
