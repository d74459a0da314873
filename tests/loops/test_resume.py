"""A killed or interrupted run goes on exactly. This file is also the program that the tests start and kill."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from limner.loops.checkpoint import load_state, seed_everything
from limner.loops.fit import FitConfig, FitResult, fit
from limner.loops.optimizers import OptimizerConfig, ScheduleConfig
from limner.loops.step_report import StepReport
from limner.types import Progress, Turn

ALONE = __name__ == "__main__"  # under pytest, beartype draws from Python's random numbers to check arguments
STEPS, PAUSE = 12, 5  # the pause is in this step
CONFIG = FitConfig(
    steps=STEPS,
    batch_size=3,
    optimizer=OptimizerConfig(kind="adam", learning_rate=1e-2),
    players={"tail": OptimizerConfig(kind="sgd", learning_rate=1e-2, momentum=0.9)},
    schedule=ScheduleConfig(kind="cosine", warmup_steps=3),
    ema_decay=0.99,
    accumulation=2,
    seed=7,
)


class Batch(NamedTuple):
    source: Tensor
    target: Tensor


class Noise:
    """Eleven sources, so that epochs end within batches; each draw is random."""

    def __len__(self) -> int:
        return 11

    def draw(self, index: int, rng: torch.Generator) -> Batch:
        x = torch.randn(6, generator=rng) + index
        return Batch(x, x.sum()[None] + torch.rand(1, generator=rng))


class Gambler(nn.Module):
    """Two players whose losses hang on the random numbers of every library, and on batch statistics."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Dropout(0.5))
        self.tail = nn.Sequential(nn.ReLU(), nn.Linear(8, 1))
        self.diary = nn.Buffer(torch.zeros(STEPS, 2))  # of the progress that each step was told; saved with the weights
        self.pause_at, self.pause, self.turns_played = 0, 0.0, 0

    @property
    def players(self) -> Mapping[str, nn.Module]:
        return {"head": self.head, "tail": self.tail}

    def turns(self, batch: Batch, progress: Progress) -> Iterator[Turn]:
        self.turns_played += 1
        if self.turns_played == self.pause_at:
            print("ready", flush=True)
            time.sleep(self.pause)
        noise = torch.rand_like(batch.target) + np.random.rand()  # noqa: NPY002
        if ALONE:
            noise = noise + random.random()
            self.diary[progress.step] += torch.tensor(progress)
        for player in ("head", "tail"):
            yield Turn(player, {"mse": (self.tail(self.head(batch.source)) - batch.target - noise).square().mean()})


class Loiterer:
    """Waits after step `PAUSE`, before it is saved, to be killed."""

    def start(self, step: int) -> None: ...

    def step(self, report: StepReport) -> None:
        if report.step == PAUSE:
            print("ready", flush=True)
            time.sleep(60)

    def close(self) -> None: ...


def train(run: Path, *, resume: bool = False, config: FitConfig = CONFIG, **options: Any) -> FitResult:
    seed_everything(config.seed)
    return fit(Gambler(), Noise(), config, run=run, resume=resume, **options)


def differences(a: Any, b: Any, where: str = "state") -> list[str]:
    """Where two nests of tensors and plain values are not the same bits."""
    if isinstance(a, Tensor):
        return [] if a.dtype == b.dtype and torch.equal(a, b) else [where]
    if isinstance(a, Mapping):
        assert a.keys() == b.keys(), where
        return [found for key in a for found in differences(a[key], b[key], f"{where}.{key}")]
    if isinstance(a, list | tuple):
        assert len(a) == len(b), where
        return [found for i, pair in enumerate(zip(a, b, strict=True)) for found in differences(*pair, f"{where}.{i}")]
    return [] if a == b else [where]


def assert_same_run(run: Path, other: Path, ignore: str = "state.seconds") -> None:
    found = differences(load_state(run / "training.pt"), load_state(other / "training.pt"))
    assert [where for where in found if not where.startswith(("state.seconds", ignore))] == []


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("uninterrupted")
    assert go_on(run, "start", 0) == f"{STEPS} True\n"
    return run


def program(*arguments: object) -> list[str]:
    return [sys.executable, __file__, *map(str, arguments)]


def go_on(*arguments: object) -> str:
    return subprocess.run(program(*arguments), check=True, stdout=subprocess.PIPE, text=True).stdout


