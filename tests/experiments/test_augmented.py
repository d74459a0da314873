"""Gains are those of each seed."""

import pytest

from limner.experiments.augmented import COLUMNS, with_and_without


def test_the_gain_is_the_mean_over_seeds_with_its_deviation() -> None:
    alone, both = with_and_without("5 %", [0.5, 0.7], [0.6, 0.7])
    assert alone.figures["dice"] == pytest.approx(0.6)
    assert both.figures["dice"] == pytest.approx(0.65)
    cells = [one.cell(both) for one in COLUMNS]
    assert cells == ["5 %", "real and synthetic", "0.6500 ± 0.0707", "+5.0 ± 7.1"]
    assert COLUMNS[-1].cell(alone) == ""
