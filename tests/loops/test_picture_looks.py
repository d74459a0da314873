"""What is seen on pictures: each fault is told once, with its step and what to try, and healthy pictures are not."""

import pytest
import torch
from torch import Tensor

from limner.loops.picture_looks import AllAlike, Checks, ColourDrift, Look, Pictures

REAL = torch.rand(8, 3, 64, 64, generator=torch.Generator().manual_seed(0))


def smooth(seed: int) -> Tensor:
    """Pictures with a spectrum that falls, as photos have it."""
    coarse = torch.rand(8, 3, 8, 8, generator=torch.Generator().manual_seed(seed))
    fine = torch.rand(8, 3, 64, 64, generator=torch.Generator().manual_seed(seed + 1))
    return 0.9 * torch.nn.functional.interpolate(coarse, scale_factor=8, mode="bicubic").clamp(0, 1) + 0.1 * fine


def said(look: Look, made: list[Tensor], real: Tensor) -> list[str]:
    lines = [look(100 * number, Pictures(one, real)) for number, one in enumerate(made, 1)]
    return [line for line in lines if line]


@pytest.mark.parametrize("look", [AllAlike, ColourDrift, Checks])
def test_a_healthy_run_is_not_spoken_of(look: type[Look]) -> None:
    """Gray and alike at first, then ever more as the real ones are."""
    made = [0.5 + (number / 12) * (smooth(number) - 0.5) for number in range(3, 13)]
    assert said(look(), made, smooth(99)) == []


def test_a_colour_that_drifts_is_told_once() -> None:
    good, green = smooth(1), smooth(1) * torch.tensor([1.0, 1.0, 0.2]).view(3, 1, 1)
    (line,) = said(ColourDrift(), [*[good] * 6, *[green] * 6], smooth(2))
    assert line.startswith("step 900: pictures that are made have 0.")
    assert "less blue than real ones since step 700" in line
    assert "lower --lr" in line


def test_a_colour_that_was_never_right_is_no_drift() -> None:
    assert said(ColourDrift(), [torch.full((8, 3, 64, 64), 0.1)] * 12, smooth(2)) == []


@pytest.mark.parametrize("period", [2, 4])
def test_a_pattern_of_checks_is_told_once(period: int) -> None:
    checks = torch.zeros(64, 64)
    checks[::period, ::period] = 0.3
    (line,) = said(Checks(), [*[smooth(1)] * 6, *[smooth(1) + checks] * 6], smooth(2))
    assert f"repeat every {period} pixels since step 700" in line
    assert "upsampling=resize" in line


def test_a_transposed_convolution_leaves_checks() -> None:
    torch.manual_seed(0)
    layer = torch.nn.ConvTranspose2d(3, 3, 3, stride=2)
    with torch.no_grad():
        made = layer(smooth(3)[..., :33, :33])[..., :64, :64]
    assert any("repeat every 2 pixels" in line for line in said(Checks(), [made] * 12, smooth(4)))


def test_pictures_that_are_all_alike_are_told_with_the_step_since_which() -> None:
    (line,) = said(AllAlike(), [*[REAL] * 3, *[REAL[:1].expand(8, -1, -1, -1)] * 3], REAL)
    assert line.startswith("step 500: pictures that are made differ by 0% of what real ones do")
    assert "since step 400" in line
