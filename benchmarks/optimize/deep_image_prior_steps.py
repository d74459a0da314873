"""How long a step of the deep image prior takes: `python -m benchmarks.optimize.deep_image_prior_steps`.

Limner's ways and the plain one, each in a process of its own, take turns at 512x512. The medians are written to
results/deep_image_prior_steps.json and .md beside this file.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from torch import Tensor, nn

from benchmarks.runtime.reports import RESULTS, publish
from benchmarks.runtime.workers import in_turns, medians, serve, started
from limner.loops.optimize import Optimization
from limner.processor import Machine
from limner.systems.optimize import deep_image_prior as dip

PLAIN = "plain"
WAYS = {  # settings and precision; the plain way has the paper's
    PLAIN: ("DENOISE_2018", "exact"),
    "paper, exact": ("DENOISE_2018", "exact"),
    "paper, fast": ("DENOISE_2018", "fast"),
    "modern, fast": ("DENOISE", "fast"),
}


class Plain(nn.Module):
    """The paper's network as it is commonly written: padding as modules, scales within scales, channels first."""

    def __init__(self, in_channels: int = 32, scales: int = 5, width: int = 128, skip: int = 4) -> None:
        super().__init__()
        self.skip = self._block(in_channels, skip, 1)
        down = [*self._block(in_channels, width, 3, 2), *self._block(width, width, 3)]
        if scales > 1:
            down.append(Plain(width, scales - 1, width, skip))
        self.down = nn.Sequential(*down, nn.Upsample(scale_factor=2, mode="bilinear"))
        joined = skip + width
        self.up = nn.Sequential(nn.BatchNorm2d(joined), *self._block(joined, width, 3), *self._block(width, width, 1))

    @staticmethod
    def _block(in_channels: int, channels: int, kernel: int, stride: int = 1) -> nn.Sequential:
        convolution = nn.Conv2d(in_channels, channels, kernel, stride)
        return nn.Sequential(
            nn.ReflectionPad2d(kernel // 2), convolution, nn.BatchNorm2d(channels), nn.LeakyReLU(0.2, inplace=True)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(n, k, h, w) -> (n, width, h, w); sides are multiples of 2^scales."""
        return self.up(torch.cat([self.skip(x), self.down(x)], dim=1))


def stepper(way: str, side: int) -> Callable[[], object]:
    """What makes one step of a way."""
    name, precision = WAYS[way]
    observed = torch.rand(1, 3, side, side)
    if way == PLAIN:
        return plain_stepper(observed)
    from limner.runtime.allocator import keep_freed_memory

    keep_freed_memory()
    config = getattr(dip, name)
    picture = dip.painter((side, side), config, "fast" if precision == "fast" else "exact")
    return Optimization(picture, dip.denoising(observed), config.optimize).step


def plain_stepper(observed: Tensor) -> Callable[[], object]:
    """Float32 and the defaults of torch."""
    network = nn.Sequential(Plain(), nn.Conv2d(128, 3, 1), nn.Sigmoid())
    z = 0.1 * torch.rand(1, 32, *observed.shape[-2:])
    optimizer = torch.optim.Adam(network.parameters(), 0.01)

    def step() -> object:
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(network(z + torch.randn_like(z) / 30), observed)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def timed(step: Callable[[], object]) -> float:
    """Seconds of a step."""
    begun = time.monotonic()
    step()
    return time.monotonic() - begun


def main(
    rounds: Annotated[int, typer.Option(min=1)] = 7,
    side: Annotated[int, typer.Option(min=64, help="Pixels; a multiple of 32.")] = 512,
    out: Annotated[Path, typer.Option(help="Folder of the report.")] = RESULTS,
    way: Annotated[str, typer.Option(hidden=True)] = "",
) -> None:
    """Time a step at 512x512 in Limner's ways and in the plain one."""
    if way:
        step = stepper(way, side)
        serve(lambda _: timed(step))
        return
    with started(Path(__file__), WAYS, "--side", str(side)) as workers:
        turns = in_turns(workers, rounds)
    found: dict[str, Any] = {
        "machine": asdict(Machine.here()),
        "side": side,
        "rounds": rounds,
        **medians(turns, PLAIN),
    }
    publish("deep_image_prior_steps", found, times_table(found), out)


def times_table(found: dict[str, Any]) -> Iterator[str]:
    """The lines of the report on time."""
    yield f"# A step of the deep image prior at {found['side']}x{found['side']}"
    yield ""
    yield f"{Machine(**found['machine']).setting}."
    yield f"Medians of {found['rounds']} rounds, in which processes take turns. *Plain* is the paper's network as it is"
    yield "commonly written, in float32, channels first, with the defaults of torch and malloc."
    yield from ("", "| way | seconds | times faster than plain |", "|---|---|---|")
    for name, seconds in found["seconds"].items():
        yield f"| {name} | {seconds:.2f} | {found['times_faster'][name]:.2f} |"


if __name__ == "__main__":
    typer.run(main)
