"""What every recipe does around its own work: a folder, a log, errors in one line, the report."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from limner.cli.errors import describe, exit_code
from limner.loops.step_report import Watcher
from limner.loops.watch import CsvLog, Terminal
from limner.measure.report import Report
from limner.runtime.allocator import keep_freed_memory
from limner.runtime.device import choose_device
from limner.training.recipe import Recipe, Trained, make

Minutes = Annotated[float, typer.Option(help="Training time over all resumptions; more is better.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")]
Run = Annotated[Path | None, typer.Option(help="Folder of the run; by default runs/<model>.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with the run in that folder.")]
StartFrom = Annotated[
    str | None, typer.Option(help="A model, a weight file or none, to begin with instead of the recipe's.")
]
Ship = Annotated[bool, typer.Option("--ship", help="Copy weights and card into the package.")]


def run_made(
    recipe: Recipe,
    measure: Callable[[Trained], Report],
    *,
    data: Path,
    minutes: float,
    device: str,
    run: Path | None,
    resume: bool,
    ship: bool,
) -> None:
    """Train, measure and write the model of a recipe, as its program's options say; `measure` as for `make`.

    Raises:
        typer.Exit: If it fails or is stopped.
    """
    folder = run or Path("runs") / recipe.model

    def work(watchers: Sequence[Watcher]) -> Report | None:
        return make(
            recipe, measure, data=data, minutes=minutes, device=str(choose_device(device)), run=folder, resume=resume,
            ship=ship, watchers=watchers,
        )  # fmt: skip

    run_recipe(folder, work)


def run_recipe(run: Path, make: Callable[[Sequence[Watcher]], Report | None], console: Console | None = None) -> None:
    """Make a model and print its report.

    Args:
        run: Folder of the run, made where it is not there.
        make: Trains under these watchers and measures; None where training was stopped.
        console: For what is not the report.

    Raises:
        typer.Exit: If it fails or is stopped.
    """
    console = console or Console(stderr=True)
    keep_freed_memory()
    try:
        run.mkdir(parents=True, exist_ok=True)
        report = make([CsvLog(run / "log.csv"), Terminal(console)])
    except Exception as error:
        line = describe(error)
        if line is None:
            raise
        console.print(f"error: {line}", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(exit_code(error)) from None
    if report is None:
        console.print(f"stopped; go on with --resume --run {run}", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(1)
    print(report.to_markdown())
