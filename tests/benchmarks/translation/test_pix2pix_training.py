"""The benchmark of pix2pix's training: both ways make the same step."""

import torch
from benchmarks.translation.pix2pix_training import LIMNER, PRESETS, PlainTraining, pair, report

from limner.loops.checkpoint import seed_everything
from limner.loops.fit import Fit
from limner.systems.adversarial.pix2pix import FIT_2017, Pix2Pix, Pix2PixConfig

SMALL = Pix2PixConfig(base_channels=4, discriminator_channels=4, num_downs=4)


def test_both_ways_make_the_same_step() -> None:
    trained = []
    for way in ("plain", LIMNER):
        seed_everything(0)
        system = Pix2Pix(SMALL)
        seed_everything(1)  # the same noise
        if way == LIMNER:
            Fit(system, FIT_2017).step([pair(32)])
        else:
            PlainTraining(system).step(pair(32))
        trained.append(system)
    for one, other in zip(*(system.parameters() for system in trained), strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-3)


def test_the_report_has_a_row_for_each_way() -> None:
    machine = {
        "processor": "one", "threads": 2, "accelerator": "none", "torch": "2", "date": "now",
        "processor_class": "AVX2",
    }  # fmt: skip
    figures = {"seconds": {"plain": 3.0, "limner": 2.0}, "times_faster": {"plain": 1.0, "limner": 1.5}}
    told = {"machine": machine, "command": "it", "side": 256, "steps": 3, "presets": dict.fromkeys(PRESETS, figures)}
    text = "\n".join(report(told))
    assert "| paper | limner | 2.000 | 1.50 |" in text
    assert "modern: aim: 1.7 times faster: **missed**." in text
