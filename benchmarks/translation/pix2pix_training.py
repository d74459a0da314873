"""How many steps a second pix2pix is trained: `python -m benchmarks.translation.pix2pix_training`.

Limner's loop, and the plain one as it is usually written, with the same networks, start and pairs, each in a process of
its own, take turns. The medians are written to results/pix2pix_training.json and .md.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import torch
import torch.nn.functional as F
import typer
from torch import Tensor

from benchmarks.runtime.reports import RESULTS, made_by, publish
from benchmarks.runtime.workers import in_turns, medians, serve, started
from limner.data.pairs import Pair
from limner.loops.checkpoint import seed_everything
from limner.loops.fit import Fit
from limner.processor import Machine
from limner.runtime.allocator import keep_freed_memory
from limner.systems.adversarial.pix2pix import FIT_MODERN, MODERN, PIX2PIX_2017, Pix2Pix

PLAIN, LIMNER = "plain", "limner"
WAYS = (PLAIN, LIMNER)
PRESETS = {
    "paper": (PIX2PIX_2017, FIT_MODERN),
    "modern": (MODERN, FIT_MODERN),
}  # networks; both are trained the new way
AIM = 1.7
_RATE, _BETAS = 2e-4, (0.5, 0.999)


def pair(side: int) -> Pair:
    """Any: a step takes as long for all."""
    return Pair(*torch.rand(2, 1, 3, side, side, generator=torch.Generator().manual_seed(0)))


class PlainTraining:
    """Channels first, float32, each network forward for each loss, gradients for all that a loss depends on."""

    def __init__(self, system: Pix2Pix) -> None:
        self.system = system.train()
        networks = system.discriminator, system.generator
        self.optimizers = [torch.optim.Adam(one.parameters(), _RATE, _BETAS) for one in networks]

    def step(self, batch: Pair) -> None:
        """As in the authors' PyTorch code: the discriminator by two passes, then the generator by a third."""
        system, (of_discriminator, of_generator) = self.system, self.optimizers
        noise = [torch.rand(port.shape(1, *batch.source.shape[-2:])) for port in system.inputs[1:]]
        fake = system.generator(batch.source, *noise)
        system.discriminator.requires_grad_(True)
        of_discriminator.zero_grad()
        unreal = _cross_entropy(system.discriminator(batch.source, fake.detach()), 0.0)
        real = _cross_entropy(system.discriminator(batch.source, batch.target), 1.0)
        ((unreal + real) / 2).backward()
        of_discriminator.step()
        system.discriminator.requires_grad_(False)
        of_generator.zero_grad()
        gained = _cross_entropy(system.discriminator(batch.source, fake), 1.0)
        (gained + 100 * F.l1_loss(2 * fake, 2 * batch.target)).backward()
        of_generator.step()


def _cross_entropy(logits: Tensor, wanted: float) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, wanted))


def work(way: str, preset: str, side: int) -> None:
    """Be the worker of a way: the seconds of a step each time that it is asked."""
    config, fit = PRESETS[preset]
    if way == LIMNER:
        keep_freed_memory()
    seed_everything(0)
    system, batch = Pix2Pix(config), pair(side)
    training = Fit(system, fit) if way == LIMNER else PlainTraining(system)
    step: Callable[[], Any] = lambda: training.step([batch]) if isinstance(training, Fit) else training.step(batch)  # noqa: E731

    def answer(question: Any) -> float:
        begun = time.perf_counter()
        step()
        return time.perf_counter() - begun

    serve(answer)


def measure(preset: str, side: int, steps: int) -> dict[str, Any]:
    """The figures of a preset."""
    with started(Path(__file__), WAYS, "--preset", preset, "--side", str(side)) as workers:
        return medians(in_turns(workers, steps - 1), PLAIN)


def report(found: dict[str, Any]) -> Iterator[str]:
    """The lines of the Markdown report."""
    yield "# Training pix2pix"
    yield from ("", made_by(found), "")
    side = found["side"]
    yield f"{found['steps']} steps of each way in turns, one pair of {side}x{side} a step. *plain* is float32,"
    yield "channels first, malloc as it is, torch's own Adam; *limner* is its loop as the preset modern has it. Both"
    yield "have the same networks and pair."
    yield ""
    yield "| preset | way | seconds a step | times faster |"
    yield "|---|---|---|---|"
    for preset, one in found["presets"].items():
        for way in WAYS:
            yield f"| {preset} | {way} | {one['seconds'][way]:.3f} | {one['times_faster'][way]:.2f} |"
    for preset, one in found["presets"].items():
        met = "met" if one["times_faster"][LIMNER] >= AIM else "**missed**"
        yield from ("", f"{preset}: aim: {AIM:g} times faster: {met}.")


def main(
    preset: Annotated[list[str] | None, typer.Option(help="paper or modern; again for both.")] = None,
    side: Annotated[int, typer.Option(help="Of the pictures, in pixels.")] = 256,
    steps: Annotated[int, typer.Option(min=2, help="Of each way.")] = 12,
    out: Annotated[Path, typer.Option(help="Folder of the report.")] = RESULTS,
    way: Annotated[str | None, typer.Option(hidden=True)] = None,
) -> None:
    """Measure and write the report."""
    presets = preset or [*PRESETS]
    if way:
        work(way, presets[0], side)
        return
    found = {
        "machine": asdict(Machine.here()),
        "command": "python -m benchmarks.translation.pix2pix_training",
        "side": side,
        "steps": steps,
        "presets": {name: measure(name, side, steps) for name in presets},
    }
    publish("pix2pix_training", found, report(found), out)


if __name__ == "__main__":
    typer.run(main)
