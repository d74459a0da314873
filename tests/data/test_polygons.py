"""Polygons and runs by hand, by a slow even-odd rule, and as masks that a folder is learnt from."""

import base64
import io
import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as PillowImage

from limner.data.masks import found_classes, read_classes, read_mask
from limner.data.polygons import classes_of_pixels, filled, labels_of, objects_of_pixels
from limner.data.segmented import SegmentedConfig
from limner.errors import LimnerError

HEIGHT, WIDTH = 16, 24
LABELS = ["background", "cell", "dirt"]


def picture(path: Path, size: tuple[int, int] = (WIDTH, HEIGHT)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    PillowImage.new("L", size, 90).save(path)
    return path


def box(left: float, top: float, right: float, bottom: float) -> list[list[float]]:
    return [[left, top], [right, top], [right, bottom], [left, bottom]]


def shape(label: str, points: list[list[float]], kind: str = "polygon", group: int | None = None) -> dict[str, Any]:
    return {"label": label, "points": points, "shape_type": kind, "group_id": group, "flags": {}}


def labelme(path: Path, *shapes: dict[str, Any], size: tuple[int, int] = (WIDTH, HEIGHT)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    told = {"version": "5.5.0", "imageData": None, "imagePath": "a.png", "shapes": shapes}
    path.write_text(json.dumps(told | {"imageWidth": size[0], "imageHeight": size[1]}))
    return path


def annotation(number: int, image: int, kind: int, outline: Any, area: float, **more: Any) -> dict[str, Any]:
    return {"id": number, "image_id": image, "category_id": kind, "segmentation": outline, "area": area} | more


def coco(path: Path, *annotations: dict[str, Any], names: tuple[str, ...] = ("a.png", "b.png")) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    images = [{"id": 7 + n, "file_name": f"x/{name}", "height": HEIGHT, "width": WIDTH} for n, name in enumerate(names)]
    categories = [{"id": 5, "name": "dirt"}, {"id": 2, "name": "cell"}]
    path.write_text(json.dumps({"images": images, "annotations": annotations, "categories": categories}))
    return path


def flat(points: list[list[float]]) -> list[float]:
    return [value for point in points for value in point]


def test_a_pixel_is_inside_if_its_middle_is() -> None:
    """Counted crossing by crossing, to the right of each middle."""
    rng = np.random.default_rng(0)
    for _ in range(20):
        ring = rng.uniform(-4, 28, (rng.integers(3, 9), 2))
        expected = np.zeros((HEIGHT, WIDTH), bool)
        for y in range(HEIGHT):
            for x in range(WIDTH):
                for (x0, y0), (x1, y1) in zip(ring, np.roll(ring, -1, 0), strict=True):
                    if (y0 <= y + 0.5) != (y1 <= y + 0.5):
                        expected[y, x] ^= x + 0.5 < x0 + (y + 0.5 - y0) / (y1 - y0) * (x1 - x0)
        assert np.array_equal(filled(ring, HEIGHT, WIDTH), expected)


def test_two_polygons_side_by_side_share_no_pixel_and_leave_none() -> None:
    corner = np.array([[0, 0], [24, 0], [24, 16.0]]), np.array([[0, 0], [24, 16], [0, 16.0]])
    one, other = (filled(ring, HEIGHT, WIDTH) for ring in corner)
    assert np.array_equal(one, ~other)


def test_labelme_shapes_are_painted_in_their_order(tmp_path: Path) -> None:
    photo = picture(tmp_path / "a.png")
    path = labelme(
        tmp_path / "a.json", shape("cell", box(2, 3, 10, 9)), shape("dirt", [[4, 4], [6, 6]], "rectangle"),
        shape("cell", [[16, 8], [16, 12]], "circle"), shape("__ignore__", box(0, 14, 24, 16)),
        shape("_background_", box(9, 3, 10, 9)),
    )  # fmt: skip
    found = classes_of_pixels(path, photo, LABELS)
    expected = np.zeros((HEIGHT, WIDTH), int)
    expected[3:9, 2:9], expected[4:6, 4:6] = 1, 2
    y, x = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    expected[np.hypot(x - 16, y - 8) < 3.99] = 1
    expected[14:] = -1
    assert np.array_equal(found, expected)
    assert labels_of([path]) == ["cell", "dirt"]
    numbers = objects_of_pixels(path, photo)
    assert sorted(np.unique(numbers)) == [-1, 0, 1, 2, 3]
    assert np.array_equal(numbers > 0, expected > 0)


def masked(label: str, left: int, top: int, mask: Any, group: int | None = None) -> dict[str, Any]:
    """As LabelMe writes what is painted, or made by its models."""
    file = io.BytesIO()
    PillowImage.fromarray(np.asarray(mask, np.uint8)).save(file, "PNG")
    height, width = np.shape(mask)
    points = [[float(left), float(top)], [float(left + width - 1), float(top + height - 1)]]
    return shape(label, points, "mask", group) | {"mask": base64.b64encode(file.getvalue()).decode()}


def test_masks_of_labelme_lie_where_their_first_point_says(tmp_path: Path) -> None:
    photo = picture(tmp_path / "a.png")
    ring = [[1, 1, 1], [1, 0, 1]]
    path = labelme(
        tmp_path / "a.json", shape("dirt", box(0, 0, 6, 6)), masked("cell", 4, 5, ring),
        masked("cell", WIDTH - 2, HEIGHT - 1, [[1, 1]]), masked("dirt", 10, 10, [[0]]),
    )  # fmt: skip
    expected = np.zeros((HEIGHT, WIDTH), int)
    expected[:6, :6] = 2
    expected[5, 4:7] = expected[6, [4, 6]] = expected[HEIGHT - 1, WIDTH - 2 :] = 1
    assert np.array_equal(classes_of_pixels(path, photo, LABELS), expected)
    both = labelme(tmp_path / "b.json", masked("cell", 0, 0, [[1]], 3), masked("cell", 9, 9, [[1]], 3))
    assert objects_of_pixels(both, photo).max() == 1


def test_shapes_of_a_group_are_one_object(tmp_path: Path) -> None:
    photo = picture(tmp_path / "a.png")
    shapes = [shape("cell", box(2 * n, 0, 2 * n + 1, 4), group=group) for n, group in enumerate((1, None, 1, 2, None))]
    numbers = objects_of_pixels(labelme(tmp_path / "a.json", *shapes), photo)
    assert numbers[0, :10].tolist() == [1, 0, 2, 0, 1, 0, 3, 0, 4, 0]


def test_coco_polygons_and_runs(tmp_path: Path) -> None:
    """2 + 3 pixels down the first column, then one more after 20, and their complement's rest."""
    photo = picture(tmp_path / "a.png")
    runs = [2, 3, 20, 1, HEIGHT * WIDTH - 26]
    path = coco(
        tmp_path / "all.json", annotation(1, 7, 5, [flat(box(5, 5, 7, 7))], 4),
        annotation(2, 7, 2, [flat(box(4, 4, 10, 10)), flat(box(12, 4, 14, 6))], 40),
        annotation(3, 7, 2, {"counts": runs, "size": [HEIGHT, WIDTH]}, 4),
        annotation(4, 8, 5, [flat(box(0, 0, 24, 16))], 384),
        annotation(5, 7, 2, [flat(box(20, 0, 24, 2))], 8, iscrowd=1),
    )  # fmt: skip
    expected = np.zeros((HEIGHT, WIDTH), int)
    expected[4:10, 4:10] = expected[4:6, 12:14] = 1
    expected[5:7, 5:7] = 2  # the smaller one lies on top, though it comes first
    expected.T.ravel()  # down the columns
    down = np.zeros(HEIGHT * WIDTH, bool)
    down[2:5], down[25] = True, True
    expected[down.reshape(WIDTH, HEIGHT).T] = 1
    expected[:2, 20:] = -1
    assert np.array_equal(classes_of_pixels(path, photo, LABELS), expected)
    assert labels_of([path]) == ["cell", "dirt"]  # by number
    assert objects_of_pixels(path, photo).max() == 3 + 1
    assert classes_of_pixels(path, picture(tmp_path / "b.png"), LABELS).min() == 2


def packed(runs: list[int]) -> str:
    """COCO's packing, written down from its definition: the inverse of what is tested."""
    text = ""
    for index, run in enumerate(runs):
        left = run - runs[index - 2] if index > 2 else run
        more = True
        while more:
            value, left = left & 31, left >> 5
            more = left != (-1 if value & 16 else 0)
            text += chr(48 + (value | 32 * more))
    return text


def test_packed_runs(tmp_path: Path) -> None:
    photo = picture(tmp_path / "a.png")
    runs = [40, 7, 9, 100, 1, 1, 2, HEIGHT * WIDTH - 160]
    both = [{"counts": one, "size": [HEIGHT, WIDTH]} for one in (runs, packed(runs))]
    made = [classes_of_pixels(coco(tmp_path / f"{n}.json", annotation(1, 7, 2, one, 1)), photo, LABELS)
            for n, one in enumerate(both)]  # fmt: skip
    assert np.array_equal(*made)
    assert made[0].sum() == 7 + 100 + 1 + HEIGHT * WIDTH - 160


@pytest.mark.parametrize("where", ["masks", "images", "annotations"])
def test_a_folder_of_labelme_is_learnt_from(tmp_path: Path, where: str) -> None:
    for name in ("a", "b"):
        picture(tmp_path / "images" / f"{name}.png")
    labelme(tmp_path / where / "a.json", shape("cell", box(2, 3, 10, 9)))
    labelme(tmp_path / where / "b.json", shape("dirt", box(0, 0, 4, 4)), shape("cell", box(8, 8, 9, 9)))
    config = SegmentedConfig(patch=16)
    assert config.pairs(tmp_path)[0] == (tmp_path / "images" / "a.png", tmp_path / where / "a.json")
    facts = config.facts(tmp_path)
    assert (facts["num_classes"], facts["class_names"]) == (3, ["background", "cell", "dirt"])
    assert [(one.label == 1).sum().item() for one in config.load(tmp_path).marked] == [48, 1]
    renamed = config.model_copy(update={"names": ("ground", "nucleus", "dust")})
    assert renamed.facts(tmp_path)["class_names"] == ["ground", "nucleus", "dust"]
    assert (renamed.load(tmp_path).marked[1].label == 2).sum() == 16
    objects = config.model_copy(update={"meaning": "instances", "border_weight": 10.0})
    assert objects.facts(tmp_path)["num_classes"] == 2
    assert objects.load(tmp_path).marked[1].label.sum() == 17


@pytest.mark.parametrize("place", ["all.json", "annotations/instances.json", "masks/all.json"])
def test_one_file_of_coco_for_the_folder(tmp_path: Path, place: str) -> None:
    for name in ("a", "b"):
        picture(tmp_path / "images" / f"{name}.png")
    path = coco(tmp_path / place, annotation(1, 7, 2, [flat(box(2, 3, 10, 9))], 48))
    config = SegmentedConfig(patch=16)
    assert [mask for _, mask in config.pairs(tmp_path)] == [path, path]
    assert config.facts(tmp_path)["class_names"] == ["background", "cell", "dirt"]
    assert [(one.label > 0).sum().item() for one in config.load(tmp_path).marked] == [48, 0]
    assert len(config.files(tmp_path)) == 3
    named = SegmentedConfig(patch=16, masks=place)
    assert named.pairs(tmp_path) == config.pairs(tmp_path)


def test_classes_that_are_named_are_found_by_name(tmp_path: Path) -> None:
    photo = picture(tmp_path / "a.png")
    (tmp_path / "classes.toml").write_text(
        "".join(f'[[classes]]\nname = "{name}"\ncolor = [{n}, 0, 0]\nvalue = {n}\n'
                for n, name in enumerate(("ground", "dirt", "cell")))
    )  # fmt: skip
    classes = read_classes(tmp_path / "classes.toml", "values")
    path = labelme(tmp_path / "a.json", shape("cell", box(0, 0, 4, 4)))
    assert read_mask(path, classes, photo)[0, 0, :5].tolist() == [2, 2, 2, 2, 0]


def cut_png() -> bytes:
    file = io.BytesIO()
    PillowImage.fromarray(np.random.default_rng(0).integers(0, 2, (9, 9), np.uint8)).save(file, "PNG")
    return file.getvalue()[:-30]


def bomb() -> bytes:
    """A head that says 60,000 pixels a side, and little after it."""
    file = io.BytesIO()
    PillowImage.new("L", (1, 1)).save(file, "PNG")
    head = b"IHDR" + (60_000).to_bytes(4, "big") * 2 + bytes([8, 0, 0, 0, 0])
    data = file.getvalue()
    return data[:12] + head + zlib.crc32(head).to_bytes(4, "big") + data[33:]


def test_what_is_wrong_is_told_in_one_line(tmp_path: Path) -> None:
    photo = picture(tmp_path / "a.png")

    def refused(path: Path, message: str) -> None:
        with pytest.raises(LimnerError, match=message) as error:
            classes_of_pixels(path, photo, LABELS)
        assert "\n" not in str(error.value)
        assert path.name in str(error.value)

    cell = shape("cell", box(0, 0, 4, 4))
    refused(labelme(tmp_path / "1.json", cell, shape("cel", box(0, 0, 1, 1))),
            r"polygons on a.png must be of cell, dirt, got also cel: rename them")  # fmt: skip
    refused(labelme(tmp_path / "2.json", cell, size=(20, 10)), r"drawn on 20x10 pixels, and .*a.png has 24x16")
    refused(labelme(tmp_path / "3.json", shape("cell", [[1, 1]], "point")), "a point of 1 points, which has no area")
    refused(labelme(tmp_path / "4.json", {"points": []}), "is not as LabelMe writes it")
    refused(coco(tmp_path / "5.json", names=("b.png",)), "names 0 pictures a.png, and there must be one")
    refused(coco(tmp_path / "6.json", annotation(4, 7, 2, [[1, 2, 3, 4]], 1)), "annotation 4 of cell is no polygon")
    refused(coco(tmp_path / "7.json", annotation(4, 7, 9, [flat(box(0, 0, 1, 1))], 1)), "is not as COCO has it")
    refused(coco(tmp_path / "8.json", annotation(4, 7, 2, {"counts": [1, 2]}, 1)), "runs of 3 pixels in annotation 4")
    refused(labelme(tmp_path / "12.json", masked("cell", 20, 0, np.ones((2, 9)))), "a mask of 9x2 pixels at 20,0")
    refused(labelme(tmp_path / "13.json", cell | {"shape_type": "mask"}), "is not as LabelMe writes it .*'mask'")
    for number, packed_mask in enumerate((b"no picture", cut_png(), bomb())):
        broken = masked("cell", 0, 0, [[1]]) | {"mask": base64.b64encode(packed_mask).decode()}
        refused(labelme(tmp_path / f"14{number}.json", broken), "is not as LabelMe writes it")
    (tmp_path / "9.json").write_text("{}")
    refused(tmp_path / "9.json", "neither LabelMe's shapes nor COCO's images")
    (tmp_path / "10.json").write_text("{")
    refused(tmp_path / "10.json", "is no JSON .*: export it again")
    with pytest.raises(LimnerError, match=r"there are no polygons in 1 files: draw some"):
        found_classes([labelme(tmp_path / "11.json")], "values")
    with pytest.raises(LimnerError, match=r"masks must be pictures or polygons, got both, as .*a.png"):
        found_classes([tmp_path / "1.json", photo], "values")
    with pytest.raises(LimnerError, match=r"polygons have names of classes, no values"):
        found_classes([tmp_path / "1.json"], "colors")
