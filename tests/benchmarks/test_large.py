"""The large picture's measurement, on a small one."""

import json
import math

import pytest
import torch

import large


def test_agreement_is_that_of_all_bands(tmp_path):
    first = torch.zeros(1, 1, 200, 3)
    first[..., 0, 0] = 2
    second = first.clone()
    second[..., 150, 1] = 0.5
    for name, tensor in (("first", first), ("second", second)):
        torch.save(tensor, tmp_path / name)
    difference, decibels = large.agreement(tmp_path / "first", tmp_path / "second")
    assert difference == 0.5
    assert decibels == pytest.approx(10 * math.log10(4 / (0.25 / 600)))
    assert large.agreement(tmp_path / "first", tmp_path / "first") == (0.0, math.inf)


@pytest.mark.slow
def test_a_run_compares_with_the_reference(tmp_path):
    large.main(size="144p", smaller="72p", rounds=1, out=tmp_path)
    exact, fast = json.loads((tmp_path / "large.json").read_text())["rows"]
    assert exact["max_difference"] < 1e-4
    assert 40 < fast["decibels"] < exact["decibels"]
    assert "largest difference at most 1e-4" in (tmp_path / "large.md").read_text()
