"""The work of `limner segment`: one model, many pictures and videos."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from limner.catalog.models import check_model
from limner.cli.commands.segment import Options
from limner.cli.errors import note
from limner.cli.options import pixel_limit
from limner.cli.work.dry_run import show_jobs
from limner.cli.work.file_report import FileReport
from limner.cli.work.work_on import addresses, work_on
from limner.errors import LimnerError
from limner.files.bucket import BucketPath, is_address
from limner.files.video import is_video_path
from limner.media.inputs import Found, find_pictures
from limner.media.outputs import Job, Planned, plan_outputs
from limner.tasks.segment import SEGMENT
from limner.verbs.segment.results import Wanted
from limner.verbs.segment.segment import segment_naming
from limner.verbs.segment.segment_many import SegmentWorker
from limner.verbs.segment.segment_video import OVERLAY, check_places, classes_folder
from limner.verbs.segment.segmenter import Segmenter


def run(options: Options) -> None:
    """Segment all, and say where the results lie.

    Raises:
        LimnerError: If an option does not fit, or the only file is bad.
        typer.Exit: With 1, if one of many files is bad.
    """
    limit = pixel_limit(options.max_pixels)
    photos, output = addresses(options.on, options.photos, options.output)
    found, wanted = find_pictures(photos, recursive=options.recursive, on_note=note), _wanted(options)
    _check_together(options, found)
    planned, overwrite = _planned(options, found, wanted, output), options.force or options.resume
    for job in (one for one in planned.jobs if not one.refused):
        if job.target.parent.is_dir() and is_video_path(job.source):
            check_places(job.target, classes=options.classes, overwrite=overwrite)
        elif job.target.parent.is_dir():
            wanted.check_places(job.target, overwrite=overwrite)
    if options.dry_run:
        check_model(options.model, SEGMENT)
        is_alone = len(planned.jobs) + len(planned.finished) == 1
        show_jobs(
            planned.jobs, as_json=options.as_json, is_alone=is_alone, max_pixels=limit, model=options.model
        )  # fmt: skip
        return
    report = FileReport(len(planned.jobs) + len(planned.finished), as_json=options.as_json)
    make, places = partial(_worker, options, limit), partial(_places, options, wanted)
    with report:
        facts = work_on(
            options.on, planned.jobs, make, report, options, facts=_facts, places=places, overwrite=overwrite
        )  # fmt: skip
    report.raise_if_alone()
    if options.as_json:
        report.print_json(finished=[str(job.target) for job in planned.finished], model=options.model, **facts)
    what = "files" if any(is_video_path(job.source) for job in planned.jobs) else "pictures"
    report.conclude(f"{what} are segmented")


def _wanted(options: Options) -> Wanted:
    return Wanted(options.overlay, options.probabilities, options.objects, options.contours, options.least_area)


def _worker(options: Options, max_pixels: int | None) -> SegmentWorker:
    run_options = options.run_options()
    run_options.prepare_process()
    return SegmentWorker(
        Segmenter(options.model, run_options, views=options.views),
        _wanted(options),
        classes=options.classes,
        crf=options.crf,
        max_pixels=max_pixels,
        overwrite=options.force or options.resume,
    )


def _facts(worker: SegmentWorker) -> dict[str, Any]:
    return {"classes": worker.segmenter.names}


def _places(options: Options, wanted: Wanted, job: Job) -> list[Path]:
    """All that is written of a photo or a video."""
    if is_video_path(job.source):
        return [job.target, *([classes_folder(job.target)] if options.classes else [])]
    return [job.target, *wanted.paths(job.target).values()]


def _planned(options: Options, found: Sequence[Found], wanted: Wanted, output: str | BucketPath | None) -> Planned:
    """Photos and videos have results of other kinds, and so other names."""
    videos = [one for one in found if is_video_path(one.path)]
    photos = [one for one in found if one not in videos]

    def is_finished(job: Job) -> bool:
        if not is_video_path(job.source):
            return job.is_finished() and wanted.are_there(job.target)
        return job.is_finished() and (not options.classes or classes_folder(job.target).is_dir())

    plan = partial(
        plan_outputs, output=output, force=options.force, resume=options.resume, is_finished=is_finished,
        on_note=note,
    )  # fmt: skip
    of_photos = plan(photos, segment_naming(options.model, options.name), suffix=".png")
    of_videos = plan(videos, segment_naming(options.model, options.name or OVERLAY), suffix=None)
    return Planned(of_photos.jobs + of_videos.jobs, of_photos.finished + of_videos.finished)


def _check_together(options: Options, found: Sequence[Found]) -> None:
    """Refuse options that what was found has no use for."""
    videos = [one.path for one in found if is_video_path(one.path)]
    if not videos and (options.crf is not None or options.classes):
        name = "--classes" if options.classes else "--crf"
        raise LimnerError(f"{name} is for videos, and there is none: leave it out")
    of_photos = {
        "--objects": options.objects, "--contours": options.contours, "--probabilities": options.probabilities,
    }  # fmt: skip
    if options.least_area > 1 and not (options.objects or options.contours):
        raise LimnerError("--least-area is of objects, and none are wanted: add --objects or --contours")
    for name, value in of_photos.items():
        if value and videos:
            raise LimnerError(f"{name} is for photos, and {videos[0]} is a video: segment it without {name}")
    place = Path(options.output) if options.output and 0 < len(videos) < len(found) else None
    if place and not is_address(place) and not place.is_dir():
        raise LimnerError(f"{options.output}: photos and videos go into one folder that is there: make it first")
