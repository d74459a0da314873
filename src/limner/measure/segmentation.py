"""What a system that segments is worth on pictures that it has not seen: by class, by section, by object."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from torch import Tensor

from limner.data.segmented import Marked
from limner.measure.report import CASE, Row, Table, figure
from limner.metrics.boundary import boundary_f1
from limner.metrics.segmentation import (
    Found,
    area_under_curve,
    confusion,
    found_objects,
    overlap,
    rand_error,
)
from limner.metrics.warping_error import warping_error
from limner.runtime.operators import Span
from limner.verbs.segment.borders import reach_of, seeds_of, told
from limner.verbs.segment.objects import Objects

_THRESHOLDS = np.arange(0, 1, 0.1)
"""Ten levels, of which the best is kept, as the ISBI challenge of 2012 did."""
_IOUS = np.arange(0.5, 1, 0.05)
"""Of the average precision of the nuclei challenge of 2018."""


class Seen(NamedTuple):
    """A picture, and what the system makes of it.

    Attributes:
        truth: What is known of it.
        probabilities: (k, h, w), by class.
        seeds: (h, w), the number of the class where its objects begin, and 0 elsewhere.
        reach: How many pixels they grow from there.
    """

    truth: Marked
    probabilities: Float[np.ndarray, "k h w"]
    seeds: Int[np.ndarray, "h w"]
    reach: int = 0

    @property
    def labels(self) -> np.ndarray:
        """The true classes (h, w); -1 where they are not told."""
        return self.truth.label[0].numpy()


def seen_by(run: Callable[[Tensor], Tensor], marked: Sequence[Marked], border: int = 0) -> list[Seen]:
    """Run a system over whole pictures.

    Args:
        run: (1, c, h, w) in [0, 1] -> probabilities of its outputs (1, n, h, w).
        marked: Which pictures.
        border: Of objects, as the system knows it: its width in pixels; the last output is then no class.
    """

    def seen(one: Marked) -> Seen:
        labels, probabilities, within = told(run(one.picture[None])[0].numpy(), border)
        return Seen(one, probabilities, seeds_of(labels, within), reach_of(border))

    return [seen(one) for one in marked]


def overlaps(seen: Sequence[Seen], names: Sequence[str], method: str = "system") -> Table:
    """IoU and Dice by class, over all pixels, the mean boundary F1 of pictures, and the means over classes."""
    counts = np.sum([confusion(one.probabilities.argmax(0), one.labels, len(names)) for one in seen], 0)
    found = overlap(counts)
    boundaries = [boundary_f1(one.probabilities.argmax(0), one.labels, len(names)) for one in seen]
    measures = {"iou": found.iou, "dice": found.dice, "boundary_f1": _mean_of_told(np.array(boundaries))}
    rows = [
        Row(name, method, {measure: float(by_class[number]) for measure, by_class in measures.items()})
        for number, name in enumerate(names)
    ]
    means = {measure: float(np.nanmean(by_class)) for measure, by_class in measures.items() if np.any(by_class >= 0)}
    rows.append(Row("mean", method, means | {"pixel_error": found.pixel_error}))
    columns = (
        CASE,
        figure("IoU", "iou", ".4f"),
        figure("Dice", "dice", ".4f"),
        figure("boundary F1", "boundary_f1", ".4f"),
        figure("pixel error", "pixel_error", ".4f", is_optional=True),
    )
    note = f"{len(seen)} unseen pictures. Boundaries may be off by 0.75 % of the diagonal."
    return Table("overlap", note, columns, tuple(rows), dict.fromkeys((*measures, "pixel_error"), ".4f"))


def _mean_of_told(values: Float[np.ndarray, "n k"]) -> Float[np.ndarray, " k"]:
    """Over pictures, of those that are no nan."""
    told = ~np.isnan(values)
    with np.errstate(invalid="ignore"):
        return np.where(told, values, 0).sum(0) / told.sum(0)


def sections(seen: Sequence[Seen], method: str = "system") -> Table:
    """Warping error, Rand error and pixel error of the ISBI challenge of 2012, each at the best of ten thresholds.

    Class 1 is the inside of a cell, class 0 its membrane.
    """
    inside, cells = [one.probabilities[1] for one in seen], [one.labels == 1 for one in seen]
    pixel_error = min(_wrong(inside, cells, level) for level in _THRESHOLDS)
    figures = {
        "warping_error": warping_error(inside, cells, _THRESHOLDS),
        "rand_error": rand_error(inside, cells, _THRESHOLDS),
        "pixel_error": pixel_error,
    }
    columns = (
        CASE,
        figure("warping error", "warping_error", ".6f"),
        figure("Rand error", "rand_error", ".4f"),
        figure("pixel error", "pixel_error", ".4f"),
    )
    row = Row(f"{len(seen)} sections", method, figures)
    note = "The best of ten thresholds. Warping counts pixels of splits and mergers; Rand leaves true membranes out."
    forms = {"warping_error": ".6f", "rand_error": ".4f", "pixel_error": ".4f"}
    return Table("isbi-2012", note, columns, (row,), forms)


def _wrong(inside: Sequence[np.ndarray], cells: Sequence[np.ndarray], level: float) -> float:
    wrong = sum(int(((one > level) != truth).sum()) for one, truth in zip(inside, cells, strict=True))
    return wrong / sum(one.size for one in cells)


def instances(
    seen: Sequence[Seen], objects: Sequence[np.ndarray], found: Sequence[np.ndarray], method: str = "system"
) -> Table:
    """Dice of the foreground, the F1 of objects at an IoU of 0.5, and the average precision from 0.5 to 0.95.

    Args:
        seen: The pictures.
        objects: The true objects of each, numbered from 1.
        found: Those that were found.
        method: What found them.
    """
    dice = [_dice(one > 0, other > 0) for one, other in zip(found, objects, strict=True)]
    at = [[found_objects(*pair, least) for pair in zip(found, objects, strict=True)] for least in _IOUS]
    precisions = [float(np.mean([one[number].precision for one in at])) for number in range(len(seen))]
    totals = Found(*(sum(values) for values in zip(*at[0], strict=True)))
    figures = {"dice": float(np.mean(dice)), "f1": totals.f1, "ap": float(np.mean(precisions))}
    columns = (
        CASE,
        figure("Dice", "dice", ".4f"),
        figure("F1 at 0.5", "f1", ".4f"),
        figure("AP 0.5:0.95", "ap", ".4f"),
    )
    row = Row(f"{len(seen)} pictures, {totals.true} objects", method, figures)
    note = (
        "Objects grow from within their borders." if any(one.reach for one in seen) else "Objects are connected parts."
    )
    return Table("instances", note, columns, (row,), dict.fromkeys(figures, ".4f"))


def _dice(one: np.ndarray, other: np.ndarray) -> float:
    total = int(one.sum() + other.sum())
    return float(2 * (one & other).sum() / total) if total else 1.0


def within_field(seen: Sequence[Seen], fields: Sequence[np.ndarray]) -> Table:
    """Dice of class 1 and the area under its curve, over the pixels of a field of view."""
    score = np.concatenate([one.probabilities[1][field] for one, field in zip(seen, fields, strict=True)])
    true = np.concatenate([one.labels[field] == 1 for one, field in zip(seen, fields, strict=True)])
    figures = {"dice": _dice(score > 0.5, true), "auc": area_under_curve(score, true)}
    columns = (CASE, figure("Dice", "dice", ".4f"), figure("AUC", "auc", ".4f"))
    row = Row(f"{len(seen)} pictures", "system", figures)
    return Table("field of view", "Inside the field of view.", columns, (row,), dict.fromkeys(figures, ".4f"))


def found_in(one: Seen, least_area: int = 1) -> np.ndarray:
    """The numbers of the objects of class 1 in a picture, as `limner segment --objects` gives them.

    Args:
        one: The picture.
        least_area: In pixels; smaller objects are left out.
    """
    labels, seeds = ((marks == 1).astype(np.int64) for marks in (one.probabilities.argmax(0), one.seeds))
    rows, given = Span(0, len(labels)), (partial(_rows, labels), partial(_rows, seeds))
    objects = Objects(("rest", "object"), len(labels), *given, reach=one.reach, least_area=least_area)
    objects.add(rows, np.zeros(labels.shape))
    objects.close()
    return objects.numbers(rows)


def _rows(marks: np.ndarray, rows: Span) -> np.ndarray:
    return marks[rows.start : rows.stop]
