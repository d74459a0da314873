"""How many steps a second a U-Net is trained: `python -m benchmarks.segmentation.unet_training`.

Limner's loop, and the plain one as it is usually written, with the same network, start and batch, each in a process of
its own, take turns. The medians are written to results/unet_training.json and .md.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import torch
import torch.nn.functional as F
import typer

from benchmarks.runtime.reports import RESULTS, made_by, publish
from benchmarks.runtime.workers import in_turns, medians, serve, started
from limner.data.segmented import Segmented
from limner.loops.checkpoint import seed_everything
from limner.loops.fit import Fit
from limner.processor import Machine
from limner.runtime.allocator import keep_freed_memory
from limner.systems.segmentation.unet import FIT_MODERN, MODERN, UNet, UNetConfig

PLAIN, LIMNER = "plain", "limner"
WAYS = (PLAIN, LIMNER)
NETWORKS = {
    "modern": MODERN,
    "64 channels": UNetConfig(channels=64, valid=False, norm="batch", dropout=0.0, dice_weight=1.0),
}
"""The package's own, and the one that is usually trained: 31 million weights, padded, batch norm."""
AIM = 1.5
_RATE = 1e-4


def batch_of(side: int, number: int) -> Segmented:
    """Any: a step takes as long for all."""
    rng = torch.Generator().manual_seed(0)
    image = torch.rand(number, 1, side, side, generator=rng)
    return Segmented(image, (image > 0.5).long(), torch.ones_like(image))


class PlainTraining:
    """Channels first, float32, Adam, cross entropy and Dice, gradients clipped by their norm."""

    def __init__(self, system: UNet) -> None:
        self.system = system.train()
        self.optimizer = torch.optim.Adam(system.parameters(), _RATE)

    def step(self, batch: Segmented) -> None:
        """A step as popular code writes it."""
        logits = self.system(batch.image)
        found, true = logits.softmax(1), F.one_hot(batch.label[:, 0], logits.shape[1]).permute(0, 3, 1, 2).float()
        shared, total = (found * true).sum((0, 2, 3)), (found + true).sum((0, 2, 3))
        loss = F.cross_entropy(logits, batch.label[:, 0]) + (1 - (2 * shared / total).mean())
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.system.parameters(), 1.0)
        self.optimizer.step()


def work(way: str, network: str, side: int, number: int) -> None:
    """Be the worker of a way: the seconds of a step each time that it is asked."""
    if way == LIMNER:
        keep_freed_memory()
    seed_everything(0)
    system, batch = UNet(NETWORKS[network]), batch_of(side, number)
    training = Fit(system, FIT_MODERN) if way == LIMNER else PlainTraining(system)
    step: Callable[[], Any] = lambda: training.step([batch]) if isinstance(training, Fit) else training.step(batch)  # noqa: E731

    def answer(question: Any) -> float:
        begun = time.perf_counter()
        step()
        return time.perf_counter() - begun

    serve(answer)


def measure(network: str, side: int, number: int, steps: int) -> dict[str, Any]:
    """The figures of a network."""
    own = ("--network", network, "--side", str(side), "--batch-size", str(number))
    with started(Path(__file__), WAYS, *own) as workers:
        return medians(in_turns(workers, steps - 1), PLAIN)


def report(found: dict[str, Any]) -> Iterator[str]:
    """The lines of the Markdown report."""
    yield "# Training a U-Net"
    yield from ("", made_by(found), "")
    side = found["side"]
    yield f"{found['steps']} steps of each way in turns, {found['batch_size']} samples of {side}x{side} a step."
    yield "*plain* is float32, channels first, malloc as it is, torch's own Adam; *limner* is its loop as the preset"
    yield "modern has it. Both have the same network and batch."
    yield from ("", "| network | way | seconds a step | times faster |", "|---|---|---|---|")
    for network, one in found["networks"].items():
        for way in WAYS:
            yield f"| {network} | {way} | {one['seconds'][way]:.3f} | {one['times_faster'][way]:.2f} |"
    for network, one in found["networks"].items():
        met = "met" if one["times_faster"][LIMNER] >= AIM else "**missed**"
        yield from ("", f"{network}: aim: {AIM:g} times faster: {met}.")


def main(
    network: Annotated[list[str] | None, typer.Option(help="One of them; again for several.")] = None,
    side: Annotated[int, typer.Option(help="Of the samples, in pixels.")] = 256,
    batch_size: Annotated[int, typer.Option(help="Samples of a step.")] = 4,
    steps: Annotated[int, typer.Option(min=2, help="Of each way.")] = 12,
    out: Annotated[Path, typer.Option(help="Folder of the report.")] = RESULTS,
    way: Annotated[str | None, typer.Option(hidden=True)] = None,
) -> None:
    """Measure and write the report."""
    networks = network or [*NETWORKS]
    if way:
        work(way, networks[0], side, batch_size)
        return
    found = {
        "machine": asdict(Machine.here()),
        "command": "python -m benchmarks.segmentation.unet_training",
        "side": side,
        "batch_size": batch_size,
        "steps": steps,
        "networks": {name: measure(name, side, batch_size, steps) for name in networks},
    }
    publish("unet_training", found, report(found), out)


if __name__ == "__main__":
    typer.run(main)
