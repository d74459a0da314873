"""`evaluate segmentation`: what models are worth on any folder of pictures and masks."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from limner.data.masks import CLASSES_FILE, Classes, ClassName, read_mask
from limner.data.polygons import is_drawn
from limner.data.segmented import SegmentedConfig
from limner.errors import LimnerError
from limner.files.shard_path import unpacked
from limner.measure.report import METHOD, Method, Report, Table
from limner.measure.segmentation import Seen, found_in, instances, overlaps, sections, seen_by
from limner.metrics.segmentation import objects_of
from limner.processor import Machine
from limner.verbs.segment.segmenter import Segmenter, probabilities

METRICS = ("overlap", "isbi-2012", "instances")
"""By name, what is measured; each is a table."""

OnStep = Callable[[int, int, str], None]
"""Told after each model: how many are done, of how many, and which it was."""


def evaluate_segmentation(
    data: str | Path,
    models: Sequence[Segmenter],
    config: SegmentedConfig,
    *,
    metrics: Sequence[str] = (),
    on_step: OnStep | None = None,
) -> Report:
    """Overlap and boundaries of classes, the measures of the ISBI challenge of 2012, or those of objects.

    Args:
        data: The folder of the pictures and the masks.
        models: What is measured.
        config: Where in it they lie, and what the masks mean.
        metrics: Which of `METRICS`; none: the overlap, and `instances` where masks number objects.
        on_step: Told after each model.

    Raises:
        LimnerError: If there are no pictures, a mask is missing or does not fit, a model tells other classes apart, or
            a metric does not exist or is of two classes, and there are others.
    """
    place, tables = unpacked(Path(data)), list[list[Table]]()
    chosen = metrics or (METRICS[::2] if config.meaning == "instances" else METRICS[:1])
    if unknown := [name for name in chosen if name not in METRICS]:
        raise LimnerError(f"a metric must be one of {', '.join(METRICS)}, got {unknown[0]}")
    for number, model in enumerate(models, 1):
        tables.append(_measured(place, model, config, chosen))
        if on_step:
            on_step(number, len(models), model.model)
    joined = [_joined(alike) for alike in zip(*tables, strict=True)]
    methods = tuple(Method(one.model, one.runner.precision) for one in models)
    return Report("Segmentation", Machine.here(), methods, tuple(joined))


def _measured(place: Path, model: Segmenter, config: SegmentedConfig, metrics: Sequence[str]) -> list[Table]:
    classes = _classes(place, model, config)
    if len(model.names) != 2 and (of_two := [name for name in metrics if name != "overlap"]):
        raise LimnerError(
            f"{of_two[0]} is of 2 classes, and {model.model} tells {len(model.names)} apart: leave it out"
        )
    masks = [read_mask(mask, classes, picture) for picture, mask in config.pairs(place)]
    whole = [
        one._replace(label=torch.where(mask < 0, mask, (mask > 0).long()) if classes.meaning == "instances" else mask)
        for one, mask in zip(config.unseen(place), masks, strict=True)
    ]
    seen = seen_by(partial(_run, model), whole, model.border)
    tables = {
        "overlap": lambda: overlaps(seen, model.names, model.model),
        "isbi-2012": lambda: sections(seen, model.model),
        "instances": lambda: _objects(seen, masks, classes, model.model),
    }
    return [tables[name]() for name in metrics]


def _objects(seen: Sequence[Seen], masks: Sequence[Tensor], classes: Classes, method: str) -> Table:
    """Of masks of classes, true objects are the connected parts of class 1, as found ones are."""
    numbered = [mask[0].clamp(min=0).numpy() for mask in masks]
    true = numbered if classes.meaning == "instances" else [objects_of(one == 1) for one in numbered]
    found = [np.where(one.labels >= 0, found_in(one), 0) for one in seen]
    return instances(seen, true, found, method)


def _run(model: Segmenter, image: Float[Tensor, "1 c h w"]) -> Float[Tensor, "1 k h w"]:
    return probabilities(model.runner, model.ports, model.as_taken(image), views=model.views)


def _classes(place: Path, model: Segmenter, config: SegmentedConfig) -> Classes:
    """Those of the data, in the order of the model's; numbers below its count are its own, though some be missing."""
    found = config.classes(place)
    if len(found.classes) == model.num_classes:
        return found
    own = (ClassName(name=name, color=(0, 0, 0), value=number) for number, name in enumerate(model.names))
    if is_drawn(config.pairs(place)[0][1]) and set(found.labels) <= set(model.names):
        return found._replace(classes=tuple(own), labels=model.names)
    values = [one.value for one in found.classes]
    if is_drawn(config.pairs(place)[0][1]) or not all(
        isinstance(one, int) and one < model.num_classes for one in values
    ):
        raise LimnerError(
            f"{place} has masks of {len(values)} classes, and {model.model} tells {model.num_classes} apart: name "
            f"those of the masks in {CLASSES_FILE}, in the order of the model's"
        )
    return found._replace(classes=tuple(own))


def _joined(tables: Sequence[Table]) -> Table:
    """One table with the rows of all models."""
    first, rows = tables[0], tuple(row for table in tables for row in table.rows)
    case, *figures = first.columns
    return replace(first, columns=(case, METHOD, *figures), rows=rows)
