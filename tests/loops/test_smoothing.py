"""Averages over the steps: by hand, by numpy's variance, and a run that stops where it should."""

import numpy as np
import pytest
import torch
from torch import nn

from limner.loops.optimize import OptimizeConfig, RunControl, optimize
from limner.loops.pictures import NetworkPrior
from limner.loops.smoothing import Smoothed, StoppingConfig


class Film(nn.Module):
    """Paints one given picture after the other."""

    def __init__(self, frames):
        super().__init__()
        self.frames, self.index = frames, 0
        self.weight = nn.Parameter(torch.zeros(()))

    def forward(self, z):
        self.index += 1
        return self.frames[self.index - 1][None] + self.weight


def shown(frames, average=0.9, stopping=None, steps=None):
    """What a film of frames (t, c, h, w) comes to after its steps."""
    picture = Smoothed(NetworkPrior(Film(frames), torch.zeros(1, 1, 1, 1)), (1, *frames.shape[1:]), average, stopping)
    for _ in range(steps or len(frames)):
        picture()
        picture.constrain()
    return picture


def test_the_average_by_hand():
    frames = torch.tensor([1.0, 2.0, 4.0]).view(3, 1, 1, 1)
    second = 2 / 11 * 1 + 9 / 11 * 2
    assert shown(frames, 0.5).latest().item() == pytest.approx(3 / 12 * second + 9 / 12 * 4)
    assert shown(frames, 0.2).latest().item() == pytest.approx(0.2 * second + 0.8 * 4)
    assert shown(frames, 0.0).latest().item() == 4
    assert shown(frames, 0.5).result().item() == shown(frames, 0.5).latest().item()


def test_the_variance_is_numpys_over_the_last_outputs_of_the_grid():
    frames = torch.rand(9, 2, 6, 11)
    for steps in (5, 7, 9):
        picture = shown(frames, stopping=StoppingConfig(window=5, side=3), steps=steps)
        wanted = np.var(frames[steps - 5 : steps, :, ::2, ::3].numpy().astype(np.float64), axis=0).mean()
        assert picture.variance().item() == pytest.approx(wanted, rel=1e-6)


def test_the_result_is_the_average_of_the_step_of_least_variance():
    swings = [1.0, 0.5, 0.2, 0.1, 0.1, 0.3, 0.8, 1.0]  # how far apart the outputs lie falls, then rises
    frames = torch.tensor([0.5 + swing * (-1) ** i for i, swing in enumerate(swings)]).view(-1, 1, 1, 1)
    stopping = StoppingConfig(window=2, patience=3)
    picture = shown(frames, stopping=stopping)
    assert picture.best_step == 5
    assert picture.result().item() == pytest.approx(shown(frames, steps=5).latest().item())
    assert not shown(frames, stopping=stopping, steps=7).is_past_best()
    assert picture.is_past_best()


def test_before_the_window_is_full_nothing_is_best():
    picture = shown(torch.rand(9, 1, 2, 2), stopping=StoppingConfig(window=10, patience=1))
    assert not picture.is_past_best()
    assert torch.equal(picture.result(), picture.latest())


def test_a_resumed_run_knows_its_averages(tmp_path):
    def picture():
        torch.manual_seed(0)
        network = nn.Conv2d(2, 1, 3, padding=1)
        prior = NetworkPrior(network, torch.rand(1, 2, 8, 8), noise=0.2)
        return Smoothed(prior, (1, 1, 8, 8), 0.9, StoppingConfig(window=3, side=4))

    config, state = OptimizeConfig(steps=12, learning_rate=0.1), tmp_path / "state.pt"
    energy = lambda image: {"near": (image - 0.5).square().mean()}  # noqa: E731
    whole, first, again = picture(), picture(), picture()
    optimize(whole, energy, config)
    optimize(first, energy, config, control=RunControl(state=state, watch=lambda progress: progress.step == 5))
    optimize(again, energy, config, control=RunControl(state=state, resume=True))
    assert all(torch.equal(a, b) for a, b in zip(whole.buffers(), again.buffers(), strict=True))
    assert whole.steps == 12


def test_the_watcher_sees_the_average():
    frames = torch.tensor([1.0, 2.0, 4.0, 0.0]).view(4, 1, 1, 1)
    picture, seen = Smoothed(NetworkPrior(Film(frames), torch.zeros(1, 1, 1, 1)), (1, 1, 1, 1), 0.5, None), []
    energy = lambda image: {"none": 0 * image.sum()}  # noqa: E731
    optimize(
        picture,
        energy,
        OptimizeConfig(steps=3),
        control=RunControl(watch=lambda progress: seen.append(progress.image.item())),
    )
    assert seen == pytest.approx([1.0, 20 / 11, 0.25 * 20 / 11 + 3])
