"""The benchmark of painting in one pass, small, and what it counts."""

import json

import pytest
from benchmarks.style.fast_style_inference import JOHNSON, PLAIN, SLIMMER, network, ratios

from benchmarks.style import fast_style_inference


def test_each_is_compared_within_its_round():
    rounds = [{PLAIN: 8.0, JOHNSON: 2.0, SLIMMER: 1.0}, {PLAIN: 12.0, JOHNSON: 4.0, SLIMMER: 1.0}]
    assert ratios(rounds) == pytest.approx({"plain / johnson": 3.5, "johnson / slim": 3.0})


def test_the_plain_network_is_as_large_as_limners():
    plain, johnson = (sum(weight.numel() for weight in network(way).parameters()) for way in (PLAIN, JOHNSON))
    assert plain == johnson == 1_679_235


def test_a_run_writes_the_report(tmp_path):
    fast_style_inference.main(rounds=1, side=64, threads=1, out=tmp_path)
    found = json.loads((tmp_path / "fast_style_inference.json").read_text())
    assert found["gflop"]["plain"] == pytest.approx(found["gflop"]["johnson"], rel=1e-6)
    text = (tmp_path / "fast_style_inference.md").read_text()
    assert text.count("Aim: 3:") == 2
    assert "| slim, painter |" in text
