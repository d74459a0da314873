"""A painting that is new, learnt before it is painted in."""

from pathlib import Path

import typer
from rich.console import Console

from limner.cli.errors import say
from limner.cli.progress import Told
from limner.loops.fit import STATE_FILE
from limner.loops.watch import Terminal
from limner.verbs.learn_style import MINUTES, learn_style
from limner.verbs.learnt_styles import kept_as, run_folder


def learn_first(painting: Path, device: str) -> None:
    """Learn a style and keep it, with a word before and the time left; what was stopped goes on.

    Raises:
        LimnerError: If the painting cannot be read.
        typer.Exit: With 1, if it was stopped.
    """
    say(
        f"{painting} is new: its style is learnt first, once, in {MINUTES:g} minutes or less; "
        "--quick paints at once, but worse"
    )
    begun = (run_folder(kept_as(painting)) / STATE_FILE).exists()
    done = learn_style(painting, device=device, resume=begun, watchers=[Terminal(Console(stderr=True)), Told()])
    if not done.finished:
        say(f"stopped after {done.step} steps, all saved; the same command goes on")
        raise typer.Exit(1)
