"""Two processes share out weights, gradients and what optimisers remember, and come to what one comes to."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tests import kit_data
from tests.loops.apart import ROOT, STEPS, TYPICAL, compare, finished, in_doubles, torchrun, trained

from limner.catalog.models import ENTRIES
from limner.loops.fit import Fit, FitConfig
from limner.loops.held_weights import HeldWeights
from limner.systems.feedforward.vdsr import VDSR, VDSRConfig

pytestmark = pytest.mark.skipif(not torch.distributed.is_available(), reason="torch was built without distributed")

ADAM = (
    "schedule.kind=constant",
    "optimizer.kind=adam",
    "optimizer.learning_rate=0.001",
    "ema_decay=0.9",
    "clip.kind=norm",
    "clip.threshold=0.1",
)


def test_two_processes_have_the_losses_of_one(tmp_path: Path) -> None:
    compare(TYPICAL, tmp_path, "shard=true")


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_two_processes_have_the_losses_of_one_in_all_systems(tmp_path: Path) -> None:
    compare([entry.name for entry in ENTRIES if entry.name not in TYPICAL], tmp_path, "shard=true")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    kit_data.made(folder)
    return folder


def together(data: Path, runs: Path, steps: int, *words: str) -> None:
    finished(torchrun(str(ROOT / "tests/loops/apart.py"), str(data), str(runs), str(steps), *words, "shard=true"))


@pytest.mark.parametrize("name", ["vdsr", "stylegan"])
def test_a_run_goes_on_whether_it_is_shared_out_or_not(name: str, data: Path, tmp_path: Path) -> None:
    with in_doubles():
        losses, expected = trained(name, data, tmp_path / "alone", STEPS, changes=ADAM)
        trained(name, data, tmp_path / "back" / name, 2, changes=ADAM)
    together(data, tmp_path / "there", 2, name, *ADAM)
    together(data, tmp_path / "back", STEPS, name, *ADAM, "resume")
    with in_doubles():
        there = trained(name, data, tmp_path / "there" / name, STEPS, resume=True, changes=ADAM)
    for rest, weights in (there, torch.load(tmp_path / "back" / f"{name}.pt")):
        torch.testing.assert_close(rest, losses[-len(rest) :], rtol=1e-6, atol=1e-9)
        torch.testing.assert_close(weights, expected, rtol=1e-6, atol=1e-9)


PARTS = """
import os
import torch
from limner.processes import joined, total
from limner.loops.fit import Fit, FitConfig
from limner.loops.optimizers import OptimizerConfig
from limner.systems.feedforward.vdsr import VDSR, VDSRConfig
from limner.data.pairs import Pair
with joined("cpu"):
    training = Fit(VDSR(VDSRConfig(num_layers=3, channels=8)), FitConfig(batch_size=2, shard=True))
    training.step([Pair(torch.rand(1, 1, 16, 16), torch.rand(1, 1, 16, 16))])
    own = sum(one.numel() for one in training.weights.parameters["network"])
    of_adam = [one["exp_avg"].numel() for one in training.optimizers["network"].state.values()]
    line = f"held {own} {sum(of_adam)} {int(total(torch.tensor(own)))}\\n"
    os.write(1, line.encode())  # at once, so that two processes never mix their lines
"""


def test_each_process_holds_a_part(tmp_path: Path) -> None:
    script = tmp_path / "parts.py"
    script.write_text(PARTS)
    output, _ = finished(torchrun(str(script)))
    number = sum(one.numel() for one in VDSR(VDSRConfig(num_layers=3, channels=8)).residual.parameters())
    last = 8 * 9  # of one row, which one process alone holds
    half = (number - last) // 2
    assert sorted(line for line in output.splitlines() if "held" in line) == [
        f"held {half} {half} {number}", f"held {half + last} {half + last} {number}"
    ]  # fmt: skip


def command(pictures: Path, run: Path, *more: str) -> list[str]:
    small = ("--set", "num_layers=4", "--set", "channels=8", "--device", "cpu", "--steps", "3", "--batch-size", "2")
    return ["-m", "limner", "train", "vdsr", "--data", str(pictures), *small, *more, "--output", str(run)]


def test_what_watchers_see_is_gathered_for_them(pictures: Path, tmp_path: Path) -> None:
    """Sample sheets and the measurements of what is kept for them, by the first process alone."""
    for run, more in (("parts", ["--set", "fit.shard=true"]), ("whole", [])):
        finished(torchrun(*command(pictures, tmp_path / run, "--save-every", "0", *more)))
    sheets = [sorted(one.name for one in (tmp_path / run / "samples").iterdir()) for run in ("parts", "whole")]
    assert sheets[0] == sheets[1] != []
    tables = [(tmp_path / run / "validation.csv").read_text().splitlines() for run in ("parts", "whole")]
    assert len(tables[0]) == len(tables[1]) > 1
    found, expected = (load_file(tmp_path / run / "model.safetensors") for run in ("parts", "whole"))
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", ["vdsr", "gan"])
def test_a_loss_that_is_not_finite_stops_all(name: str, data: Path, tmp_path: Path) -> None:
    words = (name, "optimizer.learning_rate=1e200", "clip.kind=none", "shard=true")
    process = torchrun(str(ROOT / "tests/loops/apart.py"), str(data), str(tmp_path / "runs"), str(STEPS), *words)
    _, errors = process.communicate(timeout=300)
    assert process.returncode
    assert "diverged at step" in errors


def test_a_process_that_is_alone_shares_nothing() -> None:
    assert type(Fit(VDSR(VDSRConfig(num_layers=3)), FitConfig(shard=True)).weights) is HeldWeights
