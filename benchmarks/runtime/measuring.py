"""Measures one network in several ways, round after round: each way once, and the machine's peak among them."""

import math
import statistics
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.runtime.networks import NETWORKS, gflop
from benchmarks.runtime.summary import Note, Row
from benchmarks.runtime.ways import EAGER
from benchmarks.runtime.workers import Worker, WorkerError

HERE = Path(__file__).parent
_LARGE = 1024**2  # pixels; beyond, a run takes seconds to half a minute
_SECONDS, _FEWEST, _MOST = 30, 3, 9  # timed rounds at one size: as many as fit into the seconds, within the two

Round = dict[str, dict[str, float]]
"""The answers of one round: by way, and of the peak."""


@dataclass(frozen=True)
class Block:
    """What is measured together: one network at some sizes in some ways, of which eager is one."""

    network: str
    sizes: tuple[str, ...]
    ways: tuple[str, ...]
    rounds: int | None = None
    """How many timed rounds; None means as many as fit."""


@dataclass
class Found:
    """What was measured, what was not and why, and the machine's peaks of every round."""

    rows: list[Row] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    peaks: list[dict[str, float]] = field(default_factory=list)

    def peak(self) -> dict[str, float]:
        """The median over the rounds, GFLOP/s by type."""
        return {name: statistics.median(peak[name] for peak in self.peaks) for name in self.peaks[0]}


def pixels(size: str) -> tuple[int, int]:
    """Height and width of a size's name: `512` is 512x512, `1080p` is 1080x1920."""
    lines = int(size.removesuffix("p"))
    return lines, lines * 16 // 9 if size.endswith("p") else lines


def is_large(size: str) -> bool:
    """Whether runs of that size are dear."""
    return math.prod(pixels(size)) > _LARGE


def measure(block: Block, folder: Path, found: Found) -> None:
    """Add what one block shows to `found`; a way that cannot run is noted and left out."""
    network = NETWORKS[block.network]
    system = network.build()
    file = folder / f"{block.network}.pt"
    torch.save(system, file)
    with ExitStack() as stack:
        peak = stack.enter_context(Worker(HERE / "peak.py", "--serve"))
        workers = {
            way: stack.enter_context(Worker(HERE / "ways.py", block.network, way, str(file))) for way in block.ways
        }
        turns = Turns(network.title, workers, peak, found.notes)
        turns.wait()  # they start together, and nothing is timed until all are there
        for size in block.sizes:
            results = {way: folder / f"{block.network}-{size}-{way}.pt" for way in block.ways}
            rounds = turns.rounds(size, results, block.rounds)
            work = gflop(system, tuple(network.picture(*pixels(size)).shape))
            found.peaks += [answers["peak"] for answers in rounds]
            found.rows += rows(block.network, size, work, rounds, {way: results[way] for way in workers})


@dataclass
class Turns:
    """Workers that take turns, by way; one that dies is noted and leaves."""

    title: str
    workers: dict[str, Worker]
    peak: Worker
    notes: list[Note]

    def wait(self) -> None:
        """Until all are ready."""
        self.peak.wait()
        self._each(lambda _, worker: worker.wait())

    def rounds(self, size: str, results: dict[str, Path], count: int | None) -> list[Round]:
        """Warm up, then run each way once a round; None runs as many rounds as fit."""
        height, width = pixels(size)

        def run(way: str, worker: Worker) -> dict[str, float]:
            return worker.ask({"height": height, "width": width, "result": str(results[way])})

        # eager gives its memory back after every layer, so that a dear run of it is not warmer the second time
        warm = self._each(lambda way, worker: {} if way == EAGER and is_large(size) else run(way, worker))
        turn = sum(answer.get("seconds", 0.0) for answer in warm.values())
        count = count or max(_FEWEST, min(_MOST, int(_SECONDS / max(turn, 1e-3))))
        return [self._each(run) | {"peak": self.peak.ask()} for _ in range(count)]

    def _each(self, call: Callable[[str, Worker], Any]) -> dict[str, Any]:
        answers = {}
        for way, worker in list(self.workers.items()):
            try:
                answers[way] = call(way, worker)
            except WorkerError as error:
                del self.workers[way]
                self.notes.append((f"{self.title} {way}", str(error)))
        return answers


def _best(peak: dict[str, float], way: str) -> float:
    """The machine's peak for a way: that of float32, or for `fast` the higher one."""
    return max(peak.values()) if way.endswith("fast") else peak["fp32"]


def rows(network: str, size: str, work: float, rounds: Sequence[Round], results: dict[str, Path]) -> list[Row]:
    """What rounds come to.

    Args:
        network: A key of `NETWORKS`.
        size: As the report names it.
        work: GFLOP of one run.
        rounds: The answers, each way's in every round.
        results: Where each way's result was kept.
    """
    named = NETWORKS[network]
    eager = torch.load(results[EAGER])
    made = []
    for way, file in results.items():
        seconds = [answers[way]["seconds"] for answers in rounds]
        best = [_best(answers["peak"], way) for answers in rounds]
        decibels, difference = agreement(eager, torch.load(file))
        middle = statistics.median(seconds)
        made.append(
            Row(
                network=network,
                title=named.title,
                reference=named.reference,
                size=size,
                way=way,
                milliseconds=1000 * middle,
                times_faster=statistics.median(
                    answers[EAGER]["seconds"] / answers[way]["seconds"] for answers in rounds
                ),
                gflops=work / middle,
                share=statistics.median(work / took / peak for took, peak in zip(seconds, best, strict=True)),
                peak_mib=max(answers[way]["peak_mib"] for answers in rounds),
                decibels=decibels,
                max_difference=difference,
                runs=len(rounds),
            )
        )
    return made


def agreement(eager: Tensor, result: Tensor) -> tuple[float, float]:
    """PSNR in decibels, with the range of eager's result as the peak, and the largest difference."""
    difference = eager.double() - result.double()
    error = difference.square().mean().item()
    peak = (eager.max() - eager.min()).item()
    return 10 * math.log10(peak**2 / error) if error else math.inf, difference.abs().max().item()
