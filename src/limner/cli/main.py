"""The command `limner`: its subcommands, its exit codes, and how it is stopped.

Nothing heavy is imported here or in the command files, so that `limner --help` and completion answer at once.
"""

import contextlib
import gc
import os
import signal
import sys
import traceback
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, NoReturn

import typer

from limner.cli.command import command
from limner.cli.commands import (
    check,
    demo,
    doctor,
    evaluate,
    export,
    generate,
    imagine,
    import_model,
    info,
    invert,
    learn_style,
    models,
    morph,
    redirect,
    restore,
    run,
    segment,
    shard,
    straighten,
    studio,
    stylize,
    stylize_video,
    texture,
    train,
    translate,
    upscale,
    watch,
    weights,
)
from limner.cli.errors import STOPPED, describe, exit_code, say
from limner.cli.printing import print_any_name

_INTERRUPTED = 130  # what typer makes of a KeyboardInterrupt

app = typer.Typer(
    name="limner",
    help="Limner makes images from images: enlarge, restyle and restore them; train and measure; offline.",
    rich_markup_mode=None,  # rich takes longer to import than everything else here
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
command(app, "upscale", upscale.Options, "limner.cli.work.upscale:run")
command(app, "stylize", stylize.Options, "limner.cli.work.stylize:run")
command(app, "texture", texture.Options, "limner.cli.work.texture:run")
command(app, "learn-style", learn_style.Options, "limner.cli.work.learn_style:run")
command(app, "stylize-video", stylize_video.Options, "limner.cli.work.stylize_video:run")
app.add_typer(restore.app, name="restore")
command(app, "invert", invert.Options, "limner.cli.work.invert:run")
command(app, "imagine", imagine.Options, "limner.cli.work.imagine:run")
command(app, "generate", generate.Options, "limner.cli.work.generate:run")
command(app, "translate", translate.Options, "limner.cli.work.translate:run")
command(app, "morph", morph.Options, "limner.cli.work.morph:run")
command(app, "redirect", redirect.Options, "limner.cli.work.redirect:run")
command(app, "straighten", straighten.Options, "limner.cli.work.straighten:run")
command(app, "segment", segment.Options, "limner.cli.work.segment:run")
command(app, "studio", studio.StudioOptions, "limner.studio.serve:run")
command(app, "serve", studio.ServeOptions, "limner.studio.serve:run")
command(app, "check", check.Options, "limner.cli.work.check:run")
command(app, "shard", shard.Options, "limner.cli.work.shard:run")
command(app, "train", train.Options, "limner.cli.work.train:run")
command(app, "watch", watch.Options, "limner.cli.work.watch:run")
command(app, "export", export.Options, "limner.cli.work.export:run")
command(app, "run", run.Options, "limner.cli.work.run:run")
command(app, "import", import_model.Options, "limner.cli.work.import_model:run")
app.add_typer(evaluate.app, name="evaluate")
app.add_typer(models.app, name="models")
app.add_typer(weights.app, name="weights")
command(app, "info", info.Options, "limner.cli.work.info:run")
command(app, "doctor", doctor.Options, "limner.cli.work.doctor:run")
command(app, "demo", demo.Options, "limner.cli.work.demo:run")


def _print_version(wanted: bool) -> bool:
    if wanted:
        from importlib.metadata import version

        print(f"limner {version('limner')}")
        raise typer.Exit
    return wanted


@app.callback()
def _limner(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def program() -> NoReturn:
    """The command `limner` as a process of its own, which begins and ends half a second sooner than `main` alone.

    Importing torch makes so many objects that Python looks for garbage among them again and again, and once more at the
    end; there is hardly any.
    """
    gc.set_threshold(100_000, 50, 100)
    code = main()
    gc.freeze()
    sys.exit(code)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: Without the name of the program; None takes those of this process.

    Returns:
        0: all went well. 1: something went wrong on the way, or it was stopped. 2: it was asked wrongly.
    """
    print_any_name()
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        with _stopping_on_sigterm():
            code: Any = app(words or ["--help"], prog_name="limner", standalone_mode=False)
            sys.stdout.flush()
    except KeyboardInterrupt:
        code = _INTERRUPTED
    except BrokenPipeError:
        return _reader_has_gone()
    except Exception as error:
        return _report(error)
    if code == _INTERRUPTED:
        say(STOPPED)
        return 1
    return code if isinstance(code, int) else 0


@contextlib.contextmanager
def _stopping_on_sigterm() -> Iterator[None]:
    """SIGTERM acts as Ctrl-C does, so that half-written files are removed. Outside the main thread, do nothing."""

    def stop(number: int, frame: Any) -> None:
        raise KeyboardInterrupt

    try:
        previous = signal.signal(signal.SIGTERM, stop)
    except ValueError:
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


def _reader_has_gone() -> int:
    """`limner models | head -1`: not a word, also not from the flush at the end of the process."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1


def _report(error: Exception) -> int:
    line = describe(error)
    if line is None:
        traceback.print_exception(error)
        say("error: this is a bug in limner: please report it with the lines above")
        return 1
    say(f"error: {line}")
    return exit_code(error)
