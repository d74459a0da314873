"""`facades-spade`, `facades-crn` and `street-spade`: photos from label maps, for CPUs."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from limner.data.label_maps import LabelMapsConfig
from limner.measure.report import Report
from limner.measure.translation import Method, translation_report, translation_samples
from limner.runtime.run_options import RunOptions
from limner.training.recipe import Recipe, Trained
from limner.verbs.segment.segmenter import Segmenter
from limner.verbs.translate.translator import Translator, translated
from pix2pix import FACADE_CLASSES
from program import Device, Minutes, Resume, Run, Ship, run_made


@dataclass(frozen=True)
class Task:
    """A data set, as it lies in its folder.

    Attributes:
        train: What is learnt from, below the folder.
        test: What it is measured on, below the folder.
        side: Of the pictures that it is measured on, in pixels.
        recipe: How.
        held_out: Of the data's configuration, where other files of the same folder are measured.
    """

    train: str
    test: str
    side: int
    recipe: Recipe
    held_out: tuple[str, ...] = ()


def _recipe(model: str, system: str, data: str, failures: str, *settings: str) -> Recipe:
    return Recipe(
        model=model,
        system=system,
        preset="modern",
        data=data,
        data_licence="research",
        licence="Apache-2.0 for the weights; the training pictures are licensed for research",
        known_failures=failures,
        file=Path(__file__),
        settings=settings,
    )


_FACADES = (
    "data.label_half=right", f"data.colors={json.dumps(list(FACADE_CLASSES.values()))}",
    f"data.names={json.dumps([*FACADE_CLASSES])}", "data.height=256", "data.width=256", "data.jitter=30",
)  # fmt: skip
_STREET_CLASSES = (
    "sky", "building", "pole", "road", "pavement", "tree", "sign", "fence", "car", "pedestrian", "bicyclist"
)  # fmt: skip  # by number in the labels; 11 is unknown
_STREET = (
    "data.images=train", "data.masks=train_labels", f"data.names={json.dumps(_STREET_CLASSES)}", "data.ignore=[11]",
    "data.height=192", "data.width=256", "data.jitter=24",
)  # fmt: skip

TASKS = {
    "facades-spade": Task(
        "train",
        "val",
        256,
        _recipe(
            "facades-spade", "spade", "200 facades of the CMP database",
            "Blank walls repeat a pattern; what is no facade becomes one.", *_FACADES,
        ),
    ),
    "facades-crn": Task(
        "train",
        "val",
        256,
        _recipe(
            "facades-crn", "crn", "200 facades of the CMP database",
            "Fine parts such as bars of windows are smooth; what is no facade becomes one.", *_FACADES,
            "channels=[256,256,256,192,128,64,32]", "fit.schedule.kind=linear", "fit.schedule.hold=0.4",
        ),
    ),
    "street-spade": Task(
        ".",
        ".",
        192,
        _recipe(
            "street-spade", "spade", "367 street scenes of CamVid",
            "It knows one town in two kinds of light; people and signs are blots of colour.", *_STREET,
        ),
        ("images=val", "masks=val_labels"),
    ),
}  # fmt: skip


def measured(task: Task, trained: Trained, test: Path, segmenter: Segmenter | None) -> Report:
    """What a model is worth on label maps and photos that it has not seen."""
    data = LabelMapsConfig.parse(trained.goal.data).override([*task.held_out, "held_out=0"])
    translator = Translator(str(trained.weights), RunOptions(device=trained.device, precision="exact"))
    method: Method = lambda sample: translated(translator.runner, translator.ports, *sample.given)  # noqa: E731
    samples = translation_samples(data, test, task.side)
    return translation_report({task.recipe.model: method}, samples, distance=True, segmenter=segmenter)


def main(
    model: Annotated[str, typer.Argument(help=f"One of {', '.join(TASKS)}.")],
    data: Annotated[Path, typer.Option(help="Folder of its data.")],
    segmenter: Annotated[str | None, typer.Option(help="A model that reads the labels again, for seg-score.")] = None,
    minutes: Minutes = 120.0,
    device: Device = "auto",
    run: Run = None,
    resume: Resume = False,
    ship: Ship = False,
) -> None:
    """Train, measure and write the model."""
    if model not in TASKS:
        raise typer.BadParameter(f"one of {', '.join(TASKS)}")
    task = TASKS[model]
    reads = Segmenter(segmenter, RunOptions(precision="exact")) if segmenter else None

    run_made(
        task.recipe,
        lambda trained: measured(task, trained, data / task.test, reads),
        data=data / task.train,
        minutes=minutes,
        device=device,
        run=run,
        resume=resume,
        ship=ship,
    )


if __name__ == "__main__":
    typer.run(main)
