"""How the recipes of generators measure them."""

from dataclasses import replace
from pathlib import Path

import torch

from limner.catalog.models import find
from limner.data.labelled import LabelledPictures, SmallConfig
from limner.measure.generation import Made, evaluate_generation, made_by, parzen_table
from limner.measure.report import Report
from limner.training.recipe import Trained

COUNT = 1000
"""Pictures that are made, and as many real ones that they are compared with."""


def report_of(trained: Trained, held_out: LabelledPictures, training: LabelledPictures) -> Report:
    """Likeness, copies and classes, of as many pictures as are held out, or 1000."""
    count = min(COUNT, len(held_out))
    made = made_by(str(trained.weights), count, trained.goal.config.get("num_classes"), device=trained.device)
    some = torch.linspace(0, len(held_out) - 1, count).round().long()
    real = LabelledPictures(held_out.images[some], held_out.labels[some])
    named = Made(trained.weights.stem, made.images, made.asked)
    return evaluate_generation([named], real, training=training, device=trained.device)


def held_out_report(trained: Trained, data: Path) -> Report:
    """The same of the pictures of a folder that were kept from training."""
    own = _config(trained)
    return report_of(trained, own.model_copy(update={"part": "held out"}).load(data), own.load(data))


def digits_report(trained: Trained, data: Path, others: Path) -> Report:
    """The same of digits, and of those with classes Parzen windows about `others`, which have 28 pixels a side."""
    report = held_out_report(trained, data)
    if "num_classes" not in trained.goal.config:
        return report
    own = _config(trained)
    foreign = own.model_copy(update={"tile": None, "margin": (own.side - 28) // 2, "held_out": 0.0}).load(others)
    halves = [LabelledPictures(foreign.images[part::2], foreign.labels[part::2]) for part in (0, 1)]
    parzen = parzen_table(str(trained.weights), *halves, each=1000, device=trained.device)
    return replace(report, tables=(*report.tables, parzen))


def _config(trained: Trained) -> SmallConfig:
    config = type(find(trained.goal.system).default.data).parse(trained.goal.data)
    assert isinstance(config, SmallConfig)
    return config
