"""Gradients that explode or vanish are told, with the step since which and what to try; healthy ones are not."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from limner.loops.fit import FitConfig, fit
from limner.loops.gradient_watch import GradientWatch
from limner.loops.optimizers import OptimizerConfig
from limner.loops.step_report import StepReport
from limner.types import Progress, Turn


class Batch(NamedTuple):
    image: Tensor


class Points:
    def __len__(self) -> int:
        return 64

    def draw(self, index: int, rng: torch.Generator) -> Batch:
        return Batch(torch.rand(1, 1, 1, generator=rng))


class Spoilt(nn.Module):
    """A regression whose loss is multiplied from step 200 on."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.network, self.factor = nn.Linear(1, 1), factor

    @property
    def players(self) -> Mapping[str, nn.Module]:
        return {"network": self.network}

    def turns(self, batch: Batch, progress: Progress) -> Iterator[Turn]:
        values = batch.image.flatten(1)
        factor = self.factor if progress.step >= 200 else 1.0
        noisy = 3 * values + torch.randn_like(values)
        yield Turn("network", {"l2": factor * (self.network(values) - noisy).square().mean()})


def told(factor: float, steps: int = 300) -> list[str]:
    lines: list[str] = []
    config = FitConfig(steps=steps, batch_size=8, optimizer=OptimizerConfig(learning_rate=1e-3))
    fit(Spoilt(factor), Points(), config, watchers=[GradientWatch(lines.append)])
    return lines


def test_a_healthy_run_is_not_spoken_of() -> None:
    assert told(1.0) == []


def test_a_gradient_that_explodes_is_told() -> None:
    (line,) = told(1e4)
    assert line.startswith("step 221: the gradient of network is far larger since step 201")
    assert "--set fit.clip.kind=norm" in line


def test_a_gradient_that_vanishes_is_told() -> None:
    (line,) = told(1e-7)
    assert line.startswith("step 221: the gradient of network is far smaller since step 201")
    assert "raise --lr" in line


def test_a_gradient_of_nothing_from_the_beginning_is_told() -> None:
    lines: list[str] = []
    watch = GradientWatch(lines.append)
    for step in range(1, 60, 10):
        report = StepReport(step, 0.1, 1.0, 1, {}, {}, nn.Identity, {"network": torch.tensor(0.0)})
        watch.step(report)
    assert len(lines) == 1
    assert "far smaller since step 1 (0)" in lines[0]


def test_norms_are_those_before_they_are_clipped() -> None:
    seen: list[StepReport] = []

    class Kept:
        def start(self, step: int) -> None: ...
        def close(self) -> None: ...
        def step(self, report: StepReport) -> None:
            seen.append(report)

    torch.manual_seed(0)
    system = Spoilt(1.0)
    start = {name: value.clone() for name, value in system.state_dict().items()}
    config = FitConfig.parse({"steps": 11, "batch_size": 8, "clip": {"kind": "norm", "threshold": 1e-3}})
    fit(system, Points(), config, watchers=[Kept()])
    assert [report.step for report in seen if report.gradients] == [1, 11]
    assert float(seen[0].gradients["network"]) > 0.01  # of the loss, not of the threshold
    assert any(not torch.equal(value, start[name]) for name, value in system.state_dict().items())
