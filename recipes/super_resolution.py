"""The command line that the super-resolution recipes share."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from kitchen import cooked
from limner.loops.fit import Watcher
from limner.runtime.device import choose_device
from limner.training.recipe import Recipe, make_model


def cook(recipe: Recipe) -> None:
    """Run a recipe as a program."""

    def main(
        data: Annotated[Path, typer.Option(help="Folder of training pictures.")],
        benchmarks: Annotated[Path, typer.Option(help="Folder with Set5, Set14, BSD100.")],
        minutes: Annotated[float, typer.Option(help="Training time over all resumptions; more is better.")] = 60.0,
        device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
        run: Annotated[Path | None, typer.Option(help="Folder of the run; by default runs/<model>.")] = None,
        resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in that folder.")] = False,
        start_from: Annotated[
            str | None, typer.Option(help="A model, a weight file or none, to begin with instead of the recipe's.")
        ] = None,
        ship: Annotated[bool, typer.Option("--ship", help="Copy weights and card into the package.")] = False,
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

    typer.run(main)
