import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from limner.data.degrade import bicubic_enlarge, crop_to_multiple, low_resolution, published_low_resolution
from limner.errors import LimnerError
from limner.files.image import read_image
from limner.ops.resample import imresize


def test_crop_keeps_the_top_left() -> None:
    image = torch.arange(7 * 11).reshape(1, 7, 11)
    assert torch.equal(crop_to_multiple(image, 3), image[:, :6, :9])
    assert torch.equal(crop_to_multiple(image, 1), image)


@pytest.mark.parametrize("scale", [0, -2, 8])
def test_crop_refuses_what_leaves_nothing(scale: int) -> None:
    with pytest.raises(LimnerError, match="got 7x11"):
        crop_to_multiple(torch.zeros(1, 7, 11), scale)


def test_low_resolution_is_matlabs_imresize_with_mirrored_border() -> None:
    image = torch.rand(2, 3, 12, 18, dtype=torch.float64) * 3 - 1
    assert torch.equal(low_resolution(image, 3), imresize(image, 1 / 3, border="symmetric"))


@pytest.mark.parametrize("scale", [2, 3, 4, 5, 6, 7, 8])
def test_one_over_scale_never_rounds_up_to_another_pixel(scale: int) -> None:
    assert all(math.ceil(1 / scale * (k * scale)) == k for k in range(1, 20_000))


def test_published_low_resolution_by_value() -> None:
    step = torch.tensor([[[0, 0, 0, 0, 255, 255, 255, 255]] * 2], dtype=torch.uint8)
    # by hand: at 1/2 the taps are (-3, -9, 29, 111, 111, 29, -9, -3) / 256, the border repeated, halves up, clipped:
    # -12 * 255 / 256 = -11.95, 17 * 255 / 256 = 16.93 and their mirror images
    assert published_low_resolution(step, 2).tolist() == [[[0, 17, 238, 255]]]


@pytest.mark.slow
@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("name", ["Set5", "Set14"])
def test_published_low_resolution_bit_for_bit(shared_data: Callable[[str], Path], name: str, scale: int) -> None:
    folder = shared_data(f"sr_test/{name}")
    for path in sorted((folder / "HR").iterdir()):
        high = torch.from_numpy(read_image(path).pixels).permute(2, 0, 1)
        published = torch.from_numpy(read_image(folder / f"LR_bicubic_x{scale}" / f"{path.stem}.png").pixels)
        small = published_low_resolution(crop_to_multiple(high, scale), scale)
        assert torch.equal(small.expand(published.shape[2], -1, -1), published.permute(2, 0, 1)), path.stem


def test_enlarging_is_matlabs_imresize_unclipped() -> None:
    step = torch.tensor([[0.0, 0, 0, 0, 1, 1, 1, 1]]).expand(8, 8)
    large = bicubic_enlarge(step, 2)
    assert torch.equal(large, imresize(step, 2))
    assert large.shape == (16, 16)
    assert large.min() < 0
    assert large.max() > 1
