import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage
from scipy.ndimage import gaussian_filter

from limner.data.label_colors import found_colors, is_lossy, labels_of, nearest_labels
from limner.data.masks import ClassName
from limner.errors import LimnerError

COLORS = ((0, 0, 170), (255, 80, 0), (32, 255, 223))
CLASSES = [ClassName(name=name, color=color, value=color) for name, color in zip("abc", COLORS, strict=True)]
NUMBERS = np.kron(np.random.default_rng(0).integers(0, 3, (6, 8)), np.ones((21, 21), int))
PIXELS = np.array(COLORS, np.uint8)[NUMBERS]


def as_jpeg(pixels: np.ndarray) -> np.ndarray:
    file = io.BytesIO()
    PillowImage.fromarray(pixels).save(file, "JPEG", quality=90)
    return np.array(PillowImage.open(file))


def test_colors_of_a_jpeg_are_found_again_and_snapped() -> None:
    blurred = as_jpeg(PIXELS)
    assert len(np.unique(blurred.reshape(-1, 3), axis=0)) > 64
    found = found_colors([blurred, blurred])
    assert found == found_colors([blurred], lossy=True)
    assert len(found) == 3
    for color, near in zip(sorted(COLORS), found, strict=True):
        assert np.abs(np.subtract(color, near)).max() <= 3
    labels = labels_of(blurred, CLASSES, "a.jpg", nearest=True)
    inner = np.kron(np.ones((6, 8), bool), np.pad(np.ones((13, 13), bool), 4))
    assert (labels == NUMBERS)[inner].all()
    assert (labels == NUMBERS).mean() > 0.97


def test_a_smooth_border_is_of_no_third_class() -> None:
    """From blue to orange come violet and brown, which would be read as red."""
    colors = ((0, 48, 255), (255, 159, 0), (175, 0, 0))
    classes = [ClassName(name=name, color=color, value=color) for name, color in zip("abc", colors, strict=True)]
    wanted = np.zeros((40, 40), int)
    wanted[10:30, 12:28] = 1
    wanted[33:36] = 2
    smooth = np.array(colors, float)[wanted]
    smooth = gaussian_filter(smooth, (0.7, 0.7, 0)).round().astype(np.uint8)
    assert ((nearest_labels(smooth, classes) == 2) == (wanted == 2)).mean() > 0.985
    assert not (nearest_labels(smooth, classes)[:31] == 2).any()
    assert (nearest_labels(smooth, classes) == wanted).mean() > 0.98


def test_few_colors_are_all_kept_however_near_they_lie() -> None:
    pixels = np.array([[[0, 0, 0], [1, 1, 1], [2, 2, 2]]], np.uint8)
    assert found_colors([pixels]) == ((0, 0, 0), (1, 1, 1), (2, 2, 2))
    with pytest.raises(LimnerError, match="must have two colours or more"):
        found_colors([pixels[:, :1]])


def test_a_color_of_no_class_is_named_with_its_place_and_the_nearest() -> None:
    pixels = PIXELS.copy()
    pixels[5:20, 40:70] = (250, 90, 20)
    with pytest.raises(LimnerError, match=r"^a.png: \(250, 90, 20\) at column 40, row 5 is no .*\(2.1% .*80, 0\), b:"):
        labels_of(pixels, CLASSES, "a.png")
    assert (labels_of(pixels, CLASSES, "a.png", nearest=True)[5:20, 40:70] == 1).all()


def test_a_part_of_an_unknown_color_is_refused_in_a_jpeg_too() -> None:
    pixels = PIXELS.copy()
    pixels[16:48, 16:48] = (255, 255, 255)
    with pytest.raises(LimnerError, match="is no colour of a class"):
        labels_of(as_jpeg(pixels), CLASSES, "a.jpg", nearest=True)


def test_which_files_have_lost_colors() -> None:
    assert [is_lossy(Path(name)) for name in ("a.JPG", "a.webp", "a.png", "a.tif")] == [True, True, False, False]
