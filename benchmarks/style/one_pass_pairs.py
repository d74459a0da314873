"""Any painting at once beside the optimisation that it saves: `python -m benchmarks.style.one_pass_pairs MODEL ...`.

The pairs that the recipes hold out, at 256x256: style and content loss of each model, of the photo as it is, and of
Gatys et al. over 300 iterations; how far chroma and hues are from the painting's; and how far patterns of 2, 4 and 8
pixels stand out of the spectrum, in the pairs and in the smooth photos of `--smooth`. Written to
results/one_pass_pairs.json, .md and .svg beside this file.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import torch
import typer
from torch import Tensor

from benchmarks.runtime.reports import RESULTS
from limner.experiments.curves import Chart, svg
from limner.files.image import read_image, to_tensor
from limner.measure.stylize_like import (
    HELD_OUT,
    PairFigures,
    StylePair,
    compare,
    held_out_pairs,
    means,
    painted_like,
    pairs_report,
)
from limner.metrics.color_distance import chroma_distance, hue_distance
from limner.metrics.grid_peaks import grid_peak
from limner.ops.framing import with_longer_side
from limner.runtime.allocator import keep_freed_memory
from limner.runtime.device import choose_device
from limner.verbs.stylize.any_painter import load_any

AIM = 6.0
PERIODS = (2, 4, 8)
_SMOOTH = 512  # longer side of smooth photos, in pixels


def charts(found: Mapping[str, Sequence[PairFigures]]) -> str:
    """Style and content loss over iterations, the means over the pairs, as SVG."""
    first = next(iter(found.values()))
    drawn = []
    for what in ("style", "content"):
        curve = [
            (float(points[0].iteration), sum(getattr(point.losses, what) for point in points) / len(first))
            for points in zip(*(one.gatys for one in first), strict=True)
        ]
        levels = {name: getattr(means(ones).network, what) for name, ones in found.items()}
        levels |= {"photo": means(first).photo.style} if what == "style" else {}
        drawn.append(Chart(f"{what.capitalize()} loss", "iterations", {"Gatys et al.": curve}, levels))
    return svg(drawn)


def verdict(name: str, found: Sequence[PairFigures]) -> str:
    """Whether the aim is met, as a line."""
    ratio = means(found).style_ratio
    met = "met" if ratio <= AIM else "**missed**"
    return f"{name}: a style loss {ratio:.2f} times that of Gatys, where {AIM:g} times is the aim: {met}."


def seen(painted: Sequence[Tensor], pairs: Sequence[StylePair]) -> dict[str, float]:
    """Means of the distances of colours, and of the strongest peak in any of the pictures."""
    of = list(zip(painted, pairs, strict=True))
    return {
        "chroma": sum(chroma_distance(one, pair.style).item() for one, pair in of) / len(of),
        "hues": sum(hue_distance(one, pair.style).item() for one, pair in of) / len(of),
        **{f"peak of {period}": max(grid_peak(one, period).item() for one in painted) for period in PERIODS},
    }


def looks(names: Sequence[str], pairs: Sequence[StylePair], smooth: Sequence[Tensor]) -> str:
    """Colours and peaks of each model, and of the paintings themselves, as a table."""
    rows = {"the paintings": seen([pair.style for pair in pairs], pairs)}
    for name in names:
        system = load_any(name)
        rows[name] = seen([painted_like(system, pair) for pair in pairs], pairs)
        flat = [painted_like(system, pair._replace(content=photo)) for photo in smooth for pair in pairs]
        rows[name] |= {
            f"peak of {period}, smooth": max(grid_peak(one, period).item() for one in flat)
            for period in PERIODS
            if flat
        }
    columns = list(rows[names[0]])
    lines = [f"| | {' | '.join(columns)} |", f"|---|{'---|' * len(columns)}"]
    lines += [
        f"| {name} | {' | '.join(f'{row[column]:.3f}' if column in row else '' for column in columns)} |"
        for name, row in rows.items()
    ]
    return "\n".join(lines)


def main(
    models: Annotated[list[str], typer.Argument(help="Embedded models, or what recipes or limner train wrote.")],
    pictures: Annotated[list[Path], typer.Option(help="Folder of the held-out pairs; repeatable.")],
    smooth: Annotated[list[Path] | None, typer.Option(help="A smooth photo, painted like all; repeatable.")] = None,
    side: Annotated[int, typer.Option(help="Pixels of a side.")] = 256,
    iterations: Annotated[int, typer.Option(help="Of the optimisation.")] = 300,
    kept: Annotated[Path | None, typer.Option(help="A file that keeps what the optimisation came to.")] = None,
    device: Annotated[str, typer.Option(help="Of the optimisation: auto, cpu, cuda or mps.")] = "cpu",
) -> None:
    """Measure and write the report."""
    keep_freed_memory()
    pairs = held_out_pairs(HELD_OUT, pictures, side)
    where, chosen = kept or RESULTS / "gatys_of_pairs.json", str(choose_device(device))
    found = {name: compare(load_any(name), pairs, iterations=iterations, device=chosen, kept=where) for name in models}
    reports = [pairs_report(name, ones, side, iterations).to_markdown() for name, ones in found.items()]
    with torch.inference_mode():
        photos = [with_longer_side(to_tensor(read_image(path)), _SMOOTH) for path in smooth or ()]
        table = looks(models, pairs, photos)
    verdicts = "\n\n".join(verdict(name, ones) for name, ones in found.items())
    text = "\n".join([*reports, "## Colours and grids\n", table, "", verdicts, ""])
    plain = {name: [one.model_dump() for one in ones] for name, ones in found.items()}
    (RESULTS / "one_pass_pairs.json").write_text(json.dumps(plain, indent=1) + "\n")
    (RESULTS / "one_pass_pairs.md").write_text(text)
    (RESULTS / "one_pass_pairs.svg").write_text(charts(found))
    print(text)


if __name__ == "__main__":
    typer.run(main)
