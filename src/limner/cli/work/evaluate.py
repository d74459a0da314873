"""The work of `limner evaluate`."""

import sys
from collections.abc import Sequence
from pathlib import Path

from limner.catalog.models import find
from limner.cli.commands.evaluate import Options
from limner.cli.progress import StepBar
from limner.cli.work.dry_run import show
from limner.data.benchmarks import find_benchmarks
from limner.data.folder import check_headers
from limner.errors import LimnerError
from limner.files.atomic import atomic_path
from limner.measure.report import Report
from limner.measure.super_resolution import evaluate_super_resolution
from limner.media.outputs import refuse_existing
from limner.runtime.allocator import keep_freed_memory
from limner.runtime.run_options import RunOptions
from limner.verbs.upscale.upscale import Upscaler, enlarging_models, evaluable


def run(options: Options) -> None:
    """Evaluate, print the table, and write it as Markdown and as JSON.

    Raises:
        LimnerError: If an output is there already, or something that was asked for does not exist.
    """
    keep_freed_memory()
    places = report_places(options.output, "super-resolution")
    if not options.force:
        refuse_existing(*places)
    for benchmark in find_benchmarks(options.data):
        check_headers(benchmark.images)
    models = items_of(options.model)
    chosen = _named(
        enlarging_models() if models == ["all"] else models,
        RunOptions(device=options.device, precision=options.precision),
    )
    if options.dry_run:
        names = ", ".join(model.name for model in chosen)
        show([(str(options.data), place) for place in places], as_json=options.as_json, models=names)
        return
    places[0].parent.mkdir(parents=True, exist_ok=True)
    with StepBar() as progress:
        report = evaluate_super_resolution(
            options.data,
            chosen,
            scales=_numbers(options.scale),
            protocols=items_of(options.protocol),
            limit=options.limit,
            distance=options.distance,
            on_step=progress.step,
        )
    write_report(report, places, as_json=options.as_json)


def write_report(report: Report, places: Sequence[Path], *, as_json: bool) -> None:
    """Write a report as files and print it."""
    for place in places:
        with atomic_path(place) as temporary:
            text = report.to_json() if place.suffix == ".json" else report.to_markdown()
            temporary.write_text(text, encoding="utf-8")
    sys.stdout.write(report.to_json() if as_json else report.to_markdown())


def report_places(output: Path | None, name: str) -> list[Path]:
    """The file that is named, or two of them in a folder.

    >>> [str(place) for place in report_places(Path("a.md"), "super-resolution")]
    ['a.md']
    """
    if output is not None and output.suffix in (".md", ".json") and not output.is_dir():
        return [output]
    if output is not None and output.suffix and not output.is_dir():
        raise LimnerError(f"a report is written as .md or .json, got {output}: name such a file, or a folder")
    return [(output or Path()) / f"{name}.{kind}" for kind in ("md", "json")]


def _named(models: Sequence[str], options: RunOptions) -> list[Upscaler]:
    """The models, each under the name that the report shows.

    The first one that is the very network of a paper bears the paper's name, under which its figures are found;
    any other bears its own.
    """
    loaded = [evaluable(model, options) for model in dict.fromkeys(models)]
    taken: set[str] = set()
    for model in loaded:
        published = find(model.header.system).published_name(model.header.config)
        if published and published not in taken:
            model.name = published
        taken.add(model.name)
    return loaded


def items_of(texts: Sequence[str]) -> list[str]:
    """What is named, one by one or with commas between."""
    return [item.strip() for text in texts for item in text.split(",") if item.strip()]


def _numbers(texts: Sequence[str]) -> list[int]:
    items = items_of(texts)
    if not all(item.isdecimal() for item in items):
        raise LimnerError(
            f"--scale must be whole numbers with commas between, got {','.join(texts)!r}: for instance 2,3,4"
        )
    return [int(item) for item in items]
