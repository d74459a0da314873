"""The work of `limner check`."""

import os

import typer

from limner.cli.commands.check import Options
from limner.cli.errors import say
from limner.cli.printing import print_json, print_line
from limner.cli.progress import StepBar
from limner.errors import LimnerError
from limner.files.atomic import check_place
from limner.inspection.clean_copy import check_clean_copy, left_out, write_clean_copy
from limner.inspection.finding import first_names
from limner.inspection.reading import kept_at
from limner.inspection.report import Inspection
from limner.training.check import check


def run(options: Options) -> None:
    """Look, and say what was found.

    Raises:
        LimnerError: If it is no folder, the system is unknown, or a result cannot be written.
        typer.Exit: With 1, if training would refuse the data.
    """
    _check_results(options)
    if options.fresh:
        kept_at(options.data).unlink(missing_ok=True)
    with StepBar() as bar:
        found = check(
            options.data,
            options.system,
            preset=options.preset,
            assignments=options.assignments,
            try_steps=not options.no_trial,
            num_workers=os.cpu_count() or 1 if options.workers is None else options.workers,
            on_progress=lambda done, total: bar.step(done, total, "files"),
        )
    if options.as_json:
        print_json(found.as_json())
    else:
        _show(found)
    _write(options, found)
    if not found.is_sound:
        raise typer.Exit(1)


def _check_results(options: Options) -> None:
    """Refuse what cannot be written, before the work."""
    if options.system is None and (options.preset or options.assignments):
        raise LimnerError("--preset and --set are a system's: name one with --for")
    if options.output is not None:
        if options.output.suffix.lower() not in (".html", ".htm"):
            raise LimnerError(f"{options.output}: a report is a page: name it .html, or pass --json")
        check_place(options.output, overwrite=options.force)
    if options.fix is not None:
        check_clean_copy(options.data, options.fix)


def _show(found: Inspection) -> None:
    place = found.survey.layout.place
    for one in found.findings:
        print_line(f"{one.level}: {one.line}")
        names = [path for group in one.groups for path in group]
        if names:
            print_line(f"    {first_names(place, names)}")
    for name, words in found.trial.items():
        print_line(f"{name.replace('_', ' ')}: {words}")
    number = len(found.survey.seen)
    print_line(f"{number:,} file{'s' * (number != 1)}: {found.verdict}")


def _write(options: Options, found: Inspection) -> None:
    if options.output is not None:
        found.write_html(options.output, overwrite=options.force)
        say(f"written: {options.output}")
    if options.fix is not None:
        with StepBar() as bar:
            copied = write_clean_copy(
                found, options.fix, on_progress=lambda done, total: bar.step(done, total, "copied")
            )
        say(f"written: {options.fix}, {copied:,} files; {len(left_out(found)):,} left out")