def start_and_wait_until_ready(*arguments: object) -> subprocess.Popen[str]:
    process = subprocess.Popen(program(*arguments), stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize(("workers_before", "workers_after"), [(0, 2), (2, 0)])
def test_a_killed_run_goes_on_bit_for_bit(tmp_path: Path, uninterrupted: Path, workers_before: int, workers_after: int):
    with start_and_wait_until_ready(tmp_path, "kill-me", workers_before) as process:
        process.kill()
        process.communicate(timeout=20)  # the workers hold the other end of the pipe, and must end by themselves
    assert process.returncode == -signal.SIGKILL
    assert load_state(tmp_path / "training.pt")["step"] == PAUSE - 1
    assert [path.name for path in tmp_path.iterdir()] == ["training.pt"]
    assert go_on(tmp_path, "resume", workers_after) == f"{STEPS} True\n"
    assert_same_run(tmp_path, uninterrupted)


def test_a_resumed_system_is_told_how_far_the_run_has_come(tmp_path: Path, uninterrupted: Path):
    with start_and_wait_until_ready(tmp_path, "kill-me", 0) as process:
        process.kill()
    assert go_on(tmp_path, "resume", 0) == f"{STEPS} True\n"
    told = CONFIG.accumulation * torch.tensor([[step, step / STEPS] for step in range(STEPS)])  # once for each batch
    for run in (tmp_path, uninterrupted):
        assert torch.equal(load_state(run / "training.pt")["system"]["diary"], told)


@pytest.mark.parametrize(("sent", "num_workers"), [(signal.SIGINT, 0), (signal.SIGTERM, 2)])
def test_an_interrupted_run_finishes_its_step_and_saves(
    tmp_path: Path, uninterrupted: Path, sent: signal.Signals, num_workers: int
):
    with start_and_wait_until_ready(tmp_path, "interrupt-me", num_workers) as process:
        os.killpg(process.pid, sent)  # to the workers too, as a terminal and a cluster do it
        output, _ = process.communicate(timeout=60)
    assert (process.returncode, output) == (0, f"{PAUSE} False\n")
    assert load_state(tmp_path / "training.pt")["step"] == PAUSE
    assert go_on(tmp_path, "resume", 0) == f"{STEPS} True\n"
    assert_same_run(tmp_path, uninterrupted)


def test_a_second_signal_acts_as_ever(tmp_path: Path):
    class Impatient(Loiterer):
        def step(self, report: StepReport) -> None:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, watchers=[Impatient()])
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_run_may_get_more_steps_later(tmp_path: Path):
    config = CONFIG.override(["schedule.kind=constant"])
    train(tmp_path / "whole", config=config)
    assert train(tmp_path / "parts", config=config.override(["steps=5"])).finished
    result = train(tmp_path / "parts", config=config, resume=True)
    assert (result.step, result.finished) == (STEPS, True)
    assert_same_run(tmp_path / "parts", tmp_path / "whole", ignore="state.random.python")


def test_a_finished_run_resumed_makes_no_step(tmp_path: Path):
    for run in ("once", "again"):
        train(tmp_path / run)
    assert train(tmp_path / "again", resume=True).step == STEPS
    assert_same_run(tmp_path / "again", tmp_path / "once", ignore="state.random.python")


def test_a_slightly_different_run_is_seen_as_one(tmp_path: Path):
    for run, warmup in (("one", 3), ("other", 4)):
        train(tmp_path / run, config=CONFIG.override([f"schedule.warmup_steps={warmup}"]))
    states = [load_state(tmp_path / run / "training.pt") for run in ("one", "other")]
    assert {"state.system.head.0.weight", "state.optimizers.tail.state.0.momentum_buffer"} <= set(differences(*states))


def main(folder: str, what: str, num_workers: str) -> None:
    """Run in a process of its own: until killed, until interrupted, or to the end."""
    torch.set_num_threads(1)
    options: dict[str, Any] = {"run": Path(folder), "save_every": 0.0, "num_workers": int(num_workers)}
    seed_everything(CONFIG.seed)
    system = Gambler()
    if what == "kill-me":
        options["watchers"] = [Loiterer()]
    elif what == "interrupt-me":  # in the middle of a step
        system.pause_at, system.pause = CONFIG.accumulation * PAUSE, 1.0
    result = fit(system, Noise(), CONFIG, resume=what == "resume", **options)
    print(result.step, result.finished)


if __name__ == "__main__":
    main(*sys.argv[1:])
