import dataclasses

import pytest
import torch

from limner.arguments import MOST_THREADS
from limner.errors import LimnerError
from limner.memory import resident_bytes
from limner.runtime.run_options import RunOptions


def test_what_is_asked_for_does_not_change() -> None:
    options = RunOptions(tile=64)
    with pytest.raises(dataclasses.FrozenInstanceError):
        options.tile = 32  # type: ignore[misc]
    assert dataclasses.replace(options, tile=32) == RunOptions(tile=32)


def test_fast_is_exact_where_it_does_not_pay(monkeypatch: pytest.MonkeyPatch) -> None:
    for pays, found in ((True, "fast"), (False, "exact")):
        monkeypatch.setattr("limner.processor.bfloat16_pays", lambda device, pays=pays: pays)
        assert RunOptions(device="cpu", precision="fast").chosen_precision == found
        assert RunOptions(device="cpu", precision="exact").chosen_precision == "exact"


def test_a_device_that_is_not_there_is_refused() -> None:
    with pytest.raises(LimnerError, match="device must be one that this machine has"):
        _ = RunOptions(device="tpu").chosen_device


def test_a_budget_is_what_is_left_of_the_memory() -> None:
    assert RunOptions(device="cpu", memory=1).activations_budget() == 0
    left = RunOptions(device="cpu", memory=resident_bytes() + 2**30).activations_budget()
    assert left is not None and 2**29 < left < 2**30


def test_threads_are_those_of_the_whole_process() -> None:
    before = torch.get_num_threads()
    RunOptions().prepare_process()
    assert torch.get_num_threads() == before
    RunOptions(threads=before + 1).prepare_process()
    assert torch.get_num_threads() == before + 1
    torch.set_num_threads(before)


@pytest.mark.parametrize("threads", [0, MOST_THREADS + 1, 100_000])
def test_so_many_threads_that_none_can_be_made_are_refused(threads: int) -> None:
    with pytest.raises(LimnerError, match=f"threads must be a whole number from 1 to {MOST_THREADS}, got {threads}"):
        RunOptions(threads=threads)
    assert RunOptions(threads=MOST_THREADS).threads == MOST_THREADS
