"""The benchmark of a U-Net's training: both ways begin from the same network and lower the loss, and the report."""

import torch
from benchmarks.segmentation.unet_training import LIMNER, NETWORKS, PlainTraining, batch_of, report

from limner.loops.checkpoint import seed_everything
from limner.losses.segmentation import soft_dice
from limner.systems.segmentation.unet import UNet, UNetConfig

SMALL = UNetConfig(channels=4, depth=2, valid=False, norm="batch", dropout=0.0)


def test_the_plain_way_learns_what_is_asked() -> None:
    """The classes of its batch are dark and bright pixels."""
    seed_everything(0)
    system, batch = UNet(SMALL), batch_of(16, 2)
    training = PlainTraining(system)
    training.optimizer.param_groups[0]["lr"] = 0.01
    for _ in range(40):
        training.step(batch)
    assert soft_dice(system(batch.image), batch.label, torch.ones_like(batch.image, dtype=torch.bool)) > 0.8


def test_the_report_has_a_row_for_each_way() -> None:
    machine = {
        "processor": "one", "threads": 2, "accelerator": "none", "torch": "2", "date": "now",
        "processor_class": "AVX2",
    }  # fmt: skip
    figures = {"seconds": {"plain": 3.0, "limner": 2.0}, "times_faster": {"plain": 1.0, LIMNER: 1.4}}
    told = {
        "machine": machine, "command": "it", "side": 256, "batch_size": 4, "steps": 3,
        "networks": dict.fromkeys(NETWORKS, figures),
    }  # fmt: skip
    text = "\n".join(report(told))
    assert "| modern | limner | 2.000 | 1.40 |" in text
    assert "64 channels: aim: 1.5 times faster: **missed**." in text
