"""The work of `limner learn-style`."""

import shlex
from collections.abc import Sequence
from pathlib import Path

import typer
from rich.console import Console

from limner.cli.commands.learn_style import Options
from limner.cli.errors import describe, note, say
from limner.cli.printing import print_json, print_line
from limner.cli.progress import Told
from limner.cli.work.dry_run import show
from limner.errors import LimnerError
from limner.files.image import MOST_PIXELS, is_image_path
from limner.files.space import check_folder
from limner.loops.fit import STATE_FILE
from limner.loops.watch import Terminal
from limner.media.inputs import find_pictures
from limner.media.many_files import check_readable
from limner.media.outputs import Job, refuse_existing
from limner.runtime.allocator import keep_freed_memory
from limner.verbs.learn_style import PHOTOS, LearntStyle, learn_style
from limner.verbs.learnt_styles import check_kept, forget_style, kept_as, learnt_folder, learnt_model, run_folder


def run(options: Options) -> None:
    """Learn, and say how the styles are used; or forget some.

    Raises:
        LimnerError: If a picture or an option does not fit.
        typer.Exit: With 1, if it was stopped.
    """
    if options.forgotten:
        _forget(options)
        return
    paintings, failed = _readable(options.paintings)
    _check(options, [*paintings, *failed])
    wanted = paintings if options.output or options.force else _new(paintings)
    if options.dry_run:
        show([(str(one), options.output or kept_as(one)) for one in wanted], as_json=options.as_json)
    else:
        keep_freed_memory()
        for number, painting in enumerate(wanted):
            if len(wanted) > 1:
                say(f"{painting}, {number + 1} of {len(wanted)}")
            try:
                _conclude(options, painting, _learnt(options, painting))
            except LimnerError as error:
                if len(wanted) + len(failed) == 1:
                    raise
                failed[painting] = error
    for one in failed.values():
        say(f"error: {describe(one)}")
    if failed:
        raise typer.Exit(1)


def _readable(names: Sequence[Path]) -> tuple[list[Path], dict[Path, LimnerError]]:
    """The paintings that are meant, and why others of many cannot be read."""
    if not names:
        raise LimnerError("learn-style takes one painting or more, got none: name them")
    found, failed = find_pictures(names, on_note=note), dict[Path, LimnerError]()
    for one in found:
        try:
            check_readable(Job(one.path, one.path, None, one.refused), MOST_PIXELS)
        except LimnerError as error:
            if len(found) == 1:
                raise
            failed[one.path] = error
    return [one.path for one in found if one.path not in failed], failed


def _forget(options: Options) -> None:
    if options.paintings:
        raise LimnerError(f"--forget stands alone, got {options.paintings[0]} to learn too: give two commands")
    for style in options.forgotten:
        print_line(f"{forget_style(style)}  forgotten")


def _check(options: Options, paintings: Sequence[Path]) -> None:
    """Refuse, before the first minutes are spent, what would be refused after them."""
    number = max(len(options.paintings), len(paintings))
    if options.output and number > 1:
        raise LimnerError(f"--output takes the style of one painting, got {number}: leave it out")
    if options.output and not (options.force or options.resume):
        refuse_existing(options.output)
    check_kept(options.output or learnt_folder() / "a.safetensors")
    if options.preview is not None:
        check_folder(options.preview.parent, mend="name another --preview")
    preview = options.preview
    if preview is None:
        return
    if not is_image_path(preview):
        raise LimnerError(f"--preview is a picture, got {preview}: end it with .png or .jpg")
    if preview.exists() and not (options.force or options.resume):
        raise LimnerError(f"{preview}: is already there: pass --force to replace, or name another --preview")


def _new(paintings: list[Path]) -> list[Path]:
    """Those that are not learnt yet, each once."""
    found: dict[Path, Path] = {}
    for painting in paintings:
        if learnt_model(painting):
            note(f"{painting} is learnt already: --force learns it anew")
        else:
            found.setdefault(kept_as(painting), painting)
    return list(found.values())


def _learnt(options: Options, painting: Path) -> LearntStyle:
    begun = (run_folder(options.output or kept_as(painting)) / STATE_FILE).exists()
    return learn_style(
        painting,
        options.output,
        minutes=options.minutes,
        seed=options.seed,
        size=options.size,
        photos=options.photos or PHOTOS,
        trunk=options.trunk,
        device=options.device,
        preview=options.preview,
        resume=options.resume and (begun or len(options.paintings) == 1),
        overwrite=options.force,
        watchers=[Terminal(Console(stderr=True)), Told()],
    )


def _conclude(options: Options, painting: Path, done: LearntStyle) -> None:
    if not done.finished:
        say(f"stopped after {done.step} steps, all saved; go on with: {shlex.join(_again(options))}")
        raise typer.Exit(1)
    if options.as_json:
        facts = {"output": str(done.model), "steps": done.step, "seconds": round(done.seconds, 1), "start": done.start}
        print_json({"source": str(painting), **facts})
        return
    print_line(f"{done.model}  {done.step} steps, {done.seconds / 60:.1f} minutes")
    use = ["--model", str(options.output)] if options.output else ["--style", str(painting)]
    say(f"use it with: {shlex.join(['limner', 'stylize', 'photo.jpg', *use])}")


def _again(options: Options) -> list[str]:
    """The command that goes on."""
    given = {
        "--output": options.output,
        "--photos": options.photos,
        "--trunk": options.trunk,
        "--preview": options.preview,
    }
    own = [word for name, value in given.items() if value is not None for word in (name, str(value))]
    own += ["--size", str(options.size)] * (options.size != 320)
    own += [] if options.minutes is None else ["--minutes", f"{options.minutes:g}"]
    return ["limner", "learn-style", *map(str, options.paintings), *own, "--resume"]
