import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from limner.ops.color import luminance, match_colors, rgb_to_ycbcr, ycbcr_to_rgb

CASES = [  # R, G, B in [0, 1]; Y, Cb, Cr in 0 .. 255 as ITU-R BT.601 and MATLAB's documentation define them
    ((0, 0, 0), (16, 128, 128)),
    ((1, 1, 1), (235, 128, 128)),
    ((1, 0, 0), (81.481, 90.203, 240)),
    ((0, 1, 0), (144.553, 53.797, 34.214)),
    ((0, 0, 1), (40.966, 240, 109.786)),
    (
        (0.5, 0.25, 0.75),
        (16 + 32.7405 + 32.13825 + 18.7245, 128 - 18.8985 - 18.55075 + 84, 128 + 56 - 23.4465 - 13.6605),
    ),
]


def pixel(values: tuple[float, float, float]) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64).reshape(1, 3, 1, 1)


@pytest.mark.parametrize(("rgb", "ycbcr"), CASES)
def test_values_by_hand(rgb: tuple[float, float, float], ycbcr: tuple[float, float, float]) -> None:
    torch.testing.assert_close(rgb_to_ycbcr(pixel(rgb)), pixel(ycbcr) / 255, rtol=0, atol=1e-14)
    torch.testing.assert_close(luminance(pixel(rgb)).item(), ycbcr[0] / 255, rtol=0, atol=1e-14)


@given(st.integers(0, 2**32 - 1))
def test_the_inverse_undoes_it(seed: int) -> None:
    image = torch.rand(2, 3, 4, 5, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * 2 - 0.5
    torch.testing.assert_close(ycbcr_to_rgb(rgb_to_ycbcr(image)), image, rtol=0, atol=1e-14)


def test_luminance_is_the_first_channel() -> None:
    image = torch.rand(3, 3, 5, 7)
    y = luminance(image)
    assert y.shape == (3, 1, 5, 7)
    torch.testing.assert_close(y, rgb_to_ycbcr(image)[:, :1], rtol=0, atol=1e-7)


def test_colours_outside_are_not_clipped() -> None:
    assert ycbcr_to_rgb(pixel((235, 240, 240)) / 255).max() > 1


@pytest.mark.parametrize("function", [rgb_to_ycbcr, ycbcr_to_rgb, luminance])
def test_gradients(function: object) -> None:
    image = torch.rand(1, 3, 2, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(function, image)


def test_matched_colours_have_the_mean_and_the_covariance_of_the_other():
    image, like = torch.rand(1, 3, 20, 30).double() ** 2, 0.2 + 0.5 * torch.rand(1, 3, 10, 12).double()
    like[:, 1] = 0.5 * like[:, 0] + 0.2 * like[:, 1]
    found = match_colors(image, like).flatten(2)[0]
    pixels = like.flatten(2)[0]
    torch.testing.assert_close(found.mean(1), pixels.mean(1))
    torch.testing.assert_close(torch.cov(found, correction=0), torch.cov(pixels, correction=0), rtol=1e-6, atol=1e-9)


def test_a_picture_matched_with_itself_stays():
    image = torch.rand(1, 3, 9, 7)
    torch.testing.assert_close(match_colors(image, image), image)


def test_a_gray_picture_can_be_matched():
    gray = torch.rand(1, 1, 16, 16).expand(-1, 3, -1, -1)
    assert bool(match_colors(gray, torch.rand(1, 3, 8, 8)).isfinite().all())
    flat = match_colors(torch.rand(1, 3, 8, 8), torch.full((1, 3, 8, 8), 0.25))
    torch.testing.assert_close(flat, torch.full_like(flat, 0.25), rtol=0, atol=0.01)
