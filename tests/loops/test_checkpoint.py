"""Training states: whole or not at all, of the right run, and no stranger's code is run."""

import os
import pickle
import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from limner.errors import LimnerError
from limner.loops.checkpoint import (
    are_alike,
    digest,
    load_state,
    random_state,
    restore_random_state,
    save_state,
    seed_everything,
)
from limner.loops.fit import Fit, FitConfig
from limner.loops.optimizers import OptimizerConfig
from limner.types import Progress, Turn

PLAIN = FitConfig()


class Batch(NamedTuple):
    source: Tensor


class Net(nn.Module):
    def __init__(self, width: int = 3, player: str = "network") -> None:
        super().__init__()
        self.net, self.player = nn.Linear(width, 1), player

    @property
    def players(self) -> Mapping[str, nn.Module]:
        return {self.player: self.net}

    def turns(self, batch: Batch, progress: Progress) -> Iterator[Turn]:
        yield Turn(self.player, {"size": self.net(batch.source).square().mean()})


def saved(path: Path, config: FitConfig = PLAIN, system: nn.Module | None = None) -> Path:
    training = Fit(system or Net(), config)
    training.step([Batch(torch.ones(2, 3))])
    save_state(path, training.state())
    return path


def restore(path: Path, config: FitConfig = PLAIN, system: nn.Module | None = None) -> Fit:
    training = Fit(system or Net(), config)
    training.restore(load_state(path))
    return training


def everybodys_numbers() -> list[float]:
    return [random.random(), random.gauss(0, 1), np.random.rand(), np.random.randn(), *torch.randn(3).tolist()]  # noqa: NPY002


def test_random_numbers_of_every_library_come_back_through_a_file(tmp_path: Path):
    everybodys_numbers()  # leaves half a pair of normal numbers behind in Python and numpy
    save_state(tmp_path / "s.pt", random_state())
    expected = everybodys_numbers()
    seed_everything(99)
    restore_random_state(load_state(tmp_path / "s.pt"))
    assert everybodys_numbers() == expected


def test_a_seed_fixes_every_library():
    seed_everything(2**40 + 5)
    first = everybodys_numbers()
    seed_everything(2**40 + 5)
    assert everybodys_numbers() == first
    seed_everything(6)
    assert not set(everybodys_numbers()) & set(first)


def test_a_missing_file(tmp_path: Path):
    with pytest.raises(LimnerError, match=r"nothing to resume at .*training\.pt: start the run without resuming"):
        load_state(tmp_path / "training.pt")


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_a_truncated_file(tmp_path: Path, share: float):
    path = saved(tmp_path / "training.pt")
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(LimnerError, match="is not a whole training state"):
        load_state(path)


@pytest.mark.parametrize("content", [{"format": 2}, {"weights": torch.ones(2)}, [1, 2], torch.ones(2)])
def test_a_foreign_file(tmp_path: Path, content: Any):
    path = tmp_path / "training.pt"
    torch.save(content, path)
    with pytest.raises(LimnerError, match="is not a training state of format 1"):
        load_state(path)


def test_a_text_file(tmp_path: Path):
    path = tmp_path / "training.pt"
    path.write_text("step,loss\n1,2\n")
    with pytest.raises(LimnerError, match="is not a whole training state"):
        load_state(path)


class Malicious:
    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (self.command,)


@pytest.mark.parametrize("write", [torch.save, lambda state, path: path.write_bytes(pickle.dumps(state, protocol=2))])
def test_a_strangers_code_is_not_run(tmp_path: Path, write: Any):
    path, harm = tmp_path / "training.pt", tmp_path / "harm"
    write({"format": 1, "step": Malicious(f"touch {harm}")}, path)
    with pytest.raises(LimnerError, match="is not a whole training state"):
        load_state(path)
    assert not harm.exists()
    torch.load(path, weights_only=False) if write is torch.save else pickle.loads(path.read_bytes())
    assert harm.exists()  # so it was no dud


