"""A run whose loss is not finite stops with the reason, and keeps what was saved."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from torch import Tensor, nn

from limner.errors import TrainingStopped
from limner.loops.checkpoint import load_state
from limner.loops.fit import Fit, FitConfig, fit
from limner.loops.optimizers import OptimizerConfig
from limner.types import Progress, Turn

CONFIG = FitConfig(steps=5, batch_size=2, optimizer=OptimizerConfig(kind="sgd", learning_rate=1e-3))


class Batch(NamedTuple):
    source: Tensor
    target: Tensor


class Ones:
    def __len__(self) -> int:
        return 4

    def draw(self, index: int, rng: torch.Generator) -> Batch:
        return Batch(torch.ones(3), torch.ones(1))


class Fragile(nn.Module):
    """Divides by zero once `broken` is set; gives it in a dictionary, as some modules do."""

    broken = False

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        return {"x": x / 0 if self.broken else x}


class Net(nn.Module):
    def __init__(self, break_in_step: int = 0) -> None:
        super().__init__()
        self.first, self.fragile, self.last = nn.Linear(3, 4), Fragile(), nn.Linear(4, 1)
        self.break_in_step, self.steps, self.loss_factor = break_in_step, 0, 1.0

    @property
    def players(self) -> Mapping[str, nn.Module]:
        return {"network": self}

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.fragile(self.first(x))["x"])

    def turns(self, batch: Batch, progress: Progress) -> Iterator[Turn]:
        self.steps += 1
        self.fragile.broken = 0 < self.break_in_step <= self.steps
        loss = (self(batch.source) - batch.target).square().mean()
        yield Turn("network", {"mse": loss * self.loss_factor, "zero": loss * 0 + 1})


def stopped(system: nn.Module, batch: Batch) -> str:
    with pytest.raises(TrainingStopped) as caught:
        Fit(system, CONFIG).step([batch])
    assert caught.value.exit_code == 1
    return str(caught.value)


GOOD = Batch(torch.ones(2, 3), torch.ones(2, 1))


def test_the_first_bad_module_is_named():
    message = stopped(Net(break_in_step=1), GOOD)
    assert message.startswith(
        "diverged at step 1: loss mse, zero of network is not finite; the first bad output is that of fragile"
    )
    assert "fragile (Fragile): resume with --set fit.optimizer.learning_rate=" in message


def test_a_loss_that_is_bad_by_itself():
    system = Net()
    system.loss_factor = float("inf")
    message = stopped(system, GOOD)
    assert message.startswith(
        "diverged at step 1: loss mse of network is not finite; played again, every module's output is finite"
    )


def test_a_bad_batch():
    message = stopped(Net(), Batch(torch.tensor([[1.0, float("nan"), 1.0]]), torch.ones(1, 1)))
    assert message.endswith("the batch itself holds values that are not finite: check the data")


def test_bad_weights():
    system = Net()
    system.last.weight.data[0, 2] = float("nan")
    assert "the weights last.weight are not finite" in stopped(system, GOOD)


def test_a_gradient_penalty_can_be_played_again():
    class Penalty(Net):
        def turns(self, batch: Batch, progress: Progress) -> Iterator[Turn]:
            x = batch.source.clone().requires_grad_()
            slope = torch.autograd.grad(self.last(self.first(x)).sum(), x, create_graph=True)[0]
            yield Turn("network", {"penalty": slope.square().mean() / 0 * self.fragile(slope)["x"].mean().square()})

    assert "every module's output is finite" in stopped(Penalty(), GOOD)


def test_no_hook_is_left_behind():
    system = Net(break_in_step=1)
    stopped(system, GOOD)
    assert not any(module._forward_hooks for module in system.modules())


def test_the_saved_state_stays(tmp_path: Path):
    with pytest.raises(TrainingStopped, match="step 4"):
        fit(Net(break_in_step=4), Ones(), CONFIG, run=tmp_path, save_every=0.0)
    state = load_state(tmp_path / "training.pt")
    assert state["step"] == 3
    assert all(value.isfinite().all() for value in state["system"].values())
    assert fit(Net(), Ones(), CONFIG, run=tmp_path, resume=True).step == 5


@pytest.mark.parametrize("steps", [2, 5])  # the last step of the run, or not
def test_weights_that_a_step_broke_are_not_saved(tmp_path: Path, steps: int):
    class Cliff(Net):
        def turns(self, batch: Batch, progress: Progress) -> Iterator[Turn]:
            self.steps += 1
            loss = self(batch.source).square().mean()
            if self.steps == 2:  # a finite loss with an infinite slope
                loss = loss + (self.last.bias - self.last.bias.detach()).abs().sqrt().sum()
            yield Turn("network", {"mse": loss})

    with pytest.raises(TrainingStopped, match=r"diverged at step 2: the weights last\.bias are not finite"):
        fit(Cliff(), Ones(), CONFIG.override([f"steps={steps}"]), run=tmp_path, save_every=0.0)
    assert load_state(tmp_path / "training.pt")["step"] == 1
