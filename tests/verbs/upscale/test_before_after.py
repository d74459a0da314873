import math

import numpy as np
import pytest
import torch
from PIL import Image as PillowImage
from torch import Tensor

from limner.data.degrade import published_low_resolution
from limner.errors import LimnerError
from limner.files.image import Picture
from limner.ops.color import luminance
from limner.verbs.upscale.before_after import before_after, most_detailed, with_truth
from limner.verbs.upscale.upscale import Upscaler


class Nearest(Upscaler):
    """An upscaler without a model."""

    def __init__(self, scale: float = 2) -> None:
        self.scale = scale

    def enlarge(self, image: Tensor, scale: int | None = None) -> Tensor:
        assert image.shape == (1, 3, 60, 70)
        return image.repeat_interleave(2, 2).repeat_interleave(2, 3)


def picture(height: int, width: int, channels: int = 3, seed: int = 0) -> Picture:
    return Picture(np.random.default_rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8))


def test_the_most_detailed_window_is_where_the_detail_is() -> None:
    image = torch.full((1, 3, 100, 120), 0.5)
    image[..., 60:80, 30:50] = torch.rand(20, 20)
    top, left, height, width = most_detailed(image, 40)
    assert (height, width) == (40, 40)
    assert top <= 60 <= 80 <= top + 40
    assert left <= 30 <= 50 <= left + 40


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (30, 5), (200, 3)])
def test_the_window_is_never_larger_than_the_picture(size: tuple[int, int]) -> None:
    top, left, height, width = most_detailed(torch.rand(1, 3, *size), 16)
    assert 0 <= top <= top + height <= size[0]
    assert 0 <= left <= left + width <= size[1]


@pytest.mark.parametrize("scale", [2, 3, 1.5, 2.7])
def test_before_and_after_show_the_same_place(scale: float) -> None:
    small = picture(90, 80)
    size = (round(80 * scale), round(90 * scale))
    nearest = PillowImage.fromarray(small.pixels).resize(size, PillowImage.Resampling.BICUBIC)
    sheet = before_after(small, Picture(np.asarray(nearest)), scale, label="mine").pixels.astype(float)
    width = (sheet.shape[1] - 48) // 2
    left, right = sheet[60:, 16 : 16 + width], sheet[60:, 32 + width : 32 + 2 * width]
    assert np.abs(left - right).mean() < 12


@pytest.mark.parametrize("channels", [1, 3])
def test_gray_and_transparent_pictures_of_any_depth(channels: int) -> None:
    before = picture(5, 7, channels)
    deep = Picture(before.pixels.astype(np.uint16) * 257, np.zeros((5, 7), np.uint16), icc_profile=b"p")
    after = Picture(np.zeros((10, 14, channels), np.uint16), np.zeros((10, 14), np.uint16))
    sheet = before_after(deep, after)
    assert sheet.icc_profile == b"p"
    assert (sheet.bit_depth, sheet.is_gray, sheet.alpha) == (8, False, None)
    assert sheet.pixels[44:].min() == 255, "transparent is white"


@pytest.mark.parametrize("size", [(20, 15), (21, 14), (7, 5)])
def test_pictures_that_do_not_belong_together_are_refused(size: tuple[int, int]) -> None:
    with pytest.raises(LimnerError, match="a whole number of times as large"):
        before_after(picture(10, 7), picture(*size))


def test_the_truth_needs_a_whole_number() -> None:
    with pytest.raises(LimnerError, match=r"a photo is shrunk by a whole number, got 1\.5"):
        with_truth(Nearest(1.5), picture(60, 70))


def test_the_truth_is_scored_over_the_whole_photo() -> None:
    original = picture(121, 141)
    truth = with_truth(Nearest(), original)
    real = torch.from_numpy(original.pixels[:120, :140]).permute(2, 0, 1)[None]
    small = published_low_resolution(real, 2).double() / 255
    enlarged = small.repeat_interleave(2, 2).repeat_interleave(2, 3)
    ours, theirs = ((luminance(image) * 255).round()[..., 2:-2, 2:-2] for image in (enlarged, real.double() / 255))
    expected = 10 * math.log10(255**2 / (ours - theirs).square().mean().item())
    assert truth.sheet.pixels.shape[1] == 16 + 3 * (480 + 16)
    assert truth.model == pytest.approx(expected, abs=1e-3)
    assert truth.bicubic != truth.model
