"""Masks of every kind, written by Pillow and read as the numbers of classes."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as PillowImage

from limner.data import masks
from limner.data.masks import Classes, ClassName, found_classes, mask_of, packed, read_classes
from limner.errors import LimnerError

NUMBERS = np.array([[0, 1, 2], [2, 1, 0]])


def saved(path: Path, array: np.ndarray, mode: str | None = None, **options: object) -> Path:
    PillowImage.fromarray(array if array.dtype == np.uint16 else array.astype(np.uint8)).convert(mode).save(
        path, **options
    )
    return path


def read_mask(path: Path, classes: Classes) -> torch.Tensor:
    return masks.read_mask(path, classes, path)


def classes(*values: int, ignored: Sequence[int] = ()) -> Classes:
    named = tuple(ClassName(name=str(value), color=(0, 0, 0), value=value) for value in values)
    return Classes(named, "values", tuple(ignored))


def colored(*values: tuple[int, int, int], ignored: Sequence[tuple[int, int, int]] = ()) -> Classes:
    named = tuple(ClassName(name=str(value), color=value, value=value) for value in values)
    return Classes(named, "colors", tuple(ignored))


def test_numbers_from_0_are_classes(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", NUMBERS)
    found = found_classes([path], "values")
    assert [(one.name, one.value) for one in found.classes] == [("class 0", 0), ("class 1", 1), ("class 2", 2)]
    assert read_mask(path, found)[0].tolist() == NUMBERS.tolist()


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif"])
def test_black_and_white_are_two_classes(tmp_path: Path, suffix: str) -> None:
    path = saved(tmp_path / f"a{suffix}", (NUMBERS == 2) * 255)
    found = found_classes([path], "values")
    assert [one.value for one in found.classes] == [0, 255]
    assert read_mask(path, found)[0].tolist() == (NUMBERS == 2).astype(int).tolist()


def test_bits_are_two_classes(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", (NUMBERS == 2) * 255, "1")
    found = found_classes([path], "values")
    assert [one.value for one in found.classes] == [0, 1]
    assert read_mask(path, found)[0].tolist() == (NUMBERS == 2).astype(int).tolist()


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_sixteen_bits_are_read_whole(tmp_path: Path, suffix: str) -> None:
    values = np.array([[0, 1000], [65_535, 256]], np.uint16)
    path = saved(tmp_path / f"a{suffix}", values)
    assert mask_of(path, "values").tolist() == values.tolist()
    assert mask_of(path, "instances").tolist() == values.tolist()
    found = found_classes([path], "values")
    assert read_mask(path, found)[0].tolist() == [[0, 2], [3, 1]]


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_the_numbers_of_a_palette_count_not_its_colours(tmp_path: Path, bits: int) -> None:
    picture = PillowImage.fromarray((NUMBERS % 2**bits).astype(np.uint8))
    picture.putpalette([200, 10, 10, 10, 200, 10, 10, 10, 200])
    picture.save(tmp_path / "a.png", bits=bits)
    assert mask_of(tmp_path / "a.png", "values").tolist() == (NUMBERS % 2**bits).tolist()
    if bits > 1:
        seen = mask_of(tmp_path / "a.png", "colors")
        assert seen[0].tolist() == packed(np.array([[200, 10, 10], [10, 200, 10], [10, 10, 200]])).tolist()


def test_values_of_all_masks_are_classes(tmp_path: Path) -> None:
    paths = [saved(tmp_path / "a.png", np.array([[0, 9]])), saved(tmp_path / "b.png", np.array([[4, 0]]))]
    found = found_classes(paths, "values")
    assert [one.value for one in found.classes] == [0, 4, 9]
    assert read_mask(paths[1], found).tolist() == [[[1, 0]]]


def test_ignored_values_are_no_class(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", np.array([[0, 255, 3, 11]]))
    found = found_classes([path], "values", [255, 11])
    assert [one.value for one in found.classes] == [0, 3]
    assert read_mask(path, found).tolist() == [[[0, -1, 1, -1]]]


def test_instances_keep_their_numbers_and_are_two_classes(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", np.array([[0, 7, 300, 65_535]], np.uint16))
    found = found_classes([path], "instances")
    assert [one.name for one in found.classes] == ["background", "object"]
    assert read_mask(path, found).tolist() == [[[0, 7, 300, 65_535]]]


def test_an_ignored_instance_is_no_object(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", np.array([[0, 7, 255]]))
    assert read_mask(path, found_classes([path], "instances", [255])).tolist() == [[[0, 7, -1]]]


RED, GREEN, GRAY = (255, 0, 0), (0, 255, 0), (128, 128, 128)


def test_colours_are_classes_and_show_themselves(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", np.array([[RED, GREEN], [GRAY, RED]]))
    found = found_classes([path], "colors")
    assert [one.value for one in found.classes] == [RED, GREEN, GRAY]  # by blue, then green, then red
    assert [one.color for one in found.classes] == [RED, GREEN, GRAY]
    assert read_mask(path, found)[0].tolist() == [[0, 1], [2, 0]]


def test_an_ignored_colour_is_no_class(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", np.array([[RED, GREEN, GRAY]]))
    found = found_classes([path], "colors", [GRAY])
    assert [one.value for one in found.classes] == [RED, GREEN]
    assert read_mask(path, found).tolist() == [[[0, 1, -1]]]


def test_gray_and_deep_masks_have_colours_too(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", np.array([[0, 128]]))
    assert read_mask(path, colored((0, 0, 0), GRAY)).tolist() == [[[0, 1]]]
    deep = saved(tmp_path / "b.png", np.array([[0, 128 * 257]], np.uint16))
    assert read_mask(deep, colored((0, 0, 0), GRAY)).tolist() == [[[0, 1]]]


def test_what_a_mask_does_not_know_is_told(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", np.array([[0, 1, 7, 7]]))
    with pytest.raises(LimnerError, match=r"a.png: masks must hold 0, 1, got also 7 in 50.0% of its pixels"):
        read_mask(path, classes(0, 1))
    of_colors = saved(tmp_path / "b.png", np.array([[RED, GREEN, GRAY, GRAY]]))
    with pytest.raises(LimnerError, match=r"hold \(255, 0, 0\), \(0, 255, 0\), got also \(128, 128, 128\) in 50.0%"):
        read_mask(of_colors, colored(RED, GREEN))
    many = saved(tmp_path / "c.png", np.arange(20)[None])
    with pytest.raises(LimnerError, match=r"got also 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13 and 6 more in 90.0%"):
        read_mask(many, classes(0, 1))


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_colours_for_numbers_are_refused_with_the_way_out(tmp_path: Path, mode: str) -> None:
    path = saved(tmp_path / "a.png", np.array([[0, 255]]), mode)
    with pytest.raises(
        LimnerError, match=rf"holds colours \({mode}\), and numbers are wanted: pass --set data.meaning"
    ):
        mask_of(path, "values")
    assert len(found_classes([path], "colors").classes) == 2


def test_blurred_masks_are_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", np.arange(65)[None])
    with pytest.raises(LimnerError, match=r"at most 64 classes, got 65 values up to .*a.png: if it was saved as JPEG"):
        found_classes([path], "values")
    assert len(found_classes([saved(tmp_path / "b.png", np.arange(64)[None])], "values").classes) == 64
    with pytest.raises(LimnerError, match=r"two classes or more, got only \[0\] in 1 files"):
        found_classes([saved(tmp_path / "c.png", np.zeros((2, 2)))], "values")


def test_names_are_as_many_as_classes() -> None:
    assert [one.name for one in classes(0, 1).named(["sky", "sea"]).classes] == ["sky", "sea"]
    with pytest.raises(LimnerError, match="names must be 2, one for each class of the masks, got 1"):
        classes(0, 1).named(["sky"])


TOML = """
[[classes]]
name = "sky"
color = [0, 0, 255]
value = 4
[[classes]]
name = "sea"
color = [0, 255, 255]
value = 2
"""


def toml(folder: Path, text: str) -> Path:
    (folder / "classes.toml").write_text(text, encoding="utf-8")
    return folder / "classes.toml"


def test_a_file_names_classes_in_its_own_order(tmp_path: Path) -> None:
    found = read_classes(toml(tmp_path, TOML), "values", [9])
    assert [(one.name, one.color, one.value) for one in found.classes] == [
        ("sky", (0, 0, 255), 4), ("sea", (0, 255, 255), 2),
    ]  # fmt: skip
    assert read_mask(saved(tmp_path / "a.png", np.array([[2, 4, 9]])), found).tolist() == [[[1, 0, -1]]]


def test_a_file_names_colours(tmp_path: Path) -> None:
    text = TOML.replace("value = 4", "value = [255, 0, 0]").replace("value = 2", "value = [0, 255, 0]")
    found = read_classes(toml(tmp_path, text), "colors")
    assert read_mask(saved(tmp_path / "a.png", np.array([[GREEN, RED]])), found).tolist() == [[[1, 0]]]
    with pytest.raises(LimnerError, match=r"values must be whole numbers for data.meaning=values: change"):
        read_classes(tmp_path / "classes.toml", "values")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must name two classes or more, got 0"),
        ("[[classes", "must list"),
        (f"classes = {'[' * 10_000}{']' * 10_000}", "must list"),
        ("classes = 3", "must list"),
        ("[classes]\nname = 'a'", "must list"),
        ("[[classes]]\nname = 'a'", "must list"),
        (TOML.replace("255]", "256]"), "must list"),
        (TOML.replace("value = 2", "value = 4"), "each class has a name and a value of its own"),
        (TOML.replace("sea", "sky"), "each class has a name and a value of its own"),
        (TOML.replace("value = 2", "value = [1, 2, 3]"), "values must be whole numbers for data.meaning=values"),
    ],
)
def test_a_file_that_names_no_classes_is_refused_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(LimnerError, match=message) as refused:
        read_classes(toml(tmp_path, text), "values")
    assert "classes.toml" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_for_instances_names_two(tmp_path: Path) -> None:
    assert len(read_classes(toml(tmp_path, TOML), "instances").classes) == 2
    third = TOML + '[[classes]]\nname = "c"\ncolor = [0, 0, 0]\nvalue = 7\n'
    with pytest.raises(LimnerError, match="must name two classes, got 3"):
        read_classes(toml(tmp_path, third), "instances")
