import pytest
import torch

from limner.layers.growth import Growth, GrowthConfig, doubled, halved
from limner.types import Progress

SIDES = [4, 8, 16, 32]


@pytest.mark.parametrize(
    ("share", "level", "shown"),
    [
        (0.0, 1, 1.0),  # 8 pixels are trained
        (0.0999, 1, 1.0),
        (0.1, 2, 0.0),  # 16 pixels fade in
        (0.15, 2, 0.5),
        (0.25, 2, 1.0),  # and are trained
        (0.35, 3, 0.5),
        (0.4, 3, 1.0),
        (1.0, 3, 1.0),
    ],
)
def test_levels_are_trained_and_fade_in_in_turn(share: float, level: int, shown: float) -> None:
    grown = GrowthConfig(first_side=8, phase_share=0.1).at(Progress(0, share), SIDES)
    assert grown.level == level
    assert grown.shown == pytest.approx(shown)


def test_without_phases_all_is_there_from_the_start() -> None:
    assert GrowthConfig(phase_share=0).at(Progress(), SIDES) == Growth(3, 1.0)


def test_real_pictures_are_as_large_and_as_fine_as_the_networks() -> None:
    real = torch.rand(2, 3, 32, 32)
    assert torch.equal(Growth(3, 1.0).seen(real, 4), real)
    torch.testing.assert_close(Growth(1, 1.0).seen(real, 4), halved(halved(real)))
    coarse = doubled(halved(real))
    torch.testing.assert_close(Growth(3, 0.25).seen(real, 4), 0.75 * coarse + 0.25 * real)
