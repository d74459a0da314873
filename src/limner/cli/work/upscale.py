"""The work of `limner upscale`: one model, many pictures and videos."""

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

from limner.cli.commands.upscale import Options
from limner.cli.errors import note
from limner.cli.options import pixel_limit
from limner.cli.work.dry_run import show_jobs
from limner.cli.work.file_report import FileReport
from limner.cli.work.work_on import addresses, work_on
from limner.errors import LimnerError
from limner.files.bucket import BucketPath
from limner.files.video import is_video_path
from limner.media.inputs import Found, find_pictures, num_pixels
from limner.media.outputs import Planned, plan_outputs
from limner.runtime.allocator import keep_freed_memory
from limner.verbs.upscale.passes import check_factor
from limner.verbs.upscale.upscale import Upscaler, default_scale, upscale_naming
from limner.verbs.upscale.upscale_many import UpscaleWorker


def run(options: Options) -> None:
    """Enlarge all, and say where the results lie.

    Raises:
        LimnerError: If an option does not fit, or the only file is bad.
        typer.Exit: With 1, if one of many files is bad.
    """
    photos, output = addresses(options.on, options.photos, options.output)
    found = find_pictures(photos, recursive=options.recursive, on_note=note)
    _check_together(options, found)
    max_pixels = pixel_limit(options.max_pixels)
    scale = default_scale(options.model) if options.scale is None else options.scale
    check_factor(scale)
    planned = _planned(options, found, scale, output)
    jobs, finished = planned.jobs, planned.finished
    if options.dry_run:
        show_jobs(
            jobs, as_json=options.as_json, is_alone=len(jobs) + len(finished) == 1, max_pixels=max_pixels,
            quality=options.quality, crf=options.crf, factor=scale, scale=scale,
        )  # fmt: skip
        return
    report = FileReport(len(jobs) + len(finished), as_json=options.as_json)
    work = 0 if options.on else math.ceil(scale**2 * sum(num_pixels(job.source) for job in jobs))
    make, overwrite = partial(_worker, options, scale, work, max_pixels), options.force or options.resume
    with report:
        facts = work_on(options.on, jobs, make, report, options, facts=_facts, overwrite=overwrite)
    report.raise_if_alone()
    if options.as_json:
        report.print_json(finished=[str(job.target) for job in finished], **facts)
    what = "files" if any(is_video_path(job.source) for job in jobs) else "pictures"
    by = f"enlarged by {facts['model']}" if facts and options.model == "auto" else ""
    report.conclude(f"{what} are enlarged", by=by, verbose=options.verbose)


def _planned(options: Options, found: Sequence[Found], scale: float, output: str | BucketPath | None) -> Planned:
    return plan_outputs(
        found,
        upscale_naming(scale, options.model, options.name),
        output=output,
        suffix=options.suffix,
        compare=options.compare,
        force=options.force,
        resume=options.resume,
        on_note=note,
    )


def _worker(options: Options, scale: float, work: int, max_pixels: int | None) -> UpscaleWorker:
    keep_freed_memory(large_blocks=options.memory is None)
    return UpscaleWorker(
        Upscaler(options.model, scale, options.run_options(work=work)),
        quality=options.quality,
        crf=options.crf,
        max_pixels=max_pixels,
        overwrite=options.force or options.resume,
        resume=options.resume,
        explain=options.explain,
        verify=options.verify,
    )


def _facts(worker: UpscaleWorker) -> dict[str, Any]:
    upscaler = worker.upscaler
    return {
        "model": upscaler.name,
        "scale": upscaler.scale,
        "network_scale": upscaler.network_scale,
        "precision": upscaler.precision,
        "device": str(upscaler.runner.device),
        "backend": upscaler.runner.backend,
    }


def _check_together(options: Options, found: Sequence[Found]) -> None:
    """Refuse options that contradict each other, or that what was found has no use for."""
    if options.force and options.resume:
        raise LimnerError("--force makes all anew and --resume what is missing: leave one of them out")
    videos = [one.path for one in found if is_video_path(one.path)]
    if options.crf is not None and not videos:
        raise LimnerError("--crf is for videos, and there is none: leave it out, or pass --quality for photos")
    of_photos = {"--format": options.format, "--quality": options.quality, "--compare": options.compare}
    for name, value in of_photos.items():
        if value and videos:
            raise LimnerError(f"{name} is for photos, and {videos[0]} is a video: enlarge it without {name}")
