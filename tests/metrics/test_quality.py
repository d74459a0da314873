import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from limner.errors import LimnerError
from limner.metrics.quality import psnr, ssim


def slow_psnr(image: Tensor, target: Tensor, data_range: float) -> float:
    errors = [(a - b) ** 2 for a, b in zip(image.flatten().tolist(), target.flatten().tolist(), strict=True)]
    return 10 * math.log10(data_range**2 / (math.fsum(errors) / len(errors)))


def slow_ssim(image: Tensor, target: Tensor, data_range: float) -> float:
    """Wang et al. 2004, window by window, the moments about the mean as in equations 14 to 16."""
    window = [[math.exp(-((i - 5) ** 2 + (j - 5) ** 2) / (2 * 1.5**2)) for j in range(11)] for i in range(11)]
    total = sum(map(sum, window))
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    values = []
    for x, y in zip(image.tolist(), target.tolist(), strict=True):  # channels
        for top in range(len(x) - 10):
            for left in range(len(x[0]) - 10):
                taps = [
                    (window[i][j] / total, x[top + i][left + j], y[top + i][left + j])
                    for i in range(11)
                    for j in range(11)
                ]
                mean_x, mean_y = sum(w * a for w, a, _ in taps), sum(w * b for w, _, b in taps)
                variance_x = sum(w * (a - mean_x) ** 2 for w, a, _ in taps)
                variance_y = sum(w * (b - mean_y) ** 2 for w, _, b in taps)
                covariance = sum(w * (a - mean_x) * (b - mean_y) for w, a, b in taps)
                values.append(
                    (2 * mean_x * mean_y + c1)
                    * (2 * covariance + c2)
                    / ((mean_x**2 + mean_y**2 + c1) * (variance_x + variance_y + c2))
                )
    return sum(values) / len(values)


@pytest.mark.parametrize(("size", "channels"), [((13, 15), 3), ((11, 11), 1), ((11, 18), 2)])
@pytest.mark.parametrize("data_range", [1.0, 255.0])
def test_ssim_is_the_slow_formula(size: tuple[int, int], channels: int, data_range: float) -> None:
    target = torch.rand(2, channels, *size, dtype=torch.float64) * data_range
    image = (target + 0.2 * data_range * torch.randn_like(target)).clamp(0, data_range)
    expected = [slow_ssim(a, b, data_range) for a, b in zip(image, target, strict=True)]
    result = ssim(image, target, data_range=data_range)
    torch.testing.assert_close(result, torch.tensor(expected, dtype=torch.float64), rtol=0, atol=1e-10)
    assert result.unique().numel() == 2  # one value per picture, not a common mean


def test_ssim_of_flat_pictures_by_hand() -> None:
    a, b, c1 = 0.25, 0.75, 1e-4
    expected = (2 * a * b + c1) / (a * a + b * b + c1)  # without variance the second factor is 1
    result = ssim(torch.full((1, 1, 12, 12), a), torch.full((1, 1, 12, 12), b))
    assert result.item() == pytest.approx(expected, abs=1e-12)


def test_ssim_of_dark_equal_pictures_is_one() -> None:
    black = torch.zeros(1, 3, 16, 16)
    assert ssim(black, black).item() == 1


def test_ssim_of_a_negative_is_negative() -> None:
    image = torch.rand(1, 1, 32, 32)
    assert ssim(1 - image, image).item() < 0


def test_psnr_by_hand() -> None:
    target = torch.zeros(3, 3, 4, 4)
    image = target + torch.tensor([1.0, 0.1, 0.5])[:, None, None, None]
    expected = torch.tensor([0.0, 20.0, 10 * math.log10(4)], dtype=torch.float64)
    torch.testing.assert_close(psnr(image, target), expected, rtol=0, atol=1e-6)  # 0.1 is a float32


@given(st.integers(0, 2**32 - 1), st.sampled_from([1.0, 2.0, 255.0]))
def test_psnr_is_the_slow_formula(seed: int, data_range: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    image, target = (torch.rand(2, 3, 5, 7, generator=generator, dtype=torch.float64) * data_range for _ in range(2))
    expected = [slow_psnr(a, b, data_range) for a, b in zip(image, target, strict=True)]
    result = psnr(image, target, data_range=data_range)
    torch.testing.assert_close(result, torch.tensor(expected, dtype=torch.float64), rtol=0, atol=1e-10)


def test_psnr_of_equal_pictures_is_infinite() -> None:
    image = torch.rand(2, 3, 4, 4)
    assert psnr(image, image).tolist() == [math.inf, math.inf]


def test_float32_pictures_are_scored_in_float64() -> None:
    target = torch.rand(1, 3, 16, 16)
    image = target + 1e-6
    expected = psnr(image.double(), target.double())
    assert psnr(image, target).dtype == torch.float64
    assert torch.equal(psnr(image, target), expected)
    assert torch.equal(ssim(image, target), ssim(image.double(), target.double()))


@pytest.mark.parametrize("metric", [psnr, ssim])
@pytest.mark.parametrize("shape", [(1, 3, 16, 12), (1, 1, 16, 16), (2, 3, 16, 16)])  # all but the first would broadcast
def test_different_shapes_are_refused(metric: Callable[[Tensor, Tensor], Tensor], shape: tuple[int, ...]) -> None:
    with pytest.raises(LimnerError, match="must have one shape"):
        metric(torch.rand(1, 3, 16, 16), torch.rand(shape))


def test_pictures_smaller_than_the_window_are_refused() -> None:
    image = torch.rand(1, 3, 10, 40)
    with pytest.raises(LimnerError, match="at least 11 pixels, got 10x40"):
        ssim(image, image)
