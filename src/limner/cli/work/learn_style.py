"""The work of `limner learn-style`."""

import shlex
from pathlib import Path

import typer
from rich.console import Console

from limner.cli.errors import say
from limner.errors import LimnerError
from limner.loops.watch import Terminal
from limner.runtime.allocator import keep_freed_memory
from limner.verbs.learn_style import PHOTOS, learn_style
from limner.verbs.learnt_styles import kept_as


def learn(
    painting: Path,
    output: Path | None,
    minutes: float,
    *,
    size: int,
    photos: Path | None,
    device: str,
    resume: bool,
    force: bool,
) -> None:
    """Learn, and say how the style is used.

    Raises:
        LimnerError: If a picture or an option does not fit.
        typer.Exit: With 1, if it was stopped.
    """
    if not painting.is_file():
        raise LimnerError(f"{painting}: there is no such picture: check the name")
    keep_freed_memory()
    done = learn_style(
        painting,
        output or kept_as(painting),
        minutes=minutes,
        size=size,
        photos=photos or PHOTOS,
        device=device,
        resume=resume,
        overwrite=force,
        watchers=[Terminal(Console(stderr=True))],
    )
    own = ["--output", str(output)] * (output is not None) + ["--size", str(size)] * (size != 320)
    if not done.finished:
        command = shlex.join(["limner", "learn-style", str(painting), *own, "--minutes", f"{minutes:g}", "--resume"])
        say(f"stopped after {done.step} steps, all saved; go on with: {command}")
        raise typer.Exit(1)
    print(f"{done.model}  {done.step} steps, {done.seconds / 60:.1f} minutes")
    given = ["--model", str(output)] if output else ["--style", str(painting)]
    say(f"use it with: {shlex.join(['limner', 'stylize', 'photo.jpg', *given])}")
