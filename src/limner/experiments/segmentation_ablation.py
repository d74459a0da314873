"""What elastic deformation and the weight map are worth: trainings with and without, three seeds each.

`python -m limner.experiments.segmentation_ablation --membranes DATA --nuclei DATA` trains a small U-Net on a few
sections of neuropil, with no augmentation, with mirrored samples, and with mirrored and bent ones; and on nuclei, with
the weight map of equation 2 and without it. Ronneberger, Fischer and Brox, "U-Net: convolutional networks for
biomedical image segmentation", MICCAI 2015, arXiv:1505.04597, section 3.

Differs from the paper: a small network and minutes of training.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from scipy.ndimage import grey_dilation, grey_erosion

from limner.data.segmented import SegmentedConfig, SegmentedPictures
from limner.experiments.command import begin, run_program, tell
from limner.experiments.options import Seeds, Threads
from limner.experiments.seeds import column, over_seeds
from limner.experiments.small_segmenters import (
    NUCLEI,
    Batch,
    Nuclei,
    TableFile,
    TestSet,
    TrainingSteps,
    learnt,
    looked_at,
    test_set,
    write_report,
)
from limner.measure.report import CASE, Row, Table
from limner.measure.segmentation import Seen, found_in, instances, sections
from limner.metrics.segmentation import Found, found_objects
from limner.systems.segmentation.unet import MODERN, UNet

SMALL = MODERN.model_copy(update={"channels": 8})
MEMBRANES = SegmentedConfig(
    names=("membrane", "cell"), held_out=0.2, patch=128, crops=8, elastic=0, rotate=0, mirror=False, gray=0
)
"""The sections of the ISBI challenge of 2012, of which the last fifth is never learnt, as they are."""

AUGMENTATIONS: Mapping[str, Mapping[str, object]] = {
    "none": {},
    "mirrored": {"mirror": True},
    "mirrored and bent": {"mirror": True, "elastic": 10.0},
}
WEIGHT_MAPS = {"weight map off": 0.0, "weight map on": 10.0}
_NEAR = 2  # pixels of ground between objects that touch, at most

_Membranes = Annotated[Path, typer.Option(metavar="FOLDER", help="Membranes: a folder with images and labels in it.")]
_Sections = Annotated[int, typer.Option(min=1, metavar="N", help="That membranes are learnt from.")]


def touching(objects: np.ndarray) -> np.ndarray:
    """The objects (h, w) that have another near, with their numbers; the rest is 0."""
    size = 2 * _NEAR + 3
    highest = grey_dilation(objects, size=(size, size), mode="nearest")
    without_ground = np.where(objects == 0, objects.max() + 1, objects)
    lowest = grey_erosion(without_ground, size=(size, size), mode="nearest")
    return np.where(np.isin(objects, objects[(objects > 0) & (highest != lowest)]), objects, 0)


def found_touching(found: np.ndarray, objects: np.ndarray) -> Found:
    """How many of the objects that touch are found; found ones are those that lie on one of them."""
    true = touching(objects)
    return found_objects(np.where(np.isin(found, found[true > 0]), found, 0), true)


def judged_membranes(seen: Sequence[Seen]) -> dict[str, float]:
    """The measures of the challenge."""
    (row,) = sections(seen).rows
    return dict(row.figures)


def judged_nuclei(seen: Sequence[Seen], objects: Sequence[np.ndarray]) -> dict[str, float]:
    """Dice, the F1 of all objects, and that of objects that touch."""
    found = [found_in(one) for one in seen]
    (row,) = instances(seen, objects, found).rows
    counts = [found_touching(*pair) for pair in zip(found, objects, strict=True)]
    return {**row.figures, "touching_f1": Found(*(sum(values) for values in zip(*counts, strict=True))).f1}


def repeated(
    name: str,
    samples: SegmentedPictures,
    tested: TestSet,
    judge: Callable[[list[Seen]], Mapping[str, float]],
    *,
    steps: int,
    batch: int,
    seeds: int,
) -> Row:
    """Train with several seeds; the mean of each figure, and its deviation as `<figure>_deviation`."""
    results = []
    for seed in range(seeds):
        tell(f"{steps} steps, {name}, seed {seed}")
        system = learnt(lambda: UNet(SMALL), samples, steps=steps, batch=batch, seed=seed).system
        results.append(judge(looked_at(system, tested.marked)))
        tell(", ".join(f"{key} {value:.4g}" for key, value in results[-1].items()))
    return Row(name, "system", over_seeds(results))


def of_membranes(folder: Path, learnt_from: int, *, steps: int, batch: int, seeds: int) -> Table:
    """The table of augmentations."""
    tested = TestSet(MEMBRANES.unseen(folder), [])
    rows = []
    for name, changes in AUGMENTATIONS.items():
        config = MEMBRANES.model_copy(update=dict(changes))
        pictures = config.load(folder)
        few = SegmentedPictures(pictures.marked[:learnt_from], config, pictures.classes)
        rows.append(repeated(name, few, tested, judged_membranes, steps=steps, batch=batch, seeds=seeds))
    columns = (
        CASE,
        column("pixel error", "pixel_error", ".4f"),
        column("Rand error", "rand_error", ".4f"),
        column("warping error", "warping_error", ".6f"),
    )
    note = f"{learnt_from} sections learnt from, {len(tested.marked)} judged by."
    return Table("membranes: augmentation", note, columns, tuple(rows))


def of_nuclei(folder: Path, *, steps: int, batch: int, seeds: int) -> Table:
    """The table of weight maps."""
    tested, rows = test_set(folder / "test", NUCLEI), []
    for name, weight in WEIGHT_MAPS.items():
        samples = NUCLEI.model_copy(update={"border_weight": weight}).load(folder / "train")
        judge = partial(judged_nuclei, objects=tested.objects)
        rows.append(repeated(name, samples, tested, judge, steps=steps, batch=batch, seeds=seeds))
    columns = (
        CASE,
        column("F1 of touching objects", "touching_f1", ".4f"),
        column("F1 of all", "f1", ".4f"),
        column("Dice", "dice", ".4f"),
    )
    near = f"Objects that touch have another within {_NEAR} pixels."
    return Table("nuclei: weight map", f"{len(tested.marked)} unseen pictures. {near}", columns, tuple(rows))


def main(
    membranes: _Membranes,
    nuclei: Nuclei,
    output: TableFile = Path("segmentation_ablation.md"),
    learnt_from: _Sections = 2,
    steps: TrainingSteps = 150,
    batch: Batch = 4,
    seeds: Seeds = 3,
    threads: Threads = None,
) -> None:
    """Train all networks, and write both tables."""
    begin(threads)
    tables = (
        of_membranes(membranes, learnt_from, steps=steps, batch=batch, seeds=seeds),
        of_nuclei(nuclei, steps=steps, batch=batch, seeds=seeds),
    )
    summary = (
        f"Made by `python -m limner.experiments.segmentation_ablation`: {steps} steps of {batch} samples, mean and "
        f"deviation of {seeds} trainings."
    )
    write_report(output, "What elastic deformation and the weight map are worth", summary, *tables)


if __name__ == "__main__":
    run_program(main)
