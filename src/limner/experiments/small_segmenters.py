"""What the experiments on segmentation do alike: two sets of data, a short training, and what has come of it."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, NamedTuple, cast

import numpy as np
import torch
import typer
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from limner.data.masks import mask_of
from limner.data.segmented import Marked, SegmentedConfig, SegmentedPictures
from limner.experiments.fitted import fitted
from limner.files.atomic import atomic_path
from limner.loops.presets import modern_fit
from limner.measure.report import Report, Table
from limner.measure.segmentation import Seen, seen_by
from limner.metrics.segmentation import confusion, overlap
from limner.ports import Ported
from limner.verbs.segment.segmenter import probabilities

NUCLEI = SegmentedConfig(meaning="instances", names=("background", "nucleus"), patch=128, scale=0.6, exposure=0.8)
"""The nuclei of the Data Science Bowl 2018, in smaller samples than the embedded model learns them from."""

Nuclei = Annotated[
    Path, typer.Option(metavar="FOLDER", help="Nuclei: train and test, each with images and instances in it.")
]
TableFile = Annotated[
    Path, typer.Option("--output", "-o", metavar="FILE", help="The table, as Markdown; one that is there is replaced.")
]
TrainingSteps = Annotated[int, typer.Option("--steps", min=2, metavar="N", help="Of each training.")]
Batch = Annotated[int, typer.Option(min=1, metavar="N", help="Samples in a step.")]


class Learnt(NamedTuple):
    """A network, trained.

    Attributes:
        system: In evaluation mode.
        seconds: Of the processor, for all steps, whatever else it did meanwhile.
    """

    system: nn.Module
    seconds: float


class TestSet(NamedTuple):
    """Pictures to judge by.

    Attributes:
        marked: With their classes.
        objects: (h, w) of each, numbered from 1.
    """

    marked: list[Marked]
    objects: list[np.ndarray]


def learnt(build: Callable[[], nn.Module], samples: SegmentedPictures, *, steps: int, batch: int, seed: int) -> Learnt:
    """Train a new network as the modern presets do; all that is random depends on the seed.

    Raises:
        typer.Exit: With 1, if it was stopped.
    """
    config = modern_fit(steps, batch, 2e-3, warmup_steps=max(1, steps // 10), clip_norm=1.0)
    config = config.model_copy(update={"seed": seed, "ema_decay": None})
    begun = time.process_time()
    system = fitted(build, samples, config)
    return Learnt(system, time.process_time() - begun)


def test_set(folder: Path, config: SegmentedConfig) -> TestSet:
    """All pictures of a folder, and their objects."""
    masks = [mask for _, mask in config.pairs(folder)]
    return TestSet(config.unseen(folder), [mask_of(mask, "instances") for mask in masks])


def looked_at(system: nn.Module, marked: Sequence[Marked]) -> list[Seen]:
    """What a trained network makes of whole pictures."""
    ports = cast(Ported, system).inputs
    with torch.inference_mode():
        return seen_by(lambda image: probabilities(system, ports, image), marked)


def dice(seen: Sequence[Seen]) -> float:
    """Over all pixels of all pictures, the mean over classes but the first, which is the ground."""
    counts = sum(confusion(one.probabilities.argmax(0), one.labels, len(one.probabilities)) for one in seen)
    return float(np.nanmean(overlap(np.asarray(counts)).dice[1:]))


def multiplications(network: nn.Module, channels: int = 1, side: int = 64) -> float:
    """Of its convolutions, for one pixel of a picture of so many channels."""
    counter = FlopCounterMode(display=False)
    with counter, torch.inference_mode():
        network.to("meta")(torch.empty(1, channels, side, side, device="meta"))
    return counter.get_total_flops() / 2 / side**2


def write_report(output: Path, title: str, summary: str, *tables: Table) -> None:
    """Write tables as Markdown and say where they lie."""
    with atomic_path(output) as temporary:
        temporary.write_text(Report.here(title, *tables, summary=summary).to_markdown(), encoding="utf-8")
    print(output)  # noqa: T201
