"""What the slim network of fast style gives away: `python -m benchmarks.style.fast_style_widths --data FOLDER`.

The published widths and half of them are trained on one style, with the same batches and steps, and judged on photos
that neither has seen. Written to results/fast_style_widths.json and .md beside this file.
"""

import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import torch
import typer

from benchmarks.runtime.reports import RESULTS, made_by, publish
from limner.cli.work.demo import PHOTO
from limner.data.stylization import StylizationConfig
from limner.loops.checkpoint import seed_everything
from limner.loops.fit import fit
from limner.loops.watch import Terminal
from limner.measure.fast_style import figures_of
from limner.processor import Machine
from limner.runtime.allocator import keep_freed_memory
from limner.systems.feedforward.fast_style import FIT_MODERN, JOHNSON_IN, SLIM, FastStyle
from limner.verbs.stylize.named_styles import style_picture

WIDTHS = {"full": JOHNSON_IN, "slim": SLIM}
PHOTOS = (PHOTO, PHOTO.with_name("chelsea.jpg"))
AIM = 1.1


def trained(width: str, style: str, data: Path, *, patch: int, steps: int) -> dict[str, float]:
    """The figures of a network of that width in the end, and its minutes."""
    seed_everything(0)
    system = FastStyle(WIDTHS[width].model_copy(update={"styles": (style,)}))
    samples = StylizationConfig(styles=(style_picture(style),), patch=patch).load(data)
    begun = time.perf_counter()
    fit(system, samples, FIT_MODERN.model_copy(update={"steps": steps, "ema_decay": None}), watchers=[Terminal()])
    minutes = (time.perf_counter() - begun) / 60
    (figures,) = figures_of(system.eval(), PHOTOS).values()
    return {"minutes": round(minutes, 1), **figures.model_dump()}


def ratio(widths: dict[str, dict[str, float]]) -> float:
    """The style loss of the slim network by that of the full one."""
    return widths["slim"]["style"] / widths["full"]["style"]


def report(found: dict[str, Any]) -> Iterator[str]:
    """The lines of the Markdown report."""
    side = found["patch"]
    yield "# Fast style at half the width"
    yield from ("", made_by(found), "")
    yield f"{found['steps']} steps of 4 photos of {side}x{side}, style {found['style']}, the same batches for both."
    yield "Losses are means over two photos of 256x256 that neither has seen, relative to a blank picture."
    yield from ("", "| network | minutes | style loss: photo | painting | content loss |", "|---|---|---|---|---|")
    for width, one in found["widths"].items():
        losses = " | ".join(f"{one[name]:.4f}" for name in ("photo_style", "style", "content"))
        yield f"| {width} | {one['minutes']:.1f} | {losses} |"
    met = "met" if ratio(found["widths"]) <= AIM else "**missed**"
    yield from ("", f"Style loss of slim: {ratio(found['widths']):.2f} times that of full. Aim: {AIM:g}: {met}.")


def main(
    data: Annotated[Path, typer.Option(help="Folder of training photos, without the packaged ones.")],
    style: Annotated[str, typer.Option(help="One that comes with Limner.")] = "starry-night",
    patch: Annotated[int, typer.Option(help="Side of the photos in training, in pixels.")] = 128,
    steps: Annotated[int, typer.Option(min=2, help="Of each network.")] = 600,
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads.", show_default="all")] = None,
    out: Annotated[Path, typer.Option(help="Folder of the report.")] = RESULTS,
) -> None:
    """Train, measure and write the report."""
    keep_freed_memory()
    if threads:
        torch.set_num_threads(threads)
    found = {
        "machine": asdict(Machine.here()),
        "command": "python -m benchmarks.style.fast_style_widths --data FOLDER",
        "data": data.name,
        "style": style,
        "patch": patch,
        "steps": steps,
        "widths": {width: trained(width, style, data, patch=patch, steps=steps) for width in WIDTHS},
    }
    publish("fast_style_widths", found, report(found), out)


if __name__ == "__main__":
    typer.run(main)
