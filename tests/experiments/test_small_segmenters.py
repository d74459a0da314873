"""Trainings depend on their seed alone, and costs are counted."""

from pathlib import Path

import pytest
import torch
import typer
from tests.experiments.marked_cells import TINY, nuclei
from torch import nn

from limner.experiments import fitted
from limner.experiments.small_segmenters import learnt, looked_at, multiplications, test_set
from limner.loops.fit import FitResult
from limner.systems.segmentation.hourglass import HourglassNet, HourglassNetConfig

SMALL = HourglassNetConfig(channels=4, depth=1)


def test_the_multiplications_of_a_pixel() -> None:
    network = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.MaxPool2d(2), nn.Conv2d(4, 8, 1))
    assert multiplications(network) == 9 * 4 + 4 * 8 / 4


def test_a_training_depends_on_its_seed_alone(tmp_path: Path) -> None:
    samples = TINY.load(nuclei(tmp_path) / "train")
    weights = []
    for seed in (3, 3, 4):
        system, seconds = learnt(lambda: HourglassNet(SMALL), samples, steps=2, batch=2, seed=seed)
        assert seconds > 0
        weights.append(torch.cat([one.flatten() for one in system.parameters()]))
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_what_was_stopped_is_not_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    samples = TINY.load(nuclei(tmp_path) / "train")
    monkeypatch.setattr(fitted, "fit", lambda system, *_, **__: FitResult(system, 1, 0.0, False))
    with pytest.raises(typer.Exit):
        learnt(lambda: HourglassNet(SMALL), samples, steps=2, batch=2, seed=0)


def test_whole_pictures_are_looked_at(tmp_path: Path) -> None:
    tested = test_set(nuclei(tmp_path) / "test", TINY)
    assert [one.max() for one in tested.objects] == [2]
    (seen,) = looked_at(HourglassNet(SMALL).eval(), tested.marked)
    assert seen.probabilities.shape == (2, 48, 48)
    assert seen.probabilities.sum(0) == pytest.approx(1)


test_set.__test__ = False  # type: ignore[attr-defined]  # pytest takes its name for that of a test
