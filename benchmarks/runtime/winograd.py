"""Where a convolution is faster by NNPACK: `python -m benchmarks.runtime.winograd`.

It prints the table that the rules `winograd_pays` and `fourier_pays` of `limner.processor` rest on, and writes it as
`winograd-<class of processor>` beside the other results: convolutions as prepared networks have them, by oneDNN with
packed weights, and by NNPACK in either layout. The ways take turns in one process on one thread; the times are medians
of what the CPU spent.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Annotated, Any

import torch
import typer
from torch import nn

from benchmarks.runtime.reports import made_by, of_class, publish
from limner.layers import nnpack
from limner.processor import Machine, fourier_pays, winograd_pays
from limner.runtime.allocator import keep_freed_memory
from limner.runtime.packed import PackedConvolution

SHAPES = [
    (32, 32, 128), (48, 48, 128), (64, 64, 16), (64, 64, 32), (64, 64, 128), (64, 64, 256), (64, 128, 64),
    (128, 64, 128), (128, 128, 32), (128, 128, 64), (128, 128, 128), (256, 256, 16), (256, 256, 32), (256, 256, 64),
    (512, 512, 16), (512, 512, 32), (512, 256, 64),
]  # fmt: skip
"""Channels of the input and the result, and the side of both."""
WIDE_SHAPES = [(16, 3, 256, 9), (32, 3, 256, 9), (64, 3, 256, 9), (64, 3, 256, 7), (64, 1, 256, 7)]
"""The same, and rows and columns of the kernel."""
LAST, FIRST = "channels last", "channels first"


def ways(read: int, made: int, side: int, kernel: int = 3) -> dict[str, Callable[[], object]]:
    """One convolution with its ReLU in each way."""
    torch.manual_seed(0)
    pads = kernel // 2, kernel // 2
    packed = PackedConvolution(nn.Conv2d(read, made, kernel, padding=pads), nn.ReLU(), torch.float32)
    packed.can_be_nnpack = False
    first = torch.randn(1, read, side, side)
    last = first.contiguous(memory_format=torch.channels_last)
    weight, bias = packed.filter, packed.plain_bias
    return {
        "oneDNN": lambda: packed(last),
        LAST: lambda: nnpack.convolve(last, weight, bias, pads, torch.relu_, torch.channels_last),
        FIRST: lambda: nnpack.convolve(first, weight, bias, pads, torch.relu_),
    }


@torch.inference_mode()
def compare(shape: tuple[int, ...], rounds: int) -> dict[str, Any]:
    """The median milliseconds of each way, and of how many times as fast as oneDNN the others are."""
    runs, seconds = ways(*shape), dict[str, list[float]]()
    for turn in range(rounds + 1):
        for name, run in runs.items():
            started = time.process_time()
            run()
            if turn:
                seconds.setdefault(name, []).append(1000 * (time.process_time() - started))
    medians = {name: statistics.median(took) for name, took in seconds.items()}
    gains = {name: medians["oneDNN"] / medians[name] for name in (LAST, FIRST)}
    read, made, side, kernel = (*shape, 3)[:4]
    taken = winograd_pays(read, made, side, side) if kernel == 3 else fourier_pays(read, made, kernel, kernel)
    return {"shape": (read, made, side, kernel), "milliseconds": medians, "gains": gains, "taken": taken}


def report(found: dict[str, Any]) -> Iterator[str]:
    """The lines of the Markdown report."""
    yield from (
        "# Convolutions by NNPACK: 3x3 ones by Winograd's way, wide ones by Fourier transforms",
        "",
        made_by(found),
        "",
    )
    yield "Milliseconds of CPU of a convolution and its ReLU for one picture; *gain* is how many times as fast NNPACK"
    yield "is as oneDNN with packed weights, for maps in channels last, which are turned around, and in channels first;"
    yield "*taken* where prepared networks take it on this class of processor."
    yield from (
        "",
        "| channels | kernel | side | oneDNN | NNPACK, last | NNPACK, first | gain, last | gain, first | taken |",
    )
    yield "|---|---|---|---|---|---|---|---|---|"
    for row in found["rows"]:
        read, made, side, kernel = row["shape"]
        times = " | ".join(f"{row['milliseconds'][name]:.2f}" for name in ("oneDNN", LAST, FIRST))
        gains = " | ".join(f"{row['gains'][name]:.2f}" for name in (LAST, FIRST))
        yield f"| {read} to {made} | {kernel}x{kernel} | {side} | {times} | {gains} | {'yes' if row['taken'] else ''} |"


def main(rounds: Annotated[int, typer.Option(min=1)] = 7) -> None:
    """Measure, print and write."""
    keep_freed_memory()
    torch.set_num_threads(1)
    machine = Machine.here()
    if not nnpack.works():
        raise typer.BadParameter("NNPACK is not in this torch, or not for this processor")
    rows = [compare(shape, rounds) for shape in [*SHAPES, *WIDE_SHAPES]]
    found = {"machine": asdict(machine), "command": "python -m benchmarks.runtime.winograd", "rows": rows}
    publish(of_class("winograd", machine), found, report(found))


if __name__ == "__main__":
    typer.run(main)
