"""The embedded `membranes`, `nuclei`, `vessels` and `street`: U-Nets for CPUs, each on its own data."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from limner.data.masks import mask_of
from limner.data.segmented import SegmentedConfig
from limner.measure.report import Report, Table
from limner.measure.segmentation import Seen, found_in, instances, overlaps, sections, seen_by, within_field
from limner.runtime.run_options import RunOptions
from limner.training.recipe import Recipe, Trained
from limner.verbs.segment.segmenter import Segmenter, probabilities
from program import Device, Minutes, Resume, Run, Ship, StartFrom, run_made


@dataclass(frozen=True)
class Task:
    """A data set, as it lies in its folder.

    Attributes:
        train: What is learnt from, below the folder.
        test: What it is measured on; None: what `data.held_out` leaves.
        recipe: How.
        tables: What is measured beside the overlap of classes.
    """

    train: str
    test: str | None
    recipe: Recipe
    tables: Callable[[list[Seen], Path], list[Table]]


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
            "It knows bright nuclei on a dark ground; those that touch may be one object, and tissue out of focus "
            "is not seen.",
            "data.meaning=instances", 'data.names=["background","nucleus"]',
            "data.border_weight=2", "data.scale=0.6", "data.exposure=0.8", "data.patch=192",
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

    def measure(trained: Trained) -> Report:
        config = SegmentedConfig.parse(trained.goal.data)
        place = data / (own.test or own.train)
        if task == "street":
            config = config.model_copy(update={"images": "val", "masks": "val_labels"})
        segmenter = Segmenter(str(trained.weights), RunOptions(device=trained.device, precision="exact"))
        any_way_up = task != "street"
        run = partial(probabilities, segmenter.runner, segmenter.ports, views=any_way_up)
        seen = seen_by(run, config.unseen(place))
        names = [one.name for one in config.classes(data / own.train).classes]
        return Report.here(
            f"{task}: pictures that were not learnt from", overlaps(seen, names), *own.tables(seen, place)
        )

    recipe = replace(own.recipe, start_from=start_from)
    run_made(recipe, measure, data=data / own.train, minutes=minutes, device=device, run=run, resume=resume, ship=ship)


if __name__ == "__main__":
    typer.run(main)
