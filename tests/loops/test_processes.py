"""Two processes train as one: their steps are those of one process, and they go on where one of them was killed."""

import time
from pathlib import Path

import psutil
import pytest
import torch
import torch.distributed
from tests import kit_data
from tests.loops.apart import ROOT, STEPS, TYPICAL, compare, finished, in_doubles, torchrun, trained

from limner.catalog.models import ENTRIES
from limner.files.weights import load_weights
from limner.processes import Place, place, started_as

pytestmark = pytest.mark.skipif(not torch.distributed.is_available(), reason="torch was built without distributed")


def test_two_processes_have_the_losses_of_one(tmp_path: Path) -> None:
    compare(TYPICAL, tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_two_processes_have_the_losses_of_one_in_all_systems(tmp_path: Path) -> None:
    compare([entry.name for entry in ENTRIES if entry.name not in TYPICAL], tmp_path)


def test_a_run_goes_on_with_another_number_of_processes(tmp_path: Path) -> None:
    data, runs = tmp_path / "data", tmp_path / "together"
    for folder in (data, runs):
        folder.mkdir()
    kit_data.made(data)
    finished(torchrun(str(ROOT / "tests/loops/apart.py"), str(data), str(runs), "2", "dcgan"))
    with in_doubles():
        rest, weights = trained("dcgan", data, runs / "dcgan", STEPS, resume=True)
        losses, expected = trained("dcgan", data, tmp_path / "alone", STEPS)
    torch.testing.assert_close(rest, losses[-len(rest) :], rtol=1e-6, atol=1e-9)
    torch.testing.assert_close(weights, expected, rtol=1e-6, atol=1e-9)


@pytest.fixture
def options(pictures: Path) -> list[str]:
    """Of a small training by the command."""
    small = ("--set", "num_layers=4", "--set", "channels=8", "--device", "cpu")
    return ["-m", "limner", "train", "vdsr", "--data", str(pictures), *small]


def test_what_a_killed_process_takes_with_it_is_made_again_bit_by_bit(options: list[str], tmp_path: Path) -> None:
    run, other = tmp_path / "killed", tmp_path / "whole"
    options = [*options, "--steps", "24", "--batch-size", "4", "--save-every", "0"]
    process = torchrun("--max-restarts", "1", *options, "--output", str(run))
    begun = time.monotonic()
    while not (run / "training.pt").exists():
        assert process.poll() is None and time.monotonic() - begun < 200
        time.sleep(0.02)
    workers = [one for one in psutil.Process(process.pid).children() if "limner" in one.cmdline()]
    assert len(workers) == 2
    workers[1].kill()
    finished(process)
    finished(torchrun(*options, "--output", str(other)))
    (_, found), (_, expected) = (load_weights(one / "model.safetensors") for one in (run, other))
    assert all(torch.equal(found[name], tensor) for name, tensor in expected.items())


LATE = """
import os, signal, time, torch.distributed
from limner.processes import joined, was_restarted
late = os.environ["RANK"] == "1"
if late and was_restarted():
    time.sleep(2)
with joined("cpu"):
    torch.distributed.barrier()
    if late and not was_restarted():
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_processes_that_begin_again_do_not_call_the_dead(tmp_path: Path) -> None:
    script = tmp_path / "late.py"
    script.write_text(LATE)
    finished(torchrun("--max-restarts", "1", str(script)))


def test_one_writes_and_speaks(options: list[str], tmp_path: Path) -> None:
    words = [*options, "--steps", "2", "--batch-size", "4", "--output", str(tmp_path / "run")]
    output, errors = finished(torchrun(*words))
    assert output.count("2 steps") == 1
    assert errors.count("step 2 ") == 1


def test_batches_that_cannot_be_shared_are_refused(options: list[str], tmp_path: Path) -> None:
    process = torchrun(*options, "--steps", "2", "--batch-size", "3", "--output", str(tmp_path / "run"))
    _, errors = process.communicate(timeout=300)
    assert process.returncode
    assert "a batch of 3 samples must be shared evenly by 2 processes: change --batch-size" in errors


def test_a_process_that_is_alone() -> None:
    assert place() == started_as() == Place(0, 1)
    assert place().is_first
