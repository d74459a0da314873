"""The work of `limner segment`: one model, many pictures."""

from limner.cli.commands.segment import Options
from limner.cli.errors import note
from limner.cli.options import pixel_limit
from limner.cli.work.file_report import FileReport
from limner.files.atomic import check_place
from limner.media.inputs import find_pictures
from limner.media.many_files import work_through
from limner.media.outputs import plan_outputs
from limner.verbs.segment.segment_many import SegmentWorker, Wanted
from limner.verbs.segment.segmenter import Segmenter


def run(options: Options) -> None:
    """Segment all, and say where the results lie.

    Raises:
        LimnerError: If an option does not fit, or the only file is bad.
        typer.Exit: With 1, if one of many files is bad.
    """
    limit, run_options = pixel_limit(options.max_pixels), options.run_options()
    run_options.prepare_process()
    segmenter = Segmenter(options.model, run_options, views=options.views)
    found = find_pictures(options.photos, recursive=options.recursive, on_note=note)
    jobs = plan_outputs(
        found, output=options.output, ending="classes", suffix=".png", compare=False, force=options.force
    )
    wanted = Wanted(options.overlay, options.probabilities, options.objects, options.contours)
    for place in (place for job in jobs for place in wanted.paths(job).values()):
        check_place(place, overwrite=options.force)
    report = FileReport(len(jobs), as_json=options.as_json)
    with report:
        work_through(jobs, SegmentWorker(segmenter, wanted, max_pixels=limit, overwrite=options.force), report)
    report.raise_if_alone()
    if options.as_json:
        report.print_json(model=options.model, classes=segmenter.names)
    report.conclude("pictures are segmented")
