"""Fidelity against diversity: what a generator's pictures are worth at each truncation of its latents.

Brock et al. 2018, arXiv:1809.11096, figure 16; precision and recall in the place of the inception score.
"""

from collections.abc import Sequence
from dataclasses import replace

from limner.data.labelled import LabelledPictures
from limner.measure.generation import FEATURES, likeness_row, vgg_features
from limner.measure.report import CASE, METHOD, Report, Row, Table, figure
from limner.media.charts import COLOURS, svg_of
from limner.types import OnProgress
from limner.verbs.generate import generate

_SHARES = ("precision", "recall")


def truncation_sweep(
    model: str,
    truncations: Sequence[float],
    real: LabelledPictures,
    *,
    num_classes: int | None = None,
    device: str = "cpu",
    on_step: OnProgress = lambda done, total: None,
) -> Report:
    """Measure a model at each truncation, by as many pictures of the same seeds as there are real ones.

    Args:
        model: A name, a weight file or the folder of a run.
        truncations: As `limner.generate` takes them.
        real: Pictures that the model has not seen, of its channels and side.
        num_classes: That it knows; they come in turn.
        device: A torch device.
        on_step: Called after each truncation.
    """
    known, rows = vgg_features(real.images / 255, device=device), list[Row]()
    classes = None if num_classes is None else range(num_classes)
    for number, truncation in enumerate(truncations):
        images = generate(model, classes, count=len(real), truncation=truncation, device=device)
        row = likeness_row(model, vgg_features(images, device=device), known)
        rows.append(replace(row, case=f"truncation {truncation:g}"))
        on_step(number + 1, len(truncations))
    return Report.here("Fidelity against diversity", _table(rows, len(real)))


def _table(rows: Sequence[Row], count: int) -> Table:
    description = (
        f"{count} pictures from chance at each truncation, and as many real ones, by {FEATURES}: the Frechet distance, "
        "and precision and recall. No FID: that is of another network."
    )
    columns = (CASE, METHOD, figure(f"fd:{FEATURES}", "fd", ".4g"), *(figure(one, one, ".3f") for one in _SHARES))
    kept = [replace(row, figures={name: row.figures[name] for name in ("fd", *_SHARES)}) for row in rows]
    return Table("truncation", description, columns, tuple(kept), dict.fromkeys(("fd", *_SHARES), ".4g"))


def sweep_chart(report: Report, truncations: Sequence[float]) -> str:
    """Precision and recall over truncation, and the distance below, as SVG.

    Raises:
        LimnerError: Matplotlib is not installed.
    """
    from matplotlib.figure import Figure

    drawing = Figure(figsize=(6.4, 5.4), layout="constrained")
    upper, lower = drawing.subplots(2, sharex=True)
    rows = report.tables[0].rows
    for name, colour in zip(_SHARES, COLOURS, strict=False):
        upper.plot(truncations, [row.figures[name] for row in rows], label=name, color=colour, marker="o")
    lower.plot(truncations, [row.figures["fd"] for row in rows], label=f"fd:{FEATURES}", color=COLOURS[2], marker="o")
    for axes in (upper, lower):
        axes.set_ylim(bottom=0)
        axes.grid(axis="y", color="#ddd")
        axes.legend(frameon=False)
    upper.set_title("Fidelity against diversity", loc="left", fontweight="bold")
    lower.set_xlabel("truncation")
    return svg_of(drawing)
