"""The loss on the finest patterns."""

import math

import pytest
import torch

from limner.losses.fine import fine_loss

COLUMNS = torch.arange(242)


@pytest.mark.parametrize("period", [2, 3, 4, 8])
def test_a_wave_is_weighed_by_its_period(period: int) -> None:
    wave = (2 * math.pi * COLUMNS / period).cos().expand(1, 3, 242, 242)
    inner = wave[..., 1:-1].square().mean().item()  # of 240 columns, which all periods divide
    found = fine_loss(wave, torch.zeros_like(wave)).item()
    assert found == pytest.approx(inner * math.sin(math.pi / period) ** 4, rel=1e-4)


def test_rows_count_as_columns_do_and_ramps_do_not() -> None:
    picture = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    ramp = torch.linspace(0, 1, 16).expand_as(picture)
    assert fine_loss(picture + ramp, picture).item() == pytest.approx(0, abs=1e-10)
    turned = fine_loss(picture.mT, 0 * picture)
    torch.testing.assert_close(turned, fine_loss(picture, 0 * picture))
