"""Many pictures that a command optimises, one after the other."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import typer

from limner.cli.errors import note, say
from limner.cli.options import GrowingOptions
from limner.cli.printing import print_json
from limner.cli.work.dry_run import show_jobs
from limner.cli.work.file_report import reason
from limner.cli.work.growing_picture import GrowingPicture, state_of
from limner.files.image import MOST_PIXELS, Picture, read_image
from limner.loops.optimize import Optimized, RunControl
from limner.media.inputs import Found
from limner.media.names import Naming
from limner.media.outputs import Job, make_folders, plan_outputs


@dataclass(frozen=True)
class Growing:
    """How one picture is made.

    Attributes:
        like: What the result takes depth, metadata and transparency from.
        make: From that photo, and what the run is watched and resumed by.
        facts: Printed as JSON with those of the result.
    """

    like: Picture
    make: Callable[[Picture, RunControl], Optimized]
    facts: Mapping[str, Any] = field(default_factory=dict)


def grow_each(
    options: GrowingOptions,
    found: Sequence[Found],
    naming: Naming,
    grow: Callable[[Job, Picture], Growing],
    *,
    output: str | None,
    usual: str | None = None,
    max_pixels: int | None = MOST_PIXELS,
) -> None:
    """Make a picture of each photo, and say where they lie. A bad photo of many stops no other.

    Args:
        options: Of the command.
        found: The photos.
        naming: How results are called.
        grow: From a photo and what is read of it, how its picture is made.
        output: As for `plan_outputs`.
        usual: Suffix of the results where neither `output` nor an option says another; None keeps that of the photos.
        max_pixels: Of a photo that is read; None for any.

    Raises:
        LimnerError: If something does not fit.
        typer.Exit: With 1, if it was stopped, or one of many photos is bad.
    """
    is_alone = len(found) == 1 and not found[0].in_folder

    def is_finished(job: Job) -> bool:
        return not is_alone and job.is_finished() and not state_of(job.target).exists()

    planned = plan_outputs(
        found, naming, output=output, suffix=options.suffix, usual=usual,
        force=options.force, resume=options.resume, is_finished=is_finished, on_note=note,
    )  # fmt: skip
    jobs = planned.jobs
    if options.dry_run:
        show_jobs(
            jobs, as_json=options.as_json, is_alone=is_alone, max_pixels=max_pixels, quality=options.quality,
            like=lambda job, picture: grow(job, picture).like,
        )  # fmt: skip
        return
    options.run_options().prepare_process()
    made, failed = list[dict[str, Any]](), list[tuple[Job, Exception]]()
    for job in jobs:
        try:
            made.append(_grow(options, job, grow, is_alone=is_alone, max_pixels=max_pixels))
        except Exception as error:
            if is_alone or isinstance(error, typer.Exit):
                raise
            failed.append((job, error))
            say(f"error: {reason(job, error)}")
    if options.as_json and not is_alone:
        told = [{"source": str(job.source), "error": reason(job, error)} for job, error in failed]
        print_json({"files": made, "failed": told, "finished": [str(job.target) for job in planned.finished]})
    if failed:
        say(f"{len(made)} of {len(jobs)} pictures are made")
        raise typer.Exit(1)


def _grow(
    options: GrowingOptions,
    job: Job,
    grow: Callable[[Job, Picture], Growing],
    *,
    is_alone: bool,
    max_pixels: int | None,
) -> dict[str, Any]:
    if job.refused:
        raise job.refused
    picture = read_image(job.source, max_pixels=max_pixels)
    growing = grow(job, picture)
    make_folders([job])
    shown = GrowingPicture(job.target, growing.like, options, is_alone=is_alone)
    if not is_alone:
        shown.resume = options.resume and shown.state.exists()
    with shown:
        result = growing.make(picture, shown.control)
    shown.finish(result, source=str(job.source), **growing.facts)
    return shown.facts
