"""The work of `limner translate`: one model, many pictures and videos."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from limner.catalog.models import check_model
from limner.cli.commands.translate import Options
from limner.cli.errors import note
from limner.cli.options import pixel_limit
from limner.cli.work.dry_run import show_jobs
from limner.cli.work.file_report import FileReport
from limner.cli.work.work_on import addresses, work_on
from limner.data.label_colors import palette_of
from limner.errors import LimnerError
from limner.files.image import read_image
from limner.files.video import is_video_path
from limner.files.visible import visible_tensor
from limner.media.inputs import Found, find_pictures, num_pixels
from limner.media.outputs import plan_outputs
from limner.ports import Ported
from limner.tasks.translate import TRANSLATE, Styled, TwoWay
from limner.verbs.translate.translate import translate_naming
from limner.verbs.translate.translate_many import TranslateWorker
from limner.verbs.translate.translator import Translator


def unused_options(system: object, config: Mapping[str, Any]) -> list[str]:
    """Of the options of a translation, those that a model has no use for, and refuses.

    Args:
        system: That translates.
        config: Of its header.
    """
    uses = {
        "direction": isinstance(system, TwoWay),
        "nearest": bool(palette_of(config)),
        "derive": bool(config.get("derived")),
        "choices": isinstance(system, Ported) and len(system.outputs) > 1,
        "style_photo": isinstance(system, Styled),
    }
    return [name for name, is_used in uses.items() if not is_used]


def run(options: Options) -> None:
    """Translate all, and say where the results lie.

    Raises:
        LimnerError: If an option does not fit, an output is there already, or the only file is bad.
        typer.Exit: With 1, if one of many files is bad.
    """
    max_pixels = pixel_limit(options.max_pixels)
    photos, output = addresses(options.on, options.photos, options.output)
    found = find_pictures(photos, recursive=options.recursive, on_note=note)
    _check_together(options, found)
    planned = plan_outputs(
        found, translate_naming(options.model, seed=options.seed, template=options.name),
        output=output, suffix=options.suffix, force=options.force, resume=options.resume, on_note=note,
    )  # fmt: skip
    if options.dry_run:
        check_model(options.model, TRANSLATE)
        show_jobs(
            planned.jobs, as_json=options.as_json, is_alone=len(planned.jobs) + len(planned.finished) == 1,
            max_pixels=max_pixels, quality=options.quality, model=options.model,
        )  # fmt: skip
        return
    work = 0 if options.on else sum(num_pixels(job.source) for job in planned.jobs)
    report = FileReport(len(planned.jobs) + len(planned.finished), as_json=options.as_json)
    make, overwrite = partial(_worker, options, work, max_pixels), options.force or options.resume
    with report:
        facts = work_on(options.on, planned.jobs, make, report, options, facts=_facts, overwrite=overwrite)
    report.raise_if_alone()
    if options.as_json:
        report.print_json(finished=[str(job.target) for job in planned.finished], model=options.model, **facts)
    is_mixed = any(is_video_path(job.source) for job in planned.jobs)
    report.conclude("files are translated" if is_mixed else "pictures are translated")


def _worker(options: Options, work: int, max_pixels: int | None) -> TranslateWorker:
    run_options = options.run_options(work=work)
    run_options.prepare_process()
    style = None if options.style_photo is None else visible_tensor(read_image(options.style_photo))
    translator = Translator(
        options.model,
        run_options,
        direction=options.direction,
        nearest=options.nearest,
        derive=options.derive,
        choices=options.choices,
        style=style,
    )
    return TranslateWorker(
        translator, options.seed, quality=options.quality, crf=options.crf, max_pixels=max_pixels,
        overwrite=options.force or options.resume,
    )  # fmt: skip


def _facts(worker: TranslateWorker) -> dict[str, Any]:
    runner = worker.translator.runner
    return {"device": str(runner.device), "precision": runner.precision}


def _check_together(options: Options, found: Sequence[Found]) -> None:
    """Refuse options that what was found has no use for."""
    videos = [one.path for one in found if is_video_path(one.path)]
    if options.crf is not None and not videos:
        raise LimnerError("--crf is for videos, and there is none: leave it out, or pass --quality for pictures")
    if options.choices and videos:
        raise LimnerError(f"--choices is for pictures, and {videos[0]} is a video: translate it without --choices")
    for name, value in {"--format": options.format, "--quality": options.quality}.items():
        if value and videos:
            raise LimnerError(f"{name} is for pictures, and {videos[0]} is a video: translate it without {name}")
