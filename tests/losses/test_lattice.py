"""The loss on a network's own grid."""

import pytest
import torch

from limner.losses.lattice import lattice, local_lattice, windows

RAMP = torch.linspace(0, 1, 64).expand(1, 3, 64, 64)


def test_a_checkerboard_has_the_power_of_its_amplitude() -> None:
    rows, columns = torch.meshgrid(torch.arange(64), torch.arange(64), indexing="ij")
    board = 0.1 * (-1.0) ** (rows + columns)
    assert lattice(RAMP + board).item() - lattice(RAMP).item() == pytest.approx(0.01, rel=1e-3)
    stripes = 0.1 * torch.cos(torch.pi / 2 * columns)
    assert lattice(0 * RAMP + stripes).item() == pytest.approx(0.005, rel=1e-3)


def test_what_does_not_repeat_so_is_free() -> None:
    rows = torch.arange(60)
    slow = torch.cos(2 * torch.pi * rows / 12).expand(1, 3, 60, 60)
    assert lattice(slow).item() == pytest.approx(0, abs=1e-9)
    assert lattice(torch.full((1, 3, 8, 8), 0.3)).item() == pytest.approx(0, abs=1e-12)


def test_it_is_the_mean_over_channels_of_the_variance_of_each_one_s_cell() -> None:
    picture = torch.rand(2, 3, 6, 9, dtype=torch.float64) + torch.tensor([0.0, 1, 5])[:, None, None]
    total = 0.0
    for n in range(2):
        for c in range(3):
            places = [
                [picture[n, c, y, x].item() for y in range(i, 6, 3) for x in range(j, 9, 3)]
                for i in range(3)
                for j in range(3)
            ]
            means = [sum(values) / len(values) for values in places]
            middle = sum(means) / 9
            total += sum((mean - middle) ** 2 for mean in means) / 9
    assert lattice(picture, 3).item() == pytest.approx(total / 6)


def test_what_is_left_of_a_cell_is_passed_over() -> None:
    picture = torch.rand(1, 3, 8, 8)
    assert lattice(torch.nn.functional.pad(picture, (0, 3, 0, 1))).item() == pytest.approx(lattice(picture).item())


def test_a_grid_that_turns_over_a_picture_is_seen_window_by_window() -> None:
    """Light cells on the left, dark ones on the right: together they are nothing."""
    columns = torch.arange(64)
    sign = torch.where(columns < 32, 1.0, -1.0)
    turned = (0.1 * sign * torch.cos(torch.pi / 2 * columns)).expand(1, 3, 64, 64)
    assert lattice(turned).item() == pytest.approx(0, abs=1e-9)
    assert local_lattice(turned).item() == pytest.approx(0.005, rel=1e-3)


def test_windows_are_the_squares_of_each_picture_in_turn() -> None:
    pictures = torch.rand(2, 3, 9, 13)
    expected = [one[:, y : y + 4, x : x + 4] for one in pictures for y in (0, 4) for x in (0, 4, 8)]
    assert torch.equal(windows(pictures, 4), torch.stack(expected))
