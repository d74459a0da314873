"""Modes are counted by good samples alone, and every loss stands in both tables."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from limner.data.labelled import LabelledPictures
from limner.experiments import gaussians
from limner.experiments.gaussians import (
    CENTRES,
    DEVIATION,
    digit_modes,
    digits_game,
    drawn_digits,
    drawn_points,
    main,
    point_modes,
    points_game,
)
from limner.experiments.small_games import GAMES
from limner.measure.classifier import Classifier


def test_a_mode_is_found_by_one_good_sample() -> None:
    near, far = 2.9 * DEVIATION, 3.1 * DEVIATION
    points = torch.stack([CENTRES[3], CENTRES[3] + torch.tensor([near, 0]), CENTRES[7] + torch.tensor([0, far])])
    assert tuple(point_modes(points)) == (1, pytest.approx(2 / 3))


def test_the_grid_itself_has_all_modes() -> None:
    points = torch.cat([drawn_points(torch.Generator().manual_seed(k)) for k in range(4)])
    modes = point_modes(points)
    assert modes.found == 25
    assert modes.good == pytest.approx(1 - np.exp(-4.5), abs=0.01)  # of a normal in the plane: 1 - exp(-9 / 2)


class Reader(Classifier):
    """Reads the gray of a picture: 0.1 is digit 1; from 0.05 on it is sure."""

    def __init__(self) -> None:
        super().__init__(1, 10)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        gray = image.mean((1, 2, 3))
        digit = (10 * gray).round().long().clamp(0, 9)
        return nn.functional.one_hot(digit, 10) * (10.0 * (gray > 0.05))[:, None]


def test_a_picture_counts_where_all_three_digits_are_sure() -> None:
    gray = torch.tensor([[0.1, 0.2, 0.3], [0.1, 0.2, 0.3], [0.3, 0.2, 0.1], [0.1, 0.0, 0.3]])
    modes = digit_modes(gray[:, :, None, None].expand(-1, -1, 4, 4), Reader())
    assert modes == (2, 0.75)


def test_each_channel_holds_a_digit() -> None:
    digits = LabelledPictures(
        (torch.arange(10)[:, None, None, None] * torch.ones(10, 1, 4, 4)).byte(), torch.arange(10)
    )
    drawn = drawn_digits(digits, torch.Generator().manual_seed(0)) * 255
    assert drawn.shape[1:] == (3, 4, 4)
    assert torch.equal(drawn, drawn[..., :1, :1].expand_as(drawn))
    assert len(drawn[:, :, 0, 0].round().unique()) == 10


@pytest.mark.parametrize("name", GAMES)
def test_networks_fit_their_samples(name: str) -> None:
    points, digits = points_game(name), digits_game(name)
    assert points.discriminator(points.made(3)).shape == (3, 1)
    made = digits.made(3)
    assert made.shape == (3, 3, gaussians.SIDE, gaussians.SIDE)
    assert digits.discriminator(made).shape == (3, 1)


def test_a_run_writes_both_tables(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    rng = np.random.default_rng(0)
    sheet, table = tmp_path / "digits.png", tmp_path / "table.md"
    Image.fromarray(rng.integers(0, 256, (16, 160), np.uint8)).save(sheet)
    main(table, sheet, tile=16, steps=2, digit_steps=1, seeds=2)
    assert capsys.readouterr().out == f"{table}\n"
    rows = [line for line in table.read_text().splitlines() if "±" in line]
    assert [row.split(" | ")[0].removeprefix("| ") for row in rows] == [*GAMES, *GAMES]
