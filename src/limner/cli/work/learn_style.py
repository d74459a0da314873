"""The work of `limner learn-style`."""

import shlex

import typer
from rich.console import Console

from limner.cli.commands.learn_style import Options
from limner.cli.errors import say
from limner.cli.printing import print_json
from limner.cli.work.dry_run import show
from limner.errors import LimnerError
from limner.loops.watch import Terminal
from limner.runtime.allocator import keep_freed_memory
from limner.verbs.learn_style import FIT, PHOTOS, check_output, learn_style
from limner.verbs.learnt_styles import kept_as


def run(options: Options) -> None:
    """Learn, and say how the style is used.

    Raises:
        LimnerError: If a picture or an option does not fit.
        typer.Exit: With 1, if it was stopped.
    """
    painting, output = options.painting, options.output
    if not painting.is_file():
        raise LimnerError(f"{painting}: there is no such picture: check the name")
    target = output or kept_as(painting)
    check_output(target, options.force)
    if options.dry_run:
        show([(str(painting), target)], as_json=options.as_json, minutes=options.minutes)
        return
    keep_freed_memory()
    done = learn_style(
        painting,
        target,
        config=FIT.model_copy(update={"seed": options.seed}),
        minutes=options.minutes,
        size=options.size,
        photos=options.photos or PHOTOS,
        device=options.device,
        resume=options.resume,
        overwrite=options.force,
        watchers=[Terminal(Console(stderr=True))],
    )
    own = ["--output", str(output)] * (output is not None) + ["--size", str(options.size)] * (options.size != 320)
    if not done.finished:
        length = ["--minutes", f"{options.minutes:g}"]
        command = shlex.join(["limner", "learn-style", str(painting), *own, *length, "--resume"])
        say(f"stopped after {done.step} steps, all saved; go on with: {command}")
        raise typer.Exit(1)
    if options.as_json:
        facts = {"output": str(done.model), "steps": done.step, "seconds": round(done.seconds, 1), "start": done.start}
        print_json({"source": str(painting), **facts})
        return
    print(f"{done.model}  {done.step} steps, {done.seconds / 60:.1f} minutes")
    use = ["--model", str(output)] if output else ["--style", str(painting)]
    say(f"use it with: {shlex.join(['limner', 'stylize', 'photo.jpg', *use])}")
