"""Objects by hand, by scikit-image, and outlines that give the areas back."""

import csv
import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest

from limner.errors import LimnerError
from limner.verbs.segment.objects import measured, numbered, outlines, write_outlines, write_table
from limner.verbs.segment.segmenter import Segmentation

rng = np.random.default_rng(0)


def segmentation(labels: np.ndarray) -> Segmentation:
    names = ("ground", "cell", 'a <b> & "c"')
    colors = ((0, 0, 0), (1, 2, 3), (255, 128, 0))
    return Segmentation(labels, np.eye(3, dtype=np.float32)[labels].transpose(2, 0, 1), names, colors)


def test_objects_are_numbered_class_by_class() -> None:
    labels = np.array([[2, 0, 1, 0, 2], [0, 0, 0, 1, 0], [1, 0, 0, 0, 2]])
    numbers, names = numbered(segmentation(labels))
    assert numbers.tolist() == [[3, 0, 1, 0, 4], [0, 0, 0, 1, 0], [2, 0, 0, 0, 5]]
    assert names == ["cell", "cell", *[segmentation(labels).names[2]] * 3]


def test_nothing_there_gives_no_objects(tmp_path: Path) -> None:
    numbers, names = numbered(segmentation(np.zeros((4, 5), int)))
    assert names == []
    assert measured(numbers, names, np.zeros((4, 5))) == []
    write_table(tmp_path / "a.csv", [])
    assert len((tmp_path / "a.csv").read_text().splitlines()) == 1
    write_outlines(tmp_path / "a.svg", segmentation(numbers), numbers, names)
    assert len(ElementTree.parse(tmp_path / "a.svg").getroot()) == 0


def test_an_object_by_hand() -> None:
    numbers = np.array([[0, 1, 1], [0, 1, 0]])
    (one,) = measured(numbers, ["cell"], np.array([[9, 0.2, 0.4], [9, 0.6, 9]]))
    assert one[:3] == (1, "cell", 3)
    assert list(one[3:]) == pytest.approx([4 / 3, 1 / 3, 0.4], abs=1e-3)


def test_measures_are_those_of_scikit_image() -> None:
    regionprops = pytest.importorskip("skimage.measure").regionprops
    labels, gray = (rng.random((40, 50)) > 0.7) * rng.integers(1, 3, (40, 50)), rng.random((40, 50))
    numbers, names = numbered(segmentation(labels))
    assert len(names) > 20
    for one, other in zip(measured(numbers, names, gray), regionprops(numbers, gray), strict=True):
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
    numbers, names = numbered(segmentation((rng.random((30, 37)) < share).astype(int)))
    found = outlines(numbers)
    assert sorted(found) == list(range(1, len(names) + 1))
    for number, lines in found.items():
        shape = numbers == number
        assert np.array_equal(inside(lines, *shape.shape), shape)
        outer, *holes = map(area, lines)
        assert outer - sum(holes) == shape.sum()


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
    made = segmentation(ring())
    write_outlines(tmp_path / "a.svg", made, *numbered(made))
    root = ElementTree.parse(tmp_path / "a.svg").getroot()
    assert root.attrib["viewBox"] == "0 0 8 6"
    first, second = root
    assert (first.attrib["id"], first.attrib["class"], first.attrib["stroke"]) == ("object-1", "cell", "rgb(1,2,3)")
    assert (second.attrib["class"], second.attrib["stroke"]) == (made.names[2], "rgb(255,128,0)")
    assert first.attrib["d"].count("M") == first.attrib["d"].count("Z") == 2
    assert {*second.attrib["d"].replace("M", "").replace("L", "").replace(" Z", "").split()} == {
        "5,4", "8,4", "8,6", "5,6",
    }  # fmt: skip


def test_outlines_as_geojson(tmp_path: Path) -> None:
    made = segmentation(ring())
    write_outlines(tmp_path / "a.geojson", made, *numbered(made))
    stated = json.loads((tmp_path / "a.geojson").read_text())
    first, second = stated["features"]
    assert first["properties"] == {"object": 1, "class": "cell"}
    rings = first["geometry"]["coordinates"]
    assert [area(np.array(one[:-1])) for one in rings] == [9, 1]
    assert all(one[0] == one[-1] for one in rings)
    assert second["properties"]["class"] == made.names[2]


def test_tables_have_a_line_for_each(tmp_path: Path) -> None:
    made = segmentation(ring())
    write_table(tmp_path / "a.csv", measured(*numbered(made), np.full((6, 8), 0.25)))
    with (tmp_path / "a.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert rows[0] == {
        "object": "1", "class": "cell", "area_px": "8", "centroid_x": "2.0", "centroid_y": "2.0",
        "mean_intensity": "0.25",
    }  # fmt: skip
    assert (rows[1]["class"], rows[1]["area_px"], rows[1]["centroid_x"]) == (made.names[2], "6", "6.0")


def test_other_suffixes_and_files_that_are_there_are_refused(tmp_path: Path) -> None:
    made = segmentation(ring())
    with pytest.raises(LimnerError, match=r"contours are written as .svg or .geojson: rename it"):
        write_outlines(tmp_path / "a.png", made, *numbered(made))
    for name in ("a.svg", "a.csv"):
        (tmp_path / name).write_text("precious")
    with pytest.raises(LimnerError, match="already there"):
        write_outlines(tmp_path / "a.svg", made, *numbered(made))
    with pytest.raises(LimnerError, match="already there"):
        write_table(tmp_path / "a.csv", [])