def test_a_failing_save_leaves_the_old_file_and_no_other(tmp_path: Path):
    path = saved(tmp_path / "training.pt")
    before = path.read_bytes()
    with pytest.raises((pickle.PicklingError, AttributeError, TypeError)):
        save_state(path, {"weights": torch.ones(1000), "unpicklable": lambda: 0})
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def one_line(path: Path, config: FitConfig = PLAIN, system: nn.Module | None = None) -> str:
    with pytest.raises(LimnerError) as caught:
        restore(path, config, system)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 400
    return message


def test_another_system(tmp_path: Path):
    message = one_line(saved(tmp_path / "s.pt"), system=Net(width=5))
    assert message.startswith("the saved run is of another system or configuration")
    assert "size mismatch for net.weight" in message
    assert message.endswith("start a new run")


def test_a_system_with_other_players(tmp_path: Path):
    assert "'generator'" in one_line(saved(tmp_path / "s.pt"), system=Net(player="generator"))


@pytest.mark.parametrize(
    ("assignment", "expected"),
    [
        ("optimizer.kind=sgd", "the optimizer of network of the saved run is adam, this configuration has sgd"),
        ('players={"network": {"kind": "sgd"}}', "the optimizer of network of the saved run is adam"),
        ("ema_decay=0.9", "the weight average of the saved run is off, this configuration has on"),
        ("seed=1", "the seed of the saved run is 0, this configuration has 1"),
    ],
)
def test_another_configuration(tmp_path: Path, assignment: str, expected: str):
    message = one_line(saved(tmp_path / "s.pt"), FitConfig().override([assignment]))
    assert message.startswith(expected)
    assert "start a new run" in message


def test_a_lost_average(tmp_path: Path):
    message = one_line(saved(tmp_path / "s.pt", FitConfig(ema_decay=0.9)))
    assert message.startswith("the weight average of the saved run is on")


def test_what_may_change_is_taken_from_the_new_configuration(tmp_path: Path):
    path = saved(tmp_path / "s.pt", FitConfig(optimizer=OptimizerConfig(weight_decay=0.1)))
    mended = OptimizerConfig(learning_rate=1e-6, betas=(0.5, 0.9))
    training = restore(path, FitConfig(steps=20_000, batch_size=4, optimizer=mended))
    report = training.step([Batch(torch.ones(2, 3))])
    group = training.optimizers["network"].param_groups[0]
    assert (report.step, report.learning_rates) == (2, {"network": 1e-6})
    assert (group["betas"], group["weight_decay"]) == ((0.5, 0.9), 0.0)


@pytest.mark.parametrize("key", ["step", "system", "optimizers", "average", "random", "config"])
def test_a_state_that_lacks_something(tmp_path: Path, key: str):
    config = FitConfig(ema_decay=0.9)
    training = Fit(Net(), config)
    save_state(tmp_path / "s.pt", {name: value for name, value in training.state().items() if name != key})
    assert f"'{key}'" in one_line(tmp_path / "s.pt", config)


def test_a_digest_tells_things_apart_but_for_rounding(tmp_path: Path):
    image = torch.rand(1, 3, 9, 7)
    of = digest([image, FitConfig(), nn.Linear(2, 3), (None, 0.5, "a")])
    save_state(tmp_path / "s.pt", {"made_of": of})
    kept = load_state(tmp_path / "s.pt")["made_of"]
    assert are_alike(kept, of)
    assert are_alike(digest([image]), digest([image + 1e-6]))
    assert not are_alike(digest([image]), digest([image.roll(1, 3)]))
    assert not are_alike(digest([image]), digest([image[..., :6]]))
    assert not are_alike(digest([FitConfig()]), digest([FitConfig(ema_decay=0.9)]))
    assert not are_alike(digest([nn.Linear(2, 3)]), digest([nn.Linear(2, 3)]))
    assert not are_alike(digest([(None, 0.5)]), digest([(image, 0.5)]))
    assert not are_alike(None, digest([]))
