"""Which memory layout is faster where: steps of layers and networks, channels last against channels first.

`python -m benchmarks.runtime.layouts` prints the table that the rule of `limner.processor.layout_on` rests on, and
writes it as `layouts-<class of processor>` beside the other results. The two layouts take turns in one process on one
thread; the times are medians of what the CPU spent, so that a busy machine does little harm.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial
from typing import Annotated, Any

import torch
import typer
from torch import Tensor, nn

from benchmarks.runtime.reports import made_by, of_class, publish
from limner.layers.hourglass import Hourglass
from limner.processor import Machine, dtype_on
from limner.runtime.allocator import keep_freed_memory
from limner.systems.feedforward.fast_style import FastStyle
from limner.systems.feedforward.vdsr import VDSR

LAYOUTS = {"last": torch.channels_last, "first": torch.contiguous_format}
_CPU = torch.device("cpu")

Case = tuple[str, str, Callable[[], nn.Module], tuple[int, int, int, int]]
"""Its name, what learns, the network, and the shape of what it is given."""


def cases() -> Iterator[Case]:
    """What is measured: what trainings, the deep image prior and the optimisation of pixels are made of."""
    for channels, count, side in ((64, 8, 41), (128, 1, 128), (32, 1, 256)):
        shape = (count, channels, side, side)
        for learns in ("weights", "picture"):
            name = f"3x3 convolution, {channels} channels, {count} x {side}x{side}"
            yield name, learns, partial(nn.Conv2d, channels, channels, 3, padding=1), shape
    yield "VGG-16 up to its third block", "picture", _blocks, (1, 3, 256, 256)
    yield "VDSR", "weights", VDSR, (8, 1, 64, 64)
    yield "the style network of Johnson et al.", "weights", FastStyle, (1, 3, 256, 256)
    yield "the hourglass of the deep image prior", "weights", Hourglass, (1, 32, 256, 256)


def _blocks() -> nn.Module:
    layers: list[nn.Module] = []
    for before, width, number in ((3, 64, 2), (64, 128, 2), (128, 256, 1)):
        for channels in [before] + [width] * (number - 1):
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers)


def step_of(case: Case, layout: torch.memory_format, dtype: torch.dtype) -> Callable[[], object]:
    """Forward and backward in one layout, to what learns alone."""
    _, learns, build, shape = case
    torch.manual_seed(0)
    network = build().to(memory_format=layout)  # type: ignore[call-overload]  # torch's stub lacks it
    image = torch.rand(shape).contiguous(memory_format=layout)
    network.requires_grad_(learns == "weights")
    image.requires_grad_(learns == "picture")
    learning: list[Tensor] = [one for one in (*network.parameters(), image) if one.requires_grad]

    def step() -> object:
        with torch.autocast("cpu", torch.bfloat16, enabled=dtype == torch.bfloat16):
            loss = network(image).float().square().mean()
        return torch.autograd.grad(loss, learning)

    return step


def compare(case: Case, precision: str, rounds: int) -> dict[str, Any]:
    """The median milliseconds of each layout, in turns, and the median of their ratio."""
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    steps = {name: step_of(case, layout, dtype) for name, layout in LAYOUTS.items()}
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for turn in range(rounds + 1):
        for name, step in steps.items():
            started = time.process_time()
            step()
            if turn:
                seconds[name].append(1000 * (time.process_time() - started))
    ratios = [first / last for first, last in zip(seconds["first"], seconds["last"], strict=True)]
    found = {f"{name}_ms": statistics.median(took) for name, took in seconds.items()}
    return {"case": case[0], "learns": case[1], "precision": precision, **found, "gain": statistics.median(ratios)}


def report(found: dict[str, Any]) -> Iterator[str]:
    """The lines of the Markdown report."""
    yield from ("# Channels last against channels first", "", made_by(found), "")
    yield "Milliseconds of CPU of a forward and a backward pass to what learns; *gain* is how many times as fast"
    yield "channels last is."
    yield from (
        "",
        "| what | learns | precision | channels last | channels first | gain |",
        "|---|---|---|---|---|---|",
    )
    for row in found["rows"]:
        figures = f"{row['last_ms']:.1f} | {row['first_ms']:.1f} | {row['gain']:.2f}"
        yield f"| {row['case']} | {row['learns']} | {row['precision']} | {figures} |"


def main(rounds: Annotated[int, typer.Option(min=1)] = 7) -> None:
    """Measure, print and write."""
    keep_freed_memory()
    torch.set_num_threads(1)
    precisions = ["fp32"] + ["bf16"] * (dtype_on(_CPU, "fast") == torch.bfloat16)
    rows = [compare(case, precision, rounds) for case in cases() for precision in precisions]
    machine = Machine.here()
    found = {"machine": asdict(machine), "command": "python -m benchmarks.runtime.layouts", "rows": rows}
    publish(of_class("layouts", machine), found, report(found))


if __name__ == "__main__":
    typer.run(main)
