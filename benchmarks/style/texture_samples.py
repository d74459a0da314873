"""How much sooner a texture network is there: `python -m benchmarks.style.texture_samples MODEL PICTURE`.

The time and the texture loss of its samples beside the loss curves of seeking the texture pixel by pixel, L-BFGS and
Adam, by the same loss in the same precision. Written to results/texture_samples.json, .md and .svg beside this file.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import torch
import typer

from benchmarks.runtime.reports import RESULTS
from limner.experiments.curves import Chart, svg
from limner.files.image import read_image, to_tensor
from limner.measure.texture import (
    ADAM,
    LBFGS,
    Step,
    objective,
    optimise,
    sample_loss,
    sample_seconds,
    seconds_to,
)
from limner.processor import autocast_on
from limner.runtime.allocator import keep_freed_memory
from limner.runtime.device import choose_device
from limner.verbs.texture import load_network

AIM = 160


def measure(model: str, picture: Path, side: int, steps: int, device: str) -> dict[str, Any]:
    """All figures of the report."""
    chosen = choose_device(device)
    network, source = load_network(model).to(chosen), to_tensor(read_image(picture)).to(chosen)
    energy = objective(network, source, precision="fast")
    with autocast_on(chosen, "fast"):
        seconds = sample_seconds(network, (side, side))
        loss = sample_loss(network, energy, (side, side))
    ways = {"L-BFGS": LBFGS, "Adam": ADAM}
    found = {
        name: optimise(energy, source, (side, side), way.model_copy(update={"steps": steps}), until=loss)
        for name, way in ways.items()
    }
    return {
        "model": Path(model).stem,
        "picture": picture.stem,
        "side": side,
        "threads": torch.get_num_threads(),
        "device": str(chosen),
        "torch": torch.__version__,
        "sample_seconds": seconds,
        "sample_loss": loss,
        "curves": found,
        **ratios(found, loss, seconds),
    }


def ratios(found: dict[str, list[Step]], loss: float, seconds: float) -> dict[str, Any]:
    """How many times sooner a sample is there than the sooner of the ways; at least, where none comes to its loss."""
    reached = [when for steps in found.values() if (when := seconds_to(steps, loss)) is not None]
    longest = max(steps[-1].seconds for steps in found.values())
    return {"times_sooner": (min(reached) if reached else longest) / seconds, "is_bound": not reached}


def report(found: dict[str, Any]) -> Iterator[str]:
    """The lines of the Markdown report."""
    yield f"# A texture of {found['side']}x{found['side']} from a network and by optimisation"
    yield ""
    yield f"Made by `python -m benchmarks.style.texture_samples` with {found['model']} and {found['picture']}:"
    yield f"{found['threads']} threads, device {found['device']}, torch {found['torch']}. Both have the same loss;"
    yield "seconds of the optimisation are those of its steps alone."
    yield ""
    yield "| way | seconds | texture loss |"
    yield "|---|---|---|"
    yield f"| one sample | {found['sample_seconds']:.3f} | {found['sample_loss']:.4g} |"
    for name, steps in found["curves"].items():
        when = seconds_to(steps, found["sample_loss"])
        last = steps[-1]
        if when is None:
            yield f"| {name}, {len(steps)} steps, not there yet | {last.seconds:.1f} | {last.loss:.4g} |"
        else:
            yield f"| {name}, until the loss of the sample | {when:.1f} | {last.loss:.4g} |"
    yield ""
    least = "at least " if found["is_bound"] else ""
    verdict = "met" if found["times_sooner"] >= AIM else "**missed**"
    yield f"The network is there {least}{found['times_sooner']:.0f} times sooner. Aim: {AIM}: {verdict}."


def chart(found: dict[str, Any]) -> str:
    """The loss curves as SVG, with that of the samples across."""
    curves = {name: [(step.seconds, step.loss) for step in steps] for name, steps in found["curves"].items()}
    levels = {f"network, {1000 * found['sample_seconds']:.0f} ms": found["sample_loss"]}
    return svg([Chart("Texture loss", "seconds", curves, levels)])


def main(
    model: Annotated[str, typer.Argument(help="What limner train texture-network wrote.")],
    picture: Annotated[Path, typer.Argument(help="That it was trained on.")],
    side: Annotated[int, typer.Option(help="Pixels of a side.")] = 256,
    steps: Annotated[int, typer.Option(help="Of each optimisation at most.")] = 500,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "cpu",
) -> None:
    """Measure and write the report."""
    keep_freed_memory()
    found = measure(model, picture, side, steps, device)
    (RESULTS / "texture_samples.json").write_text(json.dumps(found, indent=1) + "\n")
    (RESULTS / "texture_samples.md").write_text("\n".join(report(found)) + "\n")
    (RESULTS / "texture_samples.svg").write_text(chart(found))
    print("\n".join(report(found)))


if __name__ == "__main__":
    typer.run(main)
