"""The order of samples: a pure function of seed and position."""

import itertools
import os
import random
import signal
from collections.abc import Iterator
from typing import NamedTuple

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from limner.data.sampler import Shuffled, batches
from limner.errors import LimnerError
from limner.loops.checkpoint import random_state


class Sample(NamedTuple):
    source: Tensor
    noise: Tensor


class Numbers:
    def __init__(self, count: int) -> None:
        self.count = count

    def __len__(self) -> int:
        return self.count

    def draw(self, index: int, rng: torch.Generator) -> Sample:
        return Sample(torch.tensor(index), torch.rand(3, generator=rng))


def take(
    count: int, seed: int, *, sources: int = 7, size: int = 3, start: int = 0, num_workers: int = 0
) -> list[Sample]:
    stream: Iterator[Sample] = batches(Numbers(sources), size, seed, start=start, num_workers=num_workers)
    return list(itertools.islice(stream, count))


def equal(a: list[Sample], b: list[Sample]) -> bool:
    return len(a) == len(b) and all(
        torch.equal(x, y) for p, q in zip(a, b, strict=True) for x, y in zip(p, q, strict=True)
    )


@given(seed=st.integers(0, 2**63), start=st.integers(0, 40), size=st.integers(1, 9), sources=st.integers(1, 12))
def test_a_stream_begun_later_is_the_rest_of_the_stream(seed: int, start: int, size: int, sources: int):
    whole = take(start + 4, seed, sources=sources, size=size)
    assert equal(take(4, seed, sources=sources, size=size, start=start), whole[start:])


@given(seed=st.integers(0, 2**63), length=st.integers(1, 50), start=st.integers(0, 200))
def test_each_epoch_is_a_permutation(seed: int, length: int, start: int):
    epoch = start // length
    keys = list(itertools.islice(Shuffled(length, seed, epoch * length), 2 * length))
    assert [position for _, position in keys] == list(range(epoch * length, (epoch + 2) * length))
    sources = [source for source, _ in keys]
    assert sorted(sources[:length]) == sorted(sources[length:]) == list(range(length))
    assert (
        list(itertools.islice(Shuffled(length, seed, start), length)) == keys[start % length : start % length + length]
    )


def test_epochs_and_seeds_have_orders_of_their_own():
    first, second = (list(itertools.islice(Shuffled(50, 0, start), 50)) for start in (0, 50))
    other = list(itertools.islice(Shuffled(50, 1, 0), 50))
    orders = [[source for source, _ in keys] for keys in (first, second, other)]
    assert orders[0] != orders[1]
    assert orders[0] != orders[2]
    assert orders[0] != list(range(50))


def test_every_order_is_about_as_likely():
    counts = dict.fromkeys(itertools.permutations(range(3)), 0)
    for seed in range(6):
        sources = [source for source, _ in itertools.islice(Shuffled(3, seed, 0), 300)]
        for place in range(0, 300, 3):
            counts[tuple(sources[place : place + 3])] += 1
    assert all(70 < count < 130 for count in counts.values())  # 100 each, with a standard deviation of 9


def test_no_two_draws_have_the_same_numbers():
    noise = [tuple(row.tolist()) for seed in range(4) for batch in take(50, seed) for row in batch.noise]
    assert len(set(noise)) == len(noise) == 600
    values = torch.tensor(noise)
    assert abs(values.mean().item() - 0.5) < 0.03
    correlation = torch.corrcoef(torch.stack([values[:-1, 0], values[1:, 0]]))[0, 1]  # of neighbours
    assert abs(correlation.item()) < 0.15


def test_workers_change_nothing():
    assert equal(take(6, 3, start=2, num_workers=2), take(6, 3, start=2))


def test_workers_go_on_after_a_signal_that_is_the_runs_to_answer():
    stream = batches(Numbers(7), 3, 3, num_workers=1)
    first = next(stream)
    (worker,) = stream._workers  # type: ignore[attr-defined]
    for number in (signal.SIGINT, signal.SIGTERM):
        os.kill(worker.pid, number)
    assert equal([first, *itertools.islice(stream, 9)], take(10, 3))
    assert worker.is_alive()


@pytest.mark.parametrize("num_workers", [0, 1])
def test_the_global_random_state_is_not_touched(num_workers: int):
    before = random_state()
    stream = batches(Numbers(5), 2, 0, num_workers=num_workers)
    for _ in range(4):
        next(stream)
    after = random_state()
    assert torch.equal(after["torch"], before["torch"])
    assert torch.equal(after["numpy"][1], before["numpy"][1])
    # Python's are not compared: under pytest, beartype draws from them to check arguments.


def test_the_global_random_state_is_not_read():
    torch.manual_seed(1)
    first = take(4, 0)
    torch.manual_seed(2)
    random.seed(2)
    assert equal(take(4, 0), first)


def test_batches_keep_their_type_and_run_across_epochs():
    first, second, third = take(3, 0, sources=4, size=3)
    assert type(first) is Sample
    assert first.noise.shape == (3, 3)
    seen = torch.cat([first.source, second.source, third.source]).tolist()
    assert sorted(seen[:4]) == sorted(seen[4:8]) == [0, 1, 2, 3]


def test_nothing_to_draw_from():
    with pytest.raises(LimnerError, match="no samples to draw from: check the data"):
        batches(Numbers(0), 2, 0)
