"""Means and deviations."""

import pytest

from limner.experiments.seeds import column, over_seeds
from limner.measure.report import Row


def test_the_mean_and_the_deviation_of_each_figure() -> None:
    figures = over_seeds([{"dice": 0.2, "f1": 1.0}, {"dice": 0.5, "f1": 1.0}, {"dice": 0.9, "f1": 1.0}])
    assert figures["dice"] == pytest.approx(1.6 / 3)
    assert figures["dice_deviation"] == pytest.approx((0.37 / 3) ** 0.5)
    assert (figures["f1"], figures["f1_deviation"]) == (1.0, 0.0)


def test_a_column_shows_both() -> None:
    assert (
        column("Dice", "dice", ".2f").cell(Row("x", "system", {"dice": 0.5, "dice_deviation": 0.125})) == "0.50 ± 0.12"
    )
