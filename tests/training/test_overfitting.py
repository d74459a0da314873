"""Overfitting is told where what is kept from training becomes worse while what is learnt becomes better."""

from pathlib import Path

import pytest
import torch
from torch import nn

from limner.loops.step_report import StepReport
from limner.training.overfitting import OverfittingWatch, learning_loss, overfitting
from limner.training.validation import Figure, Validation

FALLING = {step: 10.0 / step for step in range(1, 9)}


def rows(values: list[float], *, more: bool = True) -> list[dict]:
    return [
        {"step": step, "seconds": 1.0, "figures": [Figure("PSNR (dB)", value, 10.0, "it", more)]}
        for step, value in enumerate(values, 1)
    ]


def test_a_quality_that_falls_is_told_with_its_best_step() -> None:
    line = overfitting(rows([8, 14, 18, 16.8, 16, 15]), FALLING)
    assert line is not None
    assert line.startswith("step 6: PSNR (dB) on pictures kept from training is 15, and was 18 at step 3")
    assert "train again with --steps 3" in line


def test_a_loss_that_rises_is_told() -> None:
    assert overfitting(rows([5, 3, 1, 2, 2.5, 3], more=False), FALLING)


@pytest.mark.parametrize(
    "values", [[8, 14, 18, 19, 20, 21], [8, 14, 18, 17.8, 17.9, 17.8], [8, 18, 15, 16, 19], [8, 18, 15, 15], [8]]
)
def test_noise_and_gain_are_not(values: list[float]) -> None:
    assert overfitting(rows(values), FALLING) is None


def test_a_run_that_becomes_worse_in_all_is_another_fault() -> None:
    assert overfitting(rows([8, 14, 18, 16.8, 16, 15]), {step: float(step) for step in range(1, 9)}) is None


def test_the_losses_of_a_game_say_nothing_of_learning() -> None:
    losses = {"discriminator/adversarial": 1.0, "generator/adversarial": 2.0, "generator/l1": 4.0}
    assert learning_loss(losses) == 4.0


def test_a_watch_tells_once_after_a_measurement(tmp_path: Path) -> None:
    values = iter([8.0, 14.0, 18.0, 16.5, 16.0, 15.0, 14.0, 13.0])
    measured = Validation(
        tmp_path / "validation.csv", lambda system: [Figure("PSNR (dB)", next(values), 10.0, "it", True)], seconds=10.0
    )
    lines: list[str] = []
    watch = OverfittingWatch(tmp_path, lines.append)
    watchers = (measured, watch)
    for one in watchers:
        one.start(0)
    for step in range(80):
        loss = {"network/l1": torch.tensor(10.0 * 0.9**step)}
        report = StepReport(step + 1, 0.5, float(step), 1, loss, {}, nn.Identity)
        for one in watchers:
            one.step(report)
    assert len(lines) == 1
    assert "18 at step 21" in lines[0]
