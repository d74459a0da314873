"""The work of `limner segment`: one model, many pictures."""

from limner.cli.commands.segment import Options
from limner.cli.errors import note
from limner.cli.options import pixel_limit
from limner.cli.work.dry_run import show_jobs
from limner.cli.work.file_report import FileReport
from limner.media.inputs import find_pictures
from limner.media.many_files import work_through
from limner.media.outputs import plan_outputs
from limner.verbs.segment.results import Wanted
from limner.verbs.segment.segment import segment_naming
from limner.verbs.segment.segment_many import SegmentWorker
from limner.verbs.segment.segmenter import Segmenter


def run(options: Options) -> None:
    """Segment all, and say where the results lie.

    Raises:
        LimnerError: If an option does not fit, or the only file is bad.
        typer.Exit: With 1, if one of many files is bad.
    """
    limit = pixel_limit(options.max_pixels)
    found = find_pictures(options.photos, recursive=options.recursive, on_note=note)
    wanted = Wanted(options.overlay, options.probabilities, options.objects, options.contours)
    planned = plan_outputs(
        found, segment_naming(options.model, options.name),
        output=options.output, suffix=".png", force=options.force, resume=options.resume,
        is_finished=lambda job: job.is_finished() and wanted.are_there(job.target),
        on_note=note,
    )  # fmt: skip
    overwrite = options.force or options.resume
    for target in (job.target for job in planned.jobs if job.target.parent.is_dir()):
        wanted.check_places(target, overwrite=overwrite)
    if options.dry_run:
        show_jobs(planned.jobs, as_json=options.as_json, model=options.model)
        return
    run_options = options.run_options()
    run_options.prepare_process()
    segmenter = Segmenter(options.model, run_options, views=options.views)
    report = FileReport(len(planned.jobs) + len(planned.finished), as_json=options.as_json)
    with report:
        work_through(planned.jobs, SegmentWorker(segmenter, wanted, max_pixels=limit, overwrite=overwrite), report)
    report.raise_if_alone()
    if options.as_json:
        report.print_json(
            finished=[str(job.target) for job in planned.finished], model=options.model, classes=segmenter.names
        )
    report.conclude("pictures are segmented")
