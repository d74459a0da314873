"""The command line that the super-resolution recipes share."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from limner.catalog.models import find
from limner.measure.report import Report
from limner.measure.super_resolution import evaluate_super_resolution
from limner.runtime.device import choose_device
from limner.runtime.run_options import RunOptions
from limner.training.recipe import Recipe, Trained, make
from limner.verbs.upscale.upscale import evaluable
from program import Device, Minutes, Resume, Run, Ship, StartFrom, run_recipe

_Data = Annotated[Path, typer.Option(help="Folder of training pictures.")]
_Benchmarks = Annotated[Path, typer.Option(help="Folder with Set5, Set14, BSD100.")]


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
        data: _Data,
        benchmarks: _Benchmarks,
        minutes: Minutes = 60.0,
        device: Device = "auto",
        run: Run = None,
        resume: Resume = False,
        start_from: StartFrom = None,
        ship: Ship = False,
    ) -> None:
        own = {"data": data, "minutes": minutes, "device": str(choose_device(device)), "resume": resume, "ship": ship}
        _make(recipe, measure(recipe, benchmarks, protocols, distance=distance), run, start_from, own)

    typer.run(main)


def run_enlargers(recipes: Mapping[int, Recipe], protocols: Sequence[str]) -> None:
    """Run one of some recipes, of a model for each scale, as a program."""

    def main(
        data: _Data,
        benchmarks: _Benchmarks,
        scale: Annotated[int, typer.Option(help="Which model to make.")] = next(iter(recipes)),
        minutes: Minutes = 60.0,
        device: Device = "auto",
        run: Run = None,
        resume: Resume = False,
        start_from: StartFrom = None,
        ship: Ship = False,
    ) -> None:
        if scale not in recipes:
            raise typer.BadParameter(f"--scale must be one of {', '.join(map(str, recipes))}, got {scale}")
        own = {"data": data, "minutes": minutes, "device": str(choose_device(device)), "resume": resume, "ship": ship}
        _make(recipes[scale], measure(recipes[scale], benchmarks, protocols), run, start_from, own)

    typer.run(main)


def _make(
    recipe: Recipe,
    report: Callable[[Trained], Report],
    run: Path | None,
    start_from: str | None,
    settings: Mapping[str, Any],
) -> None:
    folder = run or Path("runs") / recipe.model
    begun = recipe if start_from is None else replace(recipe, start_from=start_from)
    run_recipe(folder, lambda watchers: make(begun, report, run=folder, watchers=watchers, **settings))
