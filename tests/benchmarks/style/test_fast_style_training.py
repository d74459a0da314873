"""The benchmark of training, small, and what its report says."""

import json

import pytest
from benchmarks.style.fast_style_training import report, verdict

from benchmarks.style import fast_style_training

FIGURES = {"style": 1.0, "photo_style": 2.0, "content": 0.5}


def found(times: float, style: float):
    return {
        "seconds": {"plain": 2.0, "limner": 2.0 / times},
        "times_faster": {"plain": 1.0, "limner": times},
        "losses": {"plain": FIGURES, "limner": FIGURES | {"style": style}},
    }


@pytest.mark.parametrize(
    ("times", "style", "told"),
    [
        (1.5, 0.9, "slim: aim: 1.5 times faster: met. Style loss after as many steps: -10 % beside plain."),
        (1.4, 1.2, "slim: aim: 1.5 times faster: **missed**. Style loss after as many steps: +20 % beside plain."),
    ],
)
def test_the_aim_is_of_time_and_the_loss_is_told(times, style, told):
    assert verdict("slim", found(times, style)) == told


def test_the_report_has_a_row_for_each_way():
    machine = {
        "processor": "one",
        "threads": 2,
        "accelerator": "none",
        "torch": "2",
        "date": "now",
        "processor_class": "AVX2",
    }
    told = {
        "machine": machine,
        "command": "it",
        "steps": 3,
        "device": "cpu",
        "batch": 4,
        "patch": 64,
        "style": "mosaic",
    }
    text = "\n".join(report(told | {"presets": {"slim": found(2.0, 1.0)}}))
    assert "AVX2, 2 threads, torch 2, now. Made by `it`." in text
    assert "| slim | plain | 2.000 | 0.50 | 1.00 | 1.0000 | 0.5000 |" in text
    assert "| slim | limner | 1.000 | 1.00 | 2.00 | 1.0000 | 0.5000 |" in text


def test_a_run_times_both_ways_and_writes_the_report(tmp_path):
    fast_style_training.main(preset=["slim"], patch=32, batch=1, steps=2, style="mosaic", out=tmp_path)
    written = json.loads((tmp_path / "fast_style_training.json").read_text())
    assert written["data"] == "demo"
    assert set(written["presets"]["slim"]["seconds"]) == {"plain", "limner"}
    assert all(one["style"] > 0 for one in written["presets"]["slim"]["losses"].values())
    assert "| slim | limner |" in (tmp_path / "fast_style_training.md").read_text()
