"""The command line that the super-resolution recipes share."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from kitchen import cooked
from limner.loops.fit import Watcher
from limner.runtime.device import choose_device
from limner.training.recipe import Recipe, make_model

_Data = Annotated[Path, typer.Option(help="Folder of training pictures.")]
_Benchmarks = Annotated[Path, typer.Option(help="Folder with Set5, Set14, BSD100.")]
_Minutes = Annotated[float, typer.Option(help="Training time over all resumptions; more is better.")]
_Device = Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")]
_Run = Annotated[Path | None, typer.Option(help="Folder of the run; by default runs/<model>.")]
_Resume = Annotated[bool, typer.Option("--resume", help="Go on with the run in that folder.")]
_StartFrom = Annotated[
    str | None, typer.Option(help="A model, a weight file or none, to begin with instead of the recipe's.")
]
_Ship = Annotated[bool, typer.Option("--ship", help="Copy weights and card into the package.")]


def cook(recipe: Recipe) -> None:
    """Run a recipe as a program."""

    def main(
        data: _Data,
        benchmarks: _Benchmarks,
        minutes: _Minutes = 60.0,
        device: _Device = "auto",
        run: _Run = None,
        resume: _Resume = False,
        start_from: _StartFrom = None,
        ship: _Ship = False,
    ) -> None:
        _make(recipe, data, benchmarks, minutes, device, run, resume, start_from, ship)

    typer.run(main)


def cook_scales(recipes: Mapping[int, Recipe]) -> None:
    """Run one of some recipes, of a model for each scale, as a program."""

    def main(
        data: _Data,
        benchmarks: _Benchmarks,
        scale: Annotated[int, typer.Option(help="Which model to make.")] = next(iter(recipes)),
        minutes: _Minutes = 60.0,
        device: _Device = "auto",
        run: _Run = None,
        resume: _Resume = False,
        start_from: _StartFrom = None,
        ship: _Ship = False,
    ) -> None:
        if scale not in recipes:
            raise typer.BadParameter(f"--scale must be one of {', '.join(map(str, recipes))}, got {scale}")
        _make(recipes[scale], data, benchmarks, minutes, device, run, resume, start_from, ship)

    typer.run(main)


def _make(
    recipe: Recipe,
    data: Path,
    benchmarks: Path,
    minutes: float,
    device: str,
    run: Path | None,
    resume: bool,
    start_from: str | None,
    ship: bool,
) -> None:
    folder = run or Path("runs") / recipe.model

    def work(watchers: Sequence[Watcher]) -> str | None:
        report = make_model(
            recipe if start_from is None else replace(recipe, start_from=start_from),
            data=data,
            benchmarks=benchmarks,
            minutes=minutes,
            device=str(choose_device(device)),
            run=folder,
            resume=resume,
            ship=ship,
            watchers=watchers,
        )
        return None if report is None else report.to_markdown()

    cooked(folder, work, Console(stderr=True))
