"""The command line that the super-resolution recipes share."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from limner.catalog.models import find
from limner.loops.fit import Watcher
from limner.measure.report import Report
from limner.measure.super_resolution import evaluate_super_resolution
from limner.runtime.device import choose_device
from limner.runtime.run_options import RunOptions
from limner.training.recipe import Recipe, Trained, make
from limner.verbs.upscale.upscale import evaluable
from program import Device, Minutes, Resume, Run, Ship, run_recipe


def measure(
    recipe: Recipe, benchmarks: Path, protocols: Sequence[str], *, distance: bool = False
) -> Callable[[Trained], Report]:
    """How an enlarger is measured: at its own scales, under the paper's name if it is the paper's network.

    Args:
        recipe: Of the model.
        benchmarks: Folder of benchmark sets.
        protocols: Names from `limner.metrics.protocols`.
        distance: Whether to measure the VGG distance too.
    """

    def report(trained: Trained) -> Report:
        model = evaluable(str(trained.weights), RunOptions(device=trained.device, precision="exact"))
        model.name = find(recipe.system).published_name(trained.goal.config) or recipe.model
        return evaluate_super_resolution(
            benchmarks, [model], scales=model.scales, protocols=protocols, distance=distance
        )

    return report


def run_enlarger(recipe: Recipe, protocols: Sequence[str], *, distance: bool = False) -> None:
    """Run a recipe as a program."""

    def main(
        data: Annotated[Path, typer.Option(help="Folder of training pictures.")],
        benchmarks: Annotated[Path, typer.Option(help="Folder with Set5, Set14, BSD100.")],
        minutes: Minutes = 60.0,
        device: Device = "auto",
        run: Run = None,
        resume: Resume = False,
        start_from: Annotated[
            str | None, typer.Option(help="A model, a weight file or none, to begin with instead of the recipe's.")
        ] = None,
        ship: Ship = False,
    ) -> None:
        folder = run or Path("runs") / recipe.model

        def work(watchers: Sequence[Watcher]) -> Report | None:
            return make(
                recipe if start_from is None else replace(recipe, start_from=start_from),
                measure(recipe, benchmarks, protocols, distance=distance),
                data=data,
                minutes=minutes,
                device=str(choose_device(device)),
                run=folder,
                resume=resume,
                ship=ship,
                watchers=watchers,
            )

        run_recipe(folder, work)

    typer.run(main)
