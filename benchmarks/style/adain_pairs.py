"""AdaIN beside the optimisation that it saves: `python -m benchmarks.style.adain_pairs MODEL --pictures FOLDER ...`.

The pairs that the recipe holds out, at 256x256: style and content loss of AdaIN, of the photo as it is, and of Gatys et
al. over 300 iterations. Written to results/adain_pairs.json, .md and .svg beside this file.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.runtime.reports import RESULTS
from limner.experiments.curves import Chart, svg
from limner.measure.adain import HELD_OUT, PairFigures, compare, held_out_pairs, means, pairs_report
from limner.runtime.allocator import keep_freed_memory
from limner.runtime.device import choose_device
from limner.verbs.stylize.any_painter import load_adain

AIM = 1.3


def charts(found: Sequence[PairFigures]) -> str:
    """Style and content loss over iterations, the means over the pairs, as SVG."""
    mean, count = means(found), len(found)
    drawn = []
    for what in ("style", "content"):
        curve = [
            (float(points[0].iteration), sum(getattr(point.losses, what) for point in points) / count)
            for points in zip(*(one.gatys for one in found), strict=True)
        ]
        levels = {"AdaIN": getattr(mean.adain, what)} | ({"photo": mean.photo.style} if what == "style" else {})
        drawn.append(Chart(f"{what.capitalize()} loss", "iterations", {"Gatys et al.": curve}, levels))
    return svg(drawn)


def verdict(found: Sequence[PairFigures]) -> str:
    """Whether the aim is met, as a line."""
    ratio = means(found).style_ratio
    return f"Aim: a style loss of at most {AIM:g} times that of Gatys: {'met' if ratio <= AIM else '**missed**'}."


def main(
    model: Annotated[str, typer.Argument(help="What the recipe or limner train adain wrote.")],
    pictures: Annotated[list[Path], typer.Option(help="Folder of the held-out pairs; repeatable.")],
    side: Annotated[int, typer.Option(help="Pixels of a side.")] = 256,
    iterations: Annotated[int, typer.Option(help="Of the optimisation.")] = 300,
    kept: Annotated[Path | None, typer.Option(help="A file that keeps what the optimisation came to.")] = None,
    device: Annotated[str, typer.Option(help="Of the optimisation: auto, cpu, cuda or mps.")] = "cpu",
) -> None:
    """Measure and write the report."""
    keep_freed_memory()
    pairs = held_out_pairs(HELD_OUT, pictures, side)
    found = compare(load_adain(model), pairs, iterations=iterations, device=str(choose_device(device)), kept=kept)
    text = f"{pairs_report(found, side, iterations).to_markdown()}\n{verdict(found)}\n"
    plain = [one.model_dump() for one in found]
    (RESULTS / "adain_pairs.json").write_text(json.dumps(plain, indent=1) + "\n")
    (RESULTS / "adain_pairs.md").write_text(text)
    (RESULTS / "adain_pairs.svg").write_text(charts(found))
    print(text)


if __name__ == "__main__":
    typer.run(main)
