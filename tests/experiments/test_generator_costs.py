"""Gradients are those of the costs, and both trainings stand in the drawing."""

import csv
from pathlib import Path

import pytest
import torch
from torch import nn

from limner.experiments.generator_costs import COSTS, gradient_norm, main, taken_for_real
from limner.experiments.small_games import SmallGame, game_of


class Constant(nn.Module):
    """A generator that makes its one weight, whatever the noise."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([[-5.0]]))

    def forward(self, latent: torch.Tensor) -> torch.Tensor:
        return self.weight.expand(len(latent), 1)


def test_the_norms_are_those_of_the_costs_by_hand() -> None:
    """The weight is the logit: d log(1 - D) / d logit = -D, and d -log D / d logit = D - 1."""
    game = SmallGame(Constant(), nn.Identity(), 1, game_of("minimax", penalty=0))
    chance = torch.sigmoid(torch.tensor(-5.0)).item()
    assert taken_for_real(game, 0) == pytest.approx(chance)
    assert gradient_norm(game, "minimax", 0) == pytest.approx(chance)
    assert gradient_norm(game, "non_saturating", 0) == pytest.approx(1 - chance)


def test_a_run_draws_both_trainings(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    drawing = tmp_path / "costs.svg"
    main(drawing, steps=4, lead=1, every=2)
    assert capsys.readouterr().out == f"{drawing}\n"
    with drawing.with_suffix(".csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["moved_by"], row["step"]) for row in rows] == [(cost, step) for cost in COSTS for step in ("2", "4")]
    assert rows[0]["minimax"] != rows[2]["minimax"]
    text = drawing.read_text()
    assert all(f"Trained by {cost}" in text for cost in COSTS)
