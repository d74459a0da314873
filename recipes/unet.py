"""The embedded `membranes`, `nuclei`, `vessels`, `street` and `facade-parts`: U-Nets for CPUs, each on its own data."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from PIL import Image
from torch import Tensor

from limner.data.label_maps import LabelMapsConfig
from limner.data.masks import mask_of
from limner.data.segmented import SegmentedConfig
from limner.measure.report import Report, Table
from limner.measure.segmentation import Seen, found_in, instances, overlaps, sections, seen_by, within_field
from limner.runtime.run_options import RunOptions
from limner.training.recipe import Recipe, Trained
from limner.verbs.segment.segmenter import Segmenter, probabilities
from pix2pix import FACADE_CLASSES
from program import Device, Minutes, Resume, Run, Ship, StartFrom, run_made


@dataclass(frozen=True)
class Task:
    """A data set, as it lies in its folder.

    Attributes:
        train: What is learnt from, below the folder.
        test: What it is measured on; None: what `data.held_out` leaves.
        recipe: How.
        tables: What is measured beside the overlap of classes.
        laid: Writes the data into the run's folder as folders of pictures and masks, and says where; None: they are so.
    """

    train: str
    test: str | None
    recipe: Recipe
    tables: Callable[[list[Seen], Path], list[Table]]
    laid: Callable[[Path, Path], Path] | None = None


def _recipe(model: str, data: str, licence: str, failures: str, *settings: str) -> Recipe:
    return Recipe(
        model=model,
        system="unet",
        preset="modern",
        data=data,
        data_licence=licence,
        licence="Apache-2.0 for the weights"
        + ("; the training pictures are licensed for research" * (licence == "research")),
        known_failures=failures,
        file=Path(__file__),
        settings=settings,
    )


_LEAST_NUCLEUS = 20
"""Pixels of what is counted: `limner segment --least-area 20`."""


def _nuclei(seen: list[Seen], place: Path) -> list[Table]:
    objects = [mask_of(mask, "instances") for _, mask in SegmentedConfig(meaning="instances").pairs(place)]
    return [instances(seen, objects, [found_in(one, _LEAST_NUCLEUS) for one in seen])]


def _vessels(seen: list[Seen], place: Path) -> list[Table]:
    fields = [mask_of(path, "values") > 0 for path in sorted((place / "fov").iterdir())]
    return [within_field(seen, fields)]


def _facades(data: Path, run: Path) -> Path:
    """Photos and label maps, which lie beside each other in one picture, as pictures and masks."""
    laid = run / "facades"
    if not laid.is_dir():
        begun = run / "facades.part"
        shutil.rmtree(begun, ignore_errors=True)
        config = LabelMapsConfig(label_half="right", colors=tuple(FACADE_CLASSES.values()))
        for part in ("train", "val"):
            for kind in ("images", "masks"):
                (begun / part / kind).mkdir(parents=True)
            for path, one in zip(config.pictures(data / part), config.read(data / part, resized=False), strict=True):
                _save(255 * one.photo.permute(1, 2, 0), begun / part / "images" / f"{path.stem}.png")
                _save(one.label[0], begun / part / "masks" / f"{path.stem}.png")
        begun.rename(laid)
    return laid


def _save(pixels: Tensor, path: Path) -> None:
    Image.fromarray(pixels.round().numpy().astype(np.uint8)).save(path)


_STREET = (
    "sky", "building", "pole", "road", "pavement", "tree", "sign", "fence", "car", "pedestrian", "bicyclist"
)  # fmt: skip  # by number in the labels

TASKS = {
    "membranes": Task(
        "train",
        None,
        _recipe(
            "membranes",
            "the first 24 of 30 sections of the ISBI challenge of 2012",
            "research",
            "It knows the fly's nerve cord at 4 nm a pixel in a serial section electron microscope, and nothing else.",
            "data.held_out=0.2", "data.crops=8", 'data.names=["membrane","cell"]',
        ),
        lambda seen, place: [sections(seen)],
    ),
    "nuclei": Task(
        "train",
        "test",
        _recipe(
            "nuclei",
            "170 fluorescence pictures of the Data Science Bowl 2018 (BBBC038)",
            "CC0",
            "It knows bright nuclei on a dark ground; where they are crowded some stay together and some come apart in "
            "pieces, and tissue out of focus is not seen.",
            "data.meaning=instances", 'data.names=["background","nucleus"]',
            "data.border=3", "data.border_weight=4", "data.scale=0.5", "data.exposure=0.5", "data.gamma=0.3",
            "data.noise=0.03", "data.patch=192",
        ),
        _nuclei,
    ),
    "vessels": Task(
        "training",
        "testing",
        _recipe(
            "vessels",
            "20 retinas of DRIVE",
            "research",
            "It knows retinas as one camera sees them.",
            'data.masks="vessels"', 'data.names=["background","vessel"]', "data.crops=8", "data.scale=0.2",
        ),
        _vessels,
    ),
    "street": Task(
        ".",
        ".",
        _recipe(
            "street",
            "367 street scenes of CamVid at 256x192",
            "research",
            "It knows one English town by day, seen from a car.",
            'data.images="train"', 'data.masks="train_labels"', "data.ignore=[11]",
            f"data.names={json.dumps(_STREET)}", "data.patch=192",
            "data.rotate=5", "data.elastic=3", "data.scale=0.3",
        ),
        lambda seen, place: [],
    ),
    "facade-parts": Task(
        "train",
        "val",
        _recipe(
            "facade-parts",
            "200 facades of the CMP database",
            "research",
            "It knows fronts of old town houses that stand upright; small decoration is seldom told from mouldings.",
            f"data.names={json.dumps([*FACADE_CLASSES])}", "data.rotate=4", "data.elastic=3", "data.scale=0.2",
        ),
        lambda seen, place: [],
        _facades,
    ),
}  # fmt: skip


def main(
    task: Annotated[str, typer.Argument(help=f"{', '.join(TASKS)}.")],
    data: Annotated[Path, typer.Option(help="The folder of its data.")],
    minutes: Minutes = 120.0,
    device: Device = "auto",
    run: Run = None,
    resume: Resume = False,
    start_from: StartFrom = None,
    ship: Ship = False,
) -> None:
    """Train, measure and write one of the models."""
    if task not in TASKS:
        raise typer.BadParameter(f"must be one of {', '.join(TASKS)}, got {task}")
    own = TASKS[task]
    if own.laid:
        data = own.laid(data, run or Path("runs") / task)

    def measure(trained: Trained) -> Report:
        config = SegmentedConfig.parse(trained.goal.data)
        place = data / (own.test or own.train)
        if task == "street":
            config = config.model_copy(update={"images": "val", "masks": "val_labels"})
        segmenter = Segmenter(str(trained.weights), RunOptions(device=trained.device, precision="exact"))
        any_way_up = task not in ("street", "facade-parts")
        run = partial(probabilities, segmenter.runner, segmenter.ports, views=any_way_up)
        seen = seen_by(run, config.unseen(place), segmenter.border)
        return Report.here(
            f"{task}: pictures that were not learnt from", overlaps(seen, segmenter.names), *own.tables(seen, place)
        )

    recipe = replace(own.recipe, start_from=start_from)
    run_made(recipe, measure, data=data / own.train, minutes=minutes, device=device, run=run, resume=resume, ship=ship)


if __name__ == "__main__":
    typer.run(main)
