import math

import pytest
import torch
from torch import Tensor

from limner.errors import LimnerError
from limner.metrics.protocols import (
    PROTOCOLS,
    RGB,
    SR_Y_4,
    SR_Y_SHAVE,
    Protocol,
    Score,
    as_uint8,
    find_protocol,
    score,
    scored_luminance,
)
from limner.metrics.quality import psnr, ssim
from limner.ops.color import luminance

ALL = list(PROTOCOLS.values())


def flat(red: float, green: float, blue: float) -> Tensor:
    """A picture of one colour, in 0 .. 255."""
    return (torch.tensor([red, green, blue]) / 255)[None, :, None, None].expand(1, 3, 32, 32).clone()


def decibels(difference: float) -> float:
    return 20 * math.log10(255 / difference)


def test_there_are_the_three_of_the_literature_and_one_for_photos() -> None:
    assert list(PROTOCOLS) == ["sr-y-shave", "sr-y-4", "rgb", "photo"]
    assert [(p.channels, p.shave, p.low_resolution) for p in ALL] == [
        ("y", None, "float-y"),
        ("y", 4, "uint8-rgb"),
        ("rgb", None, "uint8-rgb"),
        ("y", None, "photo"),
    ]


def test_an_unknown_protocol_is_refused_with_the_known_ones() -> None:
    with pytest.raises(LimnerError, match="sr-y-shave, sr-y-4, rgb, photo, got 'y'"):
        find_protocol("y")


@pytest.mark.parametrize(
    ("protocol", "difference"),
    [
        (RGB, 10),
        (SR_Y_4, 10 * 219 / 255),
        # Y = 16 + (65.481 * 100 + 128.553 * 110 + 24.966 * 60) / 255 = 103.007 rounds to 103, Y + 8.588 to 112
        (SR_Y_SHAVE, 112 - 103),
    ],
)
def test_each_protocol_by_hand(protocol: Protocol, difference: float) -> None:
    result, target = flat(110, 120, 70), flat(100, 110, 60)
    expected = decibels(difference)
    assert score(protocol, result, target, 2).psnr == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("protocol", ALL, ids=lambda p: p.name)
def test_a_gray_file_is_scored_in_its_full_range(protocol: Protocol) -> None:
    result, target = flat(110, 110, 110), flat(100, 100, 100)
    assert score(protocol, result, target, 2, gray=True).psnr == pytest.approx(decibels(10), abs=1e-4)
    as_colour = score(protocol, result, target, 2).psnr
    assert (as_colour > decibels(10) + 0.4) == (protocol.channels == "y")  # 219 / 255 of it, perhaps rounded to 9


@pytest.mark.parametrize(
    ("protocol", "scale", "shave"), [(SR_Y_SHAVE, 2, 2), (SR_Y_SHAVE, 3, 3), (SR_Y_4, 2, 4), (RGB, 3, 3)]
)
def test_what_is_shaved_does_not_count_and_the_next_pixel_does(protocol: Protocol, scale: int, shave: int) -> None:
    target = torch.rand(1, 3, 24, 30).mul(255).round() / 255
    for edge in (shave - 1, shave):
        result = target.clone()
        result[:, :, [edge, 23 - edge], :] = 1 - result[:, :, [edge, 23 - edge], :]
        assert math.isinf(score(protocol, result, target, scale).psnr) == (edge < shave)
        result = target.clone()
        result[:, :, :, [edge, 29 - edge]] = 1 - result[:, :, :, [edge, 29 - edge]]
        assert math.isinf(score(protocol, result, target, scale).psnr) == (edge < shave)


@pytest.mark.parametrize("protocol", [RGB, SR_Y_4], ids=lambda p: p.name)
def test_the_result_is_rounded_and_clipped_to_uint8_first(protocol: Protocol) -> None:
    target = torch.randint(1, 255, (1, 3, 24, 24)) / 255
    target[..., 0], target[..., 1] = 0, 1
    result = target + 0.4 / 255
    result[..., 0], result[..., 1] = -0.3, 1.3
    assert score(protocol, result, target, 2) == Score(math.inf, 1.0)
    assert math.isfinite(score(protocol, target + 0.6 / 255, target, 2).psnr)


def test_sr_y_shave_rounds_luminance_on_both_sides() -> None:
    result, target = torch.rand(2, 1, 3, 24, 24)
    inside = (..., slice(3, -3), slice(3, -3))
    y_result, y_target = ((luminance(x.double()) * 255).round()[inside] for x in (result, target))
    found = score(SR_Y_SHAVE, result, target, 3)
    assert found.psnr == pytest.approx(psnr(y_result, y_target, data_range=255.0).item(), abs=1e-9)
    assert found.ssim == pytest.approx(ssim(y_result, y_target, data_range=255.0).item(), abs=1e-9)


def test_luminance_alone_may_be_scored() -> None:
    result, target = torch.rand(2, 1, 3, 24, 24)
    expected = score(SR_Y_SHAVE, result, target, 2)
    y_result, y_target = (luminance(x.double()) for x in (result, target))
    assert score(SR_Y_SHAVE, y_result, target, 2) == expected
    assert score(SR_Y_SHAVE, y_result, y_target, 2) == expected


def test_luminance_of_gray_pictures_is_the_picture() -> None:
    gray = torch.rand(1, 1, 5, 5).expand(1, 3, 5, 5)
    torch.testing.assert_close(scored_luminance(gray, gray=True), gray[:, :1], rtol=0, atol=1e-6)
    torch.testing.assert_close(scored_luminance(gray, gray=False), luminance(gray))


def test_rounding_is_half_up() -> None:
    values = torch.tensor([-1.0, 0.25, 0.5, 1.5, 2.5, 254.4, 300.0], dtype=torch.float64)
    assert (as_uint8(values / 256 * 256 / 255) * 255).round().tolist() == [0, 0, 1, 2, 3, 254, 255]


def test_a_batch_gets_the_mean() -> None:
    result, target = torch.rand(2, 2, 3, 24, 24)
    each = [score(RGB, result[i : i + 1], target[i : i + 1], 2) for i in range(2)]
    both = score(RGB, result, target, 2)
    assert both.psnr == pytest.approx(sum(s.psnr for s in each) / 2, abs=1e-9)
    assert both.ssim == pytest.approx(sum(s.ssim for s in each) / 2, abs=1e-9)


def test_too_small_pictures_are_refused() -> None:
    image = torch.rand(1, 3, 8, 40)
    with pytest.raises(LimnerError, match="sr-y-4 shaves 4 pixels off each side, got 8x40"):
        score(SR_Y_4, image, image, 2)
    with pytest.raises(LimnerError, match="at least 11 pixels, got 4x36"):
        score(RGB, image, image, 2)


@pytest.mark.parametrize(("protocol", "channels"), [(RGB, 1), (SR_Y_4, 2), (SR_Y_SHAVE, 4)])
def test_channels_that_do_not_fit_are_refused(protocol: Protocol, channels: int) -> None:
    image = torch.rand(1, channels, 24, 24)
    with pytest.raises(LimnerError, match=f"got a picture of {channels} channels"):
        score(protocol, image, image, 2)
