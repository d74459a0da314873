"""Which sample comes when: a pure function of seed and position, so that a resumed run sees what it would have seen."""

import itertools
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from typing import Any, Protocol

import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from limner.errors import LimnerError
from limner.processes import Place, place


class Samples(Protocol):
    """Training data: a number of sources, and a way to draw one sample (a NamedTuple of tensors) from one of them."""

    def __len__(self) -> int:
        """How many sources there are."""

    def draw(self, index: int, rng: torch.Generator) -> Any:
        """One sample of source `index`; every random choice comes from `rng`."""


class Shuffled(Sampler[tuple[int, int]]):
    """An endless stream of (source, position).

    Each epoch visits every source once, in an order drawn from (seed, epoch).
    """

    def __init__(self, length: int, seed: int, start: int, batch: int = 1, part: Place = Place(0, 1)) -> None:  # noqa: B008
        """Take how many sources there are, where to begin, and which part of each batch is asked for."""
        self.length, self.seed, self.start, self.batch, self.part = length, seed, start, batch, part

    def __iter__(self) -> Iterator[tuple[int, int]]:
        first, within = divmod(self.start, self.length)
        for epoch in itertools.count(first):
            order = torch.randperm(self.length, generator=_rng(self.seed, -1 - epoch)).tolist()
            for within_epoch in range(within, self.length):
                position = epoch * self.length + within_epoch
                if self._is_own(position):
                    yield order[within_epoch], position
            within = 0

    def _is_own(self, position: int) -> bool:
        return position % self.batch * self.part.size // self.batch == self.part.number


class _Drawn(Dataset[Any]):
    """What a data loader indexes by (source, position)."""

    def __init__(self, samples: Samples, seed: int) -> None:
        self.samples, self.seed = samples, seed

    def __getitem__(self, key: tuple[int, int]) -> Any:
        source, position = key
        return self.samples.draw(source, _rng(self.seed, position))


def _rng(seed: int, position: int) -> torch.Generator:
    mixed = (
        seed * 0x9E3779B97F4A7C15 + (position + 2**32) * 0xBF58476D1CE4E5B9
    ) % 2**63  # odd multipliers of splitmix64
    return torch.Generator().manual_seed(mixed)


def batches(samples: Samples, batch_size: int, seed: int, *, start: int = 0, num_workers: int = 0) -> Iterator[Any]:
    """Batches for ever, beginning with batch number `start`; batch k is the same however the run got there.

    The global random state is not touched, whatever the number of workers. Of processes that train as one, each gets
    its part of each batch.

    Raises:
        LimnerError: If there is nothing to draw from.
    """
    if not len(samples):
        raise LimnerError("there are no samples to draw from: check the data")
    part = place()
    loader = DataLoader(
        _Drawn(samples, seed),
        batch_size=batch_size // part.size,
        sampler=Shuffled(len(samples), seed, start * batch_size, batch_size, part),
        num_workers=num_workers,
        generator=torch.Generator().manual_seed(seed),
        multiprocessing_context="forkserver" if num_workers else None,
        worker_init_fn=_live_as_long_as_parent if num_workers else None,
    )
    return iter(loader)


def batch_bytes(samples: Samples, batch_size: int) -> int:
    """What a batch takes of memory, by the size of one sample."""
    return batch_size * sum(part.nbytes for part in samples.draw(0, _rng(0, 0))) if len(samples) else 0


def _live_as_long_as_parent(worker: int) -> None:
    """End with the run, neither sooner nor later.

    Ctrl-C and a cluster's SIGTERM reach workers too, but the run needs them until it has finished its step. And torch's
    workers, who look at their parent process, do not notice when a run is killed: theirs is the fork server.
    """
    run = multiprocessing.parent_process()
    assert run

    def follow() -> None:
        run.join()
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
