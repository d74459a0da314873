"""Read back by Pillow, and by our own reader of labels."""

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from limner.data.labels import read_labels
from limner.errors import LimnerError
from limner.files.indexed import write_bands, write_indexed, write_numbers

rng = np.random.default_rng(0)


@pytest.mark.parametrize("count", [2, 3, 16, 256])
def test_the_numbers_of_a_palette_are_the_classes(tmp_path: Path, count: int) -> None:
    labels, colors = rng.integers(0, count, (9, 13)), [(n, 255 - n, n // 2) for n in range(count)]
    write_indexed(tmp_path / "a.png", labels, colors)
    with PillowImage.open(tmp_path / "a.png") as picture:
        assert picture.mode == "P"
        assert np.array_equal(np.array(picture), labels)
        assert np.array_equal(np.array(picture.convert("RGB")), np.array(colors)[labels])
    assert np.array_equal(read_labels(tmp_path / "a.png")[0], labels)
    head = (tmp_path / "a.png").read_bytes()[16:26]
    assert struct.unpack(">IIBB", head) == (13, 9, 8, 3)  # width, height, bits, kind: a palette


def test_more_classes_than_a_palette_has_are_refused(tmp_path: Path) -> None:
    with pytest.raises(LimnerError, match="a palette has at most 256 classes, got 257"):
        write_indexed(tmp_path / "a.png", np.full((2, 2), 256), [(0, 0, 0)] * 257)


def test_numbers_of_sixteen_bits(tmp_path: Path) -> None:
    numbers = np.array([[0, 1, 255], [256, 40_000, 65_535]])
    write_numbers(tmp_path / "a.png", numbers)
    assert np.array_equal(read_labels(tmp_path / "a.png")[0], numbers)
    with pytest.raises(LimnerError, match="16 bits number 65,535 objects, got 65536"):
        write_numbers(tmp_path / "b.png", numbers + 1)
    assert not (tmp_path / "b.png").exists()


def test_a_page_for_each_band(tmp_path: Path) -> None:
    bands = rng.random((3, 7, 11)).astype(np.float32)
    write_bands(tmp_path / "a.tif", bands)
    with PillowImage.open(tmp_path / "a.tif") as picture:
        assert picture.n_frames == 3  # type: ignore[attr-defined]
        for number, band in enumerate(bands):
            picture.seek(number)
            assert picture.mode == "F"
            assert np.array_equal(np.array(picture), band)


@pytest.mark.parametrize(
    ("write", "suffix"),
    [
        (lambda path, **options: write_indexed(path, np.zeros((2, 2), int), [(0, 0, 0)], **options), ".png"),
        (lambda path, **options: write_numbers(path, np.zeros((2, 2), int), **options), ".png"),
        (lambda path, **options: write_bands(path, np.zeros((1, 2, 2)), **options), ".tif"),
    ],
)
def test_what_is_there_and_other_suffixes_are_refused(tmp_path: Path, write: Callable, suffix: str) -> None:
    with pytest.raises(LimnerError, match=f"must end in {suffix}: rename it"):
        write(tmp_path / "a.jpg")
    path = tmp_path / f"a{suffix}"
    path.write_text("precious")
    with pytest.raises(LimnerError, match="is already there"):
        write(path)
    assert path.read_text() == "precious"
    write(path, overwrite=True)
    assert path.read_bytes() != b"precious"
