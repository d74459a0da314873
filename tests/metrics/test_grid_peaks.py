import pytest
import torch

from limner.metrics.grid_peaks import grid_peak


def noise() -> torch.Tensor:
    torch.manual_seed(0)
    return 0.5 + 0.05 * torch.randn(1, 3, 200, 256)


@pytest.mark.parametrize("period", [2, 4, 8])
def test_noise_has_no_peak(period):
    """The mean power over 200 rows is within some tenths of its median; that of period 2 has no imaginary part."""
    assert grid_peak(noise(), period).item() < 1.6


@pytest.mark.parametrize("period", [2, 4, 8])
@pytest.mark.parametrize("down", [False, True])
def test_a_faint_grid_is_a_peak_at_its_period_alone(period, down):
    wave = 0.02 * torch.cos(2 * torch.pi * torch.arange(200 if down else 256) / period)
    picture = noise() + (wave[:, None] if down else wave)
    assert grid_peak(picture, period).item() > 4
    assert all(grid_peak(picture, other).item() < 1.6 for other in (2, 4, 8) if other != period)
