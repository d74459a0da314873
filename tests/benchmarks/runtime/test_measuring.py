"""From answers of workers to rows."""

import math

import pytest
import torch
from benchmarks.runtime.measuring import agreement, pixels, rows


def test_ratios_are_those_within_a_round(tmp_path):
    eager, fast = tmp_path / "eager.pt", tmp_path / "fast.pt"
    torch.save(torch.tensor([0.0, 2.0]), eager)
    torch.save(torch.tensor([0.0, 1.8]), fast)
    peaks = {"fp32": 100.0, "bf16": 200.0}
    rounds = [
        {
            "eager": {"seconds": 4 * slow, "peak_mib": 10.0},
            "torch fast": {"seconds": slow, "peak_mib": peak},
            "peak": {name: peak / slow for name, peak in peaks.items()},
        }
        for slow, peak in ((1.0, 7.0), (3.0, 9.0), (2.0, 8.0))
    ]
    first, second = rows("vdsr", "512", 50.0, rounds, {"eager": eager, "torch fast": fast})
    assert (first.way, first.milliseconds, first.times_faster, first.share) == ("eager", 8000, 1, 50 / 4 / 100)
    assert (second.milliseconds, second.times_faster, second.gflops) == (2000, 4, 25)
    assert second.share == pytest.approx(50 / 200)
    assert (second.peak_mib, second.runs, second.title) == (9.0, 3, "VDSR")
    assert second.decibels == pytest.approx(10 * math.log10(2**2 / 0.02), abs=1e-3)


def test_agreement_of_equals_is_infinite():
    assert agreement(torch.rand(3), torch.rand(3) * 0 + 1)[0] < math.inf
    assert agreement(torch.ones(3), torch.ones(3)) == (math.inf, 0.0)


def test_names_of_sizes():
    assert (pixels("512"), pixels("1080p"), pixels("4320p")) == ((512, 512), (1080, 1920), (4320, 7680))
