"""The benchmark of trainings: the usual loop learns, and the report says what is met."""

import torch
from benchmarks.training.steps import CASES, KEPT, LIMNER, PLAIN, _plain_enlarging, report

from limner.data.pairs import Pair
from limner.loops.checkpoint import seed_everything
from limner.systems.feedforward.vdsr import VDSR, VDSRConfig


def test_the_usual_loop_lowers_its_loss() -> None:
    seed_everything(0)
    picture = torch.rand(2, 1, 12, 12)
    step = _plain_enlarging(VDSR(VDSRConfig(num_layers=3, channels=8)), Pair(picture, 0.5 * picture))
    losses = [step() for _ in range(30)]
    assert losses[-1] < 0.9 * losses[0]


def test_the_report_tells_both_ratios_and_what_is_met() -> None:
    machine = {
        "processor": "one", "threads": 1, "accelerator": "none", "torch": "2", "date": "now", "processor_class": "AVX2",
    }  # fmt: skip
    figures = {
        "seconds": {PLAIN: 3.0, KEPT: 2.6, LIMNER: 2.0},
        "times_faster": {PLAIN: 1.0, KEPT: 1.15, LIMNER: 1.5},
        "at_equal_memory": 1.3,
    }
    told = {"machine": machine, "command": "it", "precision": "exact", "steps": 3}
    text = "\n".join(report(told | {"trainings": dict.fromkeys(CASES, figures)}))
    assert "| VDSR, 8 x 64x64 | 3.000 | 2.600 | 2.000 | 1.50 | 1.30 | 1.15 | met |" in text
    assert "| deep image prior, 256x256 | 3.000 | 2.600 | 2.000 | 1.50 | 1.30 | 1.6 | **missed** |" in text
    assert "| AdaIN, 2 x 128x128 | 3.000 | 2.600 | 2.000 | 1.50 | 1.30 |  |  |" in text
