"""What this machine's cores reach at best: GFLOP/s of prepacked 3x3 convolutions and of a large matrix product.

`python -m benchmarks.runtime.peak` prints a table. The other timings ask it once in each of their rounds,
as a worker, and compare a network with the best of the same round: what slows the machine for a while slows both.
"""

import time
from collections.abc import Callable, Iterator
from typing import Annotated

import torch
import typer

from benchmarks.runtime.workers import serve
from limner.processor import dtype_on
from limner.runtime.allocator import keep_freed_memory

_NAMES = {torch.float32: "fp32", torch.bfloat16: "bf16"}
_SIDES = {64: 256, 128: 128, 256: 64}  # channels -> pixels of a side: 4.8 GFLOP each, maps of 4 to 16 MiB
_MATRIX = 2048
_TRIES = 3

Task = tuple[str, float, Callable[[], object]]
"""Its name, the GFLOP of one call, and the call."""


def dtypes() -> dict[str, torch.dtype]:
    """What the runtime computes in on this processor, by name: float32, and bfloat16 where that pays."""
    cpu = torch.device("cpu")
    return {_NAMES[dtype]: dtype for dtype in (dtype_on(cpu, "exact"), dtype_on(cpu, "fast"))}


def tasks(dtype: torch.dtype) -> Iterator[Task]:
    """What the peak is the best of; one call takes some 10 to 80 ms on a core of today."""
    for channels, side in _SIDES.items():
        gflop = 2 * 9 * channels**2 * side**2 / 1e9
        yield f"3x3 convolution, {channels} channels", gflop, _convolution(channels, side, dtype)
    matrix = torch.rand(_MATRIX, _MATRIX).to(dtype)
    yield f"matrix product, {_MATRIX}", 2 * _MATRIX**3 / 1e9, lambda: matrix @ matrix


def _convolution(channels: int, side: int, dtype: torch.dtype) -> Callable[[], object]:
    image = torch.rand(1, channels, side, side).to(dtype, memory_format=torch.channels_last)
    weight = torch.rand(channels, channels, 3, 3).to(dtype, memory_format=torch.channels_last)
    window = [1, 1], [1, 1], [1, 1], 1  # padding, stride, dilation, groups
    packed = torch.ops.mkldnn._reorder_convolution_weight(weight, *window, list(image.shape))
    return lambda: torch.ops.mkldnn._convolution_pointwise(image, packed, None, *window, "none", [], "")


def speed(task: Task) -> float:
    """The best GFLOP/s of some calls."""
    _, gflop, call = task
    seconds = []
    for _ in range(_TRIES):
        started = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - started)
    return gflop / min(seconds)


@torch.inference_mode()
def main(serving: Annotated[bool, typer.Option("--serve", hidden=True)] = False) -> None:
    """Print this machine's speeds, or be a worker that answers with the best of each precision."""
    keep_freed_memory()
    found = {name: list(tasks(dtype)) for name, dtype in dtypes().items()}
    for task in (task for group in found.values() for task in group):
        speed(task)  # the first calls set oneDNN up
    if serving:
        serve(lambda _: {name: max(map(speed, group)) for name, group in found.items()})
        return
    print("| GFLOP/s | " + " | ".join(found) + " |\n|---|" + "---|" * len(found))
    for group in zip(*found.values(), strict=True):
        print(f"| {group[0][0]} | " + " | ".join(f"{speed(task):.0f}" for task in group) + " |")


if __name__ == "__main__":
    typer.run(main)
