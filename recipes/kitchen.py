"""What every recipe does around its own work: a folder, a log, errors in one line, the report."""

from collections.abc import Callable, Sequence
from pathlib import Path

import typer
from rich.console import Console

from limner.errors import LimnerError
from limner.loops.fit import Watcher
from limner.loops.watch import CsvLog, Terminal
from limner.runtime.allocator import keep_freed_memory


def cooked(run: Path, work: Callable[[Sequence[Watcher]], str | None], console: Console) -> None:
    """Do the work and print its report.

    Args:
        run: Folder of the run, made where it is not there.
        work: Trains under these watchers and measures; None where training was stopped.
        console: For what is not the report.

    Raises:
        typer.Exit: If it fails or is stopped.
    """
    keep_freed_memory()
    run.mkdir(parents=True, exist_ok=True)
    try:
        report = work([CsvLog(run / "log.csv"), Terminal(console)])
    except LimnerError as error:
        console.print(f"error: {error}", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(error.exit_code) from None
    if report is None:
        console.print(f"stopped; go on with --resume --run {run}", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(1)
    print(report)
