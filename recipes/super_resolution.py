"""The command line that the super-resolution recipes share."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from limner.errors import LimnerError
from limner.loops.watch import CsvLog, Terminal
from limner.runtime.allocator import keep_freed_memory
from limner.runtime.device import choose_device
from limner.verbs.recipe import Recipe, make_model


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
        keep_freed_memory()
        folder = run or Path("runs") / recipe.model
        folder.mkdir(parents=True, exist_ok=True)
        console = Console(stderr=True)
        try:
            report = make_model(
                recipe if start_from is None else replace(recipe, start_from=start_from),
                data=data,
                benchmarks=benchmarks,
                minutes=minutes,
                device=str(choose_device(device)),
                run=folder,
                resume=resume,
                ship=ship,
                watchers=[CsvLog(folder / "log.csv"), Terminal(console)],
            )
        except LimnerError as error:
            console.print(f"error: {error}", markup=False, highlight=False, soft_wrap=True)
            raise typer.Exit(error.exit_code) from None
        if report is None:
            console.print(f"stopped; go on with --resume --run {folder}", markup=False, highlight=False, soft_wrap=True)
            raise typer.Exit(1)
        print(report.to_markdown())

    typer.run(main)
