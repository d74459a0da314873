"""CycleGANs, both ways: icons as another set draws them, and satellite pictures as shaded relief."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from icon_sets import STYLES, WHITE, apart
from limner.data.pairs import Pair, PairsConfig
from limner.data.unpaired import read_over
from limner.loops.step_report import Watcher
from limner.measure.cycles import cycle_report
from limner.measure.report import Report
from limner.runtime.device import choose_device
from limner.training.recipe import Recipe, Trained, make
from program import Device, Minutes, Resume, Run, Ship, run_recipe


@dataclass(frozen=True)
class Task:
    """A data set, as it lies in its folder.

    Attributes:
        recipe: How.
        side: Of the pictures that are measured, in pixels.
        training: Where the two kinds lie, from the folder of the data and that of the run.
        held_out: Pairs of both kinds that are not learnt from.
    """

    recipe: Recipe
    side: int
    training: Callable[[Path, Path], Path]
    held_out: Callable[[Path, Path], list[Pair]]


def _held_out_icons(data: Path, run: Path) -> list[Pair]:
    first, second = (run / "icons" / "held-out" / style for style in STYLES)
    names = sorted(path.name for path in first.iterdir())
    return [Pair(*(read_over(place / name, WHITE)[0] for place in (first, second))) for name in names]


def _recipe(model: str, data: str, licence: str, failures: str, *settings: str) -> Recipe:
    return Recipe(
        model=model, system="cyclegan", preset="modern", data=data, data_licence=licence, licence="Apache-2.0",
        known_failures=failures, file=Path(__file__), settings=settings,
    )  # fmt: skip


TASKS = {
    "icons": Task(
        _recipe(
            "icons-cyclegan",
            "icons of 64 pixels: Twemoji (Twitter, jdecked) and Fluent Emoji Flat (Microsoft), not as pairs",
            "CC BY 4.0 and MIT",
            "It knows icons on white, and keeps their shapes.",
            "data.a=twemoji", "data.b=fluent-emoji-flat", "data.resize=64", "data.patch=64",
            "base_channels=16", "num_blocks=4", "discriminator_layers=2",
            "fit.optimizer.learning_rate=0.0004", "fit.ema_decay=0.995",
        ),
        64,
        apart,
        _held_out_icons,
    ),
    "relief": Task(
        _recipe(
            "relief-cyclegan",
            "133 parts of NASA's Blue Marble and of Natural Earth's shaded relief, not as pairs",
            "public domain",
            "It knows land and sea from space, some kilometres a pixel.",
            "data.layout=halves",
        ),
        128,
        lambda data, run: data / "train",
        lambda data, run: PairsConfig().read(data / "val"),
    ),
}  # fmt: skip


def main(
    task: Annotated[str, typer.Argument(help=f"{', '.join(TASKS)}.")],
    data: Annotated[Path, typer.Option(help="The folder of its data.")],
    minutes: Minutes = 60.0,
    device: Device = "auto",
    run: Run = None,
    resume: Resume = False,
    ship: Ship = False,
) -> None:
    """Train, measure and write one of the models."""
    if task not in TASKS:
        raise typer.BadParameter(f"must be one of {', '.join(TASKS)}, got {task}")
    own = TASKS[task]
    folder = run or Path("runs") / own.recipe.model

    def measure(trained: Trained) -> Report:
        return cycle_report(str(trained.weights), own.held_out(data, folder), side=own.side)

    def work(watchers: Sequence[Watcher]) -> Report | None:
        return make(
            own.recipe, measure, data=own.training(data, folder), minutes=minutes, device=str(choose_device(device)),
            run=folder, resume=resume, ship=ship, watchers=watchers,
        )  # fmt: skip

    run_recipe(folder, work)


if __name__ == "__main__":
    typer.run(main)
