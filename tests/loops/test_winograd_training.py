"""Trainings and optimisations on a processor whose 3x3 convolutions go by Winograd's way."""

import pytest
import torch
from torch import nn

from limner import processor
from limner.data.pairs import Pair
from limner.layers import nnpack, winograd
from limner.loops.fit import Fit, FitConfig
from limner.loops.optimize import Optimization, OptimizeConfig
from limner.loops.optimizers import OptimizerConfig
from limner.loops.pictures import Pixels
from limner.systems.feedforward.vdsr import VDSR, VDSRConfig

pytestmark = pytest.mark.skipif(not nnpack.works(), reason="NNPACK is not in this torch, or not for this CPU")


@pytest.fixture
def calls(monkeypatch):
    """How often NNPACK was asked, on a processor that gains from it."""
    monkeypatch.setattr(processor, "processor_class", lambda: "AVX2")
    before = torch.get_num_threads()
    torch.set_num_threads(nnpack.threads())
    found, plain = list[int](), nnpack.convolve

    def counted(*args):
        found.append(1)
        return plain(*args)

    monkeypatch.setattr(nnpack, "convolve", counted)
    yield found
    torch.set_num_threads(before)


def losses(steps: int) -> list[float]:
    """Of a small VDSR that learns to sharpen patches; at 1e-3 Adam sets even plain runs apart by half a per cent."""
    torch.manual_seed(0)
    system = VDSR(VDSRConfig(num_layers=4, channels=64))
    target = torch.rand(4, 1, 24, 24, generator=torch.Generator().manual_seed(0))
    batch = Pair(nn.functional.avg_pool2d(target, 3, 1, 1), target)
    training = Fit(system, FitConfig(steps=steps, optimizer=OptimizerConfig(learning_rate=2e-4)))
    return [float(sum(training.step([batch]).losses.values())) for _ in range(steps)]


@pytest.mark.slow  # 400 steps
def test_two_hundred_steps_come_to_the_same_loss(calls, monkeypatch):
    found = losses(200)
    assert len(calls) == 200 * 2 * 2  # of the four layers, two read and make 64 channels, and each has a way back
    monkeypatch.setattr(winograd, "fits", lambda *_: False)
    plain = losses(200)
    assert plain[-1] < 0.5 * plain[0]
    assert abs(sum(found[-10:]) / sum(plain[-10:]) - 1) < 0.01


def test_an_optimisation_of_pixels_takes_it(calls):
    torch.manual_seed(0)
    layer, picture = nn.Conv2d(64, 64, 3, padding=1).requires_grad_(False), Pixels(torch.rand(1, 64, 40, 40))
    run = Optimization(picture, lambda image: {"loss": layer(image).square().mean()}, OptimizeConfig(steps=5))
    totals = [run.step().total for _ in range(5)]
    assert totals[-1] < totals[0]
    assert len(calls) == 2 * 5
