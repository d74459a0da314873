"""`facades`, `maps`, `satellite`, `faces` and `icons`: pix2pix for CPUs, each on its own pairs."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from icon_sets import as_pairs
from limner.data.pairs import PairsConfig
from limner.measure.report import Report
from limner.measure.translation import Method, translation_report, translation_samples
from limner.runtime.run_options import RunOptions
from limner.training.recipe import Recipe, Trained
from limner.verbs.segment.segmenter import Segmenter
from limner.verbs.translate.translator import Translator, translated
from program import Device, Minutes, Resume, Run, Ship, run_made


@dataclass(frozen=True)
class Task:
    """A data set, as it lies in its folder.

    Attributes:
        train: What is learnt from, below the folder.
        test: What it is measured on; None: what `data.held_out` leaves.
        recipe: How.
        laid: Writes the data into the run's folder as pairs, and says where; None: they are so.
    """

    train: str
    test: str | None
    recipe: Recipe
    laid: Callable[[Path, Path], Path] | None = None


_AT_256 = ("base_channels=28", "num_downs=8", "data.resize=286", "data.patch=256")
_SLIM = "base_channels=20"

FACADE_CLASSES = {
    "unlabelled": (0, 0, 170),
    "background": (0, 0, 222),
    "facade": (0, 48, 255),
    "window": (0, 128, 255),
    "door": (0, 207, 255),
    "cornice": (32, 255, 223),
    "sill": (112, 255, 143),
    "balcony": (191, 255, 64),
    "blind": (255, 239, 0),
    "decoration": (255, 159, 0),
    "molding": (255, 80, 0),
    "pillar": (255, 0, 0),
    "shop": (175, 0, 0),
}
"""Of the CMP database, as its label pictures show them."""


def _recipe(model: str, data: str, licence: str, failures: str, *settings: str) -> Recipe:
    return Recipe(
        model=model,
        system="pix2pix",
        preset="any-size",
        data=data,
        data_licence=licence,
        licence="Apache-2.0 for the weights"
        + ("; the training pictures are licensed for research" * (licence == "research")),
        known_failures=failures,
        file=Path(__file__),
        settings=settings,
    )


TASKS = {
    "facades": Task(
        "train",
        "val",
        _recipe(
            "facades",
            "200 facades of the CMP database",
            "research",
            "Large parts of one label, such as a blank wall, repeat a pattern; what is no facade becomes one.",
            *_AT_256, "data.source=right", "data.labels=colors",
            f"data.colors={json.dumps(list(FACADE_CLASSES.values()))}", f"data.names={json.dumps([*FACADE_CLASSES])}",
        ),
    ),
    "maps": Task(
        "train",
        "val",
        _recipe(
            "maps",
            "133 pairs of NASA's Blue Marble and Natural Earth's shaded relief",
            "public domain",
            "It knows the earth from far above, at about 5 km a pixel; aerial photos of towns become mountains.",
            *_AT_256, _SLIM,
        ),
    ),
    "satellite": Task(
        "train",
        "val",
        _recipe(
            "satellite",
            "133 pairs of Natural Earth's shaded relief and NASA's Blue Marble",
            "public domain",
            "It knows one way of shading relief; forest and desert are guesses where the relief shows neither.",
            *_AT_256, _SLIM, "data.source=right", "fit.schedule.kind=linear", "fit.schedule.hold=0.6",
        ),
    ),
    "faces": Task(
        ".",
        None,
        _recipe(
            "faces",
            "2,280 drawn faces of DiceBear: open-peeps, personas, adventurer, micah",
            "CC0 and CC BY 4.0 (Pablo Stanley, Draftbit, Lisa Wischofsky, Micah Lanier)",
            "Colours run as in watercolours, and beside lines that are open; faces of photos become drawings at best.",
            "base_channels=32", "num_downs=6", "data.derive=edges", "data.resize=208", "data.patch=192",
            "data.held_out=0.05",
        ),
    ),
    "icons": Task(
        ".",
        None,
        _recipe(
            "icons",
            "1,440 pairs of icons of 64 pixels on white: Twemoji (Twitter, jdecked) to Fluent Emoji Flat (Microsoft)",
            "CC BY 4.0 and MIT",
            "It knows icons of 64 pixels on white; where the two sets draw unlike things the result is between them.",
            "base_channels=32", "num_downs=6", "data.source=A", "data.resize=68", "data.patch=64",
            "discriminator_layers=2", "fit.batch_size=8", "data.held_out=0.1",
        ),
        as_pairs,
    ),
}  # fmt: skip


def measured(trained: Trained, test: Path | None, segmenter: Segmenter | None = None) -> Report:
    """What a model is worth on pairs that it has not seen."""
    own = PairsConfig.parse(trained.goal.data)
    data = own.model_copy(update={"held_out": 0.0} if test else {"part": "held out"})
    translator = Translator(str(trained.weights), RunOptions(device=trained.device, precision="exact"))
    method: Method = lambda sample: translated(translator.runner, translator.ports, *sample.given)  # noqa: E731
    samples = translation_samples(data, test or Path(trained.goal.folder), own.patch)
    return translation_report({trained.weights.stem: method}, samples, distance=True, segmenter=segmenter)


def main(
    model: Annotated[str, typer.Argument(help=f"One of {', '.join(TASKS)}.")],
    data: Annotated[Path, typer.Option(help="Folder of its training pictures.")],
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
    if task.laid:
        data = task.laid(data, run or Path("runs") / model)

    run_made(
        task.recipe,
        lambda trained: measured(trained, data / task.test if task.test else None, reads),
        data=data / task.train,
        minutes=minutes,
        device=device,
        run=run,
        resume=resume,
        ship=ship,
    )


if __name__ == "__main__":
    typer.run(main)
