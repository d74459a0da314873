"""Read back by Pillow, and by our own reader of labels."""

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from limner.data.labels import read_labels
from limner.errors import LimnerError
from limner.files import strip_tiff
from limner.files.indexed import write_bands, write_indexed, write_numbers

rng = np.random.default_rng(0)


def rows_of(whole: np.ndarray) -> Callable[[int, int], np.ndarray]:
    return lambda start, stop: whole[start:stop]


@pytest.mark.parametrize("count", [2, 3, 16, 256])
def test_the_numbers_of_a_palette_are_the_classes(tmp_path: Path, count: int) -> None:
    labels, colors = rng.integers(0, count, (9, 13)), [(n, 255 - n, n // 2) for n in range(count)]
    write_indexed(tmp_path / "a.png", labels.shape, rows_of(labels), colors)
    with PillowImage.open(tmp_path / "a.png") as picture:
        assert picture.mode == "P"
        assert np.array_equal(np.array(picture), labels)
        assert np.array_equal(np.array(picture.convert("RGB")), np.array(colors)[labels])
    assert np.array_equal(read_labels(tmp_path / "a.png")[0], labels)
    head = (tmp_path / "a.png").read_bytes()[16:26]
    assert struct.unpack(">IIBB", head) == (13, 9, 8, 3)  # width, height, bits, kind: a palette


def test_more_classes_than_a_palette_has_are_refused(tmp_path: Path) -> None:
    with pytest.raises(LimnerError, match="a palette has at most 256 classes, got 257"):
        write_indexed(tmp_path / "a.png", (2, 2), rows_of(np.full((2, 2), 256)), [(0, 0, 0)] * 257)


def test_numbers_of_sixteen_bits(tmp_path: Path) -> None:
    numbers = np.array([[0, 1, 255], [256, 40_000, 65_535]])
    write_numbers(tmp_path / "a.png", (2, 3), rows_of(numbers))
    assert np.array_equal(read_labels(tmp_path / "a.png")[0], numbers)


def test_numbers_of_thirty_two_bits(tmp_path: Path) -> None:
    numbers = rng.integers(0, 2**31, (300, 40))
    write_numbers(tmp_path / "a.tif", numbers.shape, rows_of(numbers))
    with PillowImage.open(tmp_path / "a.tif") as picture:
        assert np.array_equal(np.array(picture), numbers)
    tifffile = pytest.importorskip("tifffile")
    read = tifffile.imread(tmp_path / "a.tif")
    assert read.dtype == np.uint32
    assert np.array_equal(read, numbers)


@pytest.mark.parametrize("is_big", [False, True])
def test_a_page_for_each_band(tmp_path: Path, is_big: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if is_big:
        monkeypatch.setattr(strip_tiff, "_CLASSIC_BYTES", 10_000)
    bands = rng.random((3, 270, 11)).astype(np.float32)
    write_bands(tmp_path / "a.tif", (270, 11), [rows_of(band) for band in bands])
    assert (tmp_path / "a.tif").read_bytes()[2] == (43 if is_big else 42)
    with PillowImage.open(tmp_path / "a.tif") as picture:
        assert picture.n_frames == 3  # type: ignore[attr-defined]
        for number, band in enumerate(bands):
            picture.seek(number)
            assert picture.mode == "F"
            assert np.array_equal(np.array(picture), band)
    tifffile = pytest.importorskip("tifffile")
    assert np.array_equal(tifffile.imread(tmp_path / "a.tif"), bands)


@pytest.mark.parametrize(
    ("write", "suffix"),
    [
        (
            lambda path, **options: write_indexed(path, (2, 2), rows_of(np.zeros((2, 2))), [(0, 0, 0)], **options),
            ".png",
        ),
        (lambda path, **options: write_numbers(path, (2, 2), rows_of(np.zeros((2, 2))), **options), ".png"),
        (lambda path, **options: write_bands(path, (2, 2), [rows_of(np.zeros((2, 2)))], **options), ".tif"),
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
