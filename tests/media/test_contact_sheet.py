"""Every picture is on the sheet, at its place, below its label."""

import numpy as np
import pytest
import torch

from limner.errors import LimnerError
from limner.media.contact_sheet import Panel, contact_sheet


def test_panels_are_magnified_by_whole_pixels_and_labelled() -> None:
    images = [torch.rand(1, 3, 40, 50) for _ in range(3)]
    sheet = contact_sheet([Panel(f"label {number}", image) for number, image in enumerate(images)], least=480).pixels
    assert sheet.shape == (44 + 400 + 16, 16 + 3 * (500 + 16), 3)
    for number, image in enumerate(images):
        left = 16 + number * 516
        expected = (image[0].permute(1, 2, 0) * 255).round().numpy()
        assert np.array_equal(sheet[44 + 5 : 444 : 10, left + 5 : left + 500 : 10], expected)
        assert sheet[:44, left : left + 100].min() < 64, "there is a label, dark on white"
    assert sheet[-16:].min() == 255


def test_rows_are_filled_one_after_another() -> None:
    images = [torch.full((1, 3, 20, 30), value) for value in (0.0, 0.2, 0.4, 0.6, 0.8)]
    sheet = contact_sheet([Panel("x", image) for image in images], columns=2).pixels
    assert sheet.shape == (3 * (44 + 20 + 16), 16 + 2 * (30 + 16), 3)
    for number, image in enumerate(images):
        top, left = 44 + number // 2 * 80, 16 + number % 2 * 46
        part = sheet[top : top + 20, left : left + 30]
        assert np.array_equal(part, np.full_like(part, round(255 * image[0, 0, 0, 0].item())))
    assert sheet[-36:, 62:].min() == 255, "the last row is not full"


def test_pictures_of_two_sizes_are_refused() -> None:
    with pytest.raises(LimnerError, match="a sheet takes pictures of one size, got 2"):
        contact_sheet([Panel("a", torch.rand(1, 3, 4, 4)), Panel("b", torch.rand(1, 3, 4, 5))])
