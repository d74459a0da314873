"""How long a photo takes in one pass: `python -m benchmarks.style.fast_style_inference`.

The published network as it is commonly run, the same through Limner's painter, and the slim one of the embedded styles,
each in a process of its own, take turns at 512x512. Weights are random: time does not depend on them. Written to
results/fast_style_inference.json and .md beside this file. `runtime.py` has the other backends, sizes and networks.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from torch import nn

from benchmarks.runtime.architectures import JohnsonNet
from benchmarks.runtime.networks import gflop
from benchmarks.runtime.reports import RESULTS, made_by, publish
from benchmarks.runtime.workers import in_turns, medians, serve, started
from limner.cli.work.demo import PHOTO
from limner.data.stylization import read
from limner.ops.framing import middle_square
from limner.processor import Machine
from limner.runtime.allocator import keep_freed_memory
from limner.runtime.run_options import RunOptions
from limner.systems.feedforward.fast_style import JOHNSON_IN, SLIM, FastStyle
from limner.types import Image
from limner.verbs.stylize.network_painter import Painter

PLAIN, JOHNSON, SLIMMER = "plain", "johnson", "slim"
TITLES = {PLAIN: "Johnson, plain torch", JOHNSON: "Johnson, painter", SLIMMER: "slim, painter"}
AIMS = {(PLAIN, JOHNSON): 3.0, (JOHNSON, SLIMMER): 3.0}
"""How many times faster the second is to be than the first."""


def network(way: str) -> nn.Module:
    """What is run, with random weights."""
    if way == PLAIN:
        return JohnsonNet().eval()
    return FastStyle(JOHNSON_IN if way == JOHNSON else SLIM).eval()


def painter(way: str) -> Callable[[Image], torch.Tensor]:
    """How it is run."""
    if way == PLAIN:
        return torch.inference_mode()(network(way))
    keep_freed_memory()
    return Painter(network(way), options=RunOptions(device="cpu", backend="torch")).paint


def work(way: str, side: int, threads: int) -> None:
    """Be the worker of a way: the seconds of a photo whenever it is asked."""
    torch.set_num_threads(threads)
    paint, photo = painter(way), middle_square(read(PHOTO)[None], side)

    def answer(_: Any) -> float:
        begun = time.perf_counter()
        paint(photo)
        return time.perf_counter() - begun

    serve(answer)


def ratios(rounds: list[dict[str, float]]) -> dict[str, float]:
    """The medians of how many times faster, for each of the aims."""
    return {f"{one} / {other}": medians(rounds, one)["times_faster"][other] for one, other in AIMS}


def report(found: dict[str, Any]) -> Iterator[str]:
    """The lines of the Markdown report."""
    yield f"# A photo of {found['side']}x{found['side']} in one pass"
    yield from ("", made_by(found), "")
    yield f"Medians of {found['rounds']} rounds with {found['threads']} threads, in which processes take turns."
    yield "*Plain torch* is the published network, eager, in float32, with the defaults of torch and malloc."
    yield "*Painter* is what `limner stylize --model` does to pixels, in precision fast. GFLOP are those of the"
    yield "convolutions as published."
    yield from ("", "| network | ms | times faster | GFLOP | GFLOP/s |", "|---|---|---|---|---|")
    for way, title in TITLES.items():
        seconds, amount = found["seconds"][way], found["gflop"][way]
        times = found["times_faster"][way]
        yield f"| {title} | {1000 * seconds:.0f} | {times:.2f} | {amount:.1f} | {amount / seconds:.0f} |"
    yield ""
    for (one, other), aim in AIMS.items():
        times = found["ratios"][f"{one} / {other}"]
        met = "met" if times >= aim else "**missed**"
        yield f"- {TITLES[other]} beside {TITLES[one]}: {times:.2f} times faster. Aim: {aim:g}: {met}."


def main(
    rounds: Annotated[int, typer.Option(min=1, help="Photos of each way.")] = 25,
    side: Annotated[int, typer.Option(min=64, help="Pixels of a side; a multiple of 4.")] = 512,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads.")] = 2,
    out: Annotated[Path, typer.Option(help="Folder of the report.")] = RESULTS,
    way: Annotated[str | None, typer.Option(hidden=True)] = None,
) -> None:
    """Measure and write the report."""
    if way:
        work(way, side, threads)
        return
    torch.set_num_threads(threads)
    with started(Path(__file__), TITLES, "--side", str(side), "--threads", str(threads)) as workers:
        turns = in_turns(workers, rounds)
    found = {
        "machine": asdict(Machine.here()),
        "command": "python -m benchmarks.style.fast_style_inference",
        "side": side,
        "threads": threads,
        "rounds": rounds,
        "gflop": {one: gflop(network(one), (1, 3, side, side)) for one in TITLES},
        "ratios": ratios(turns),
        **medians(turns, PLAIN),
    }
    publish("fast_style_inference", found, report(found), out)


if __name__ == "__main__":
    typer.run(main)
