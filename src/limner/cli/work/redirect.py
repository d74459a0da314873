"""The work of `limner redirect`."""

from collections.abc import Sequence

from limner.catalog.models import check_model
from limner.cli.commands.redirect import Options
from limner.cli.errors import note
from limner.cli.work.dry_run import show_jobs
from limner.cli.work.file_report import FileReport
from limner.errors import LimnerError
from limner.features.eyes import EyeBox
from limner.files.image import Picture
from limner.files.visible import visible_tensor
from limner.media.any_picture import picture_of
from limner.media.inputs import find_pictures
from limner.media.many_files import Observer, Worker, work_through
from limner.media.outputs import Job, plan_outputs
from limner.tasks.redirect import REDIRECT
from limner.verbs.redirect import Redirector, allowed, redirect_naming


class RedirectWorker(Worker):
    """Turns the eyes of each photo.

    Args of the constructor:
        redirector: That does it.
        angle: Yaw and pitch, in degrees.
        boxes: Around the eyes; None looks for them in each photo.
        quality: Of JPEG, WebP and AVIF.
        overwrite: Whether files that are there may be replaced.
    """

    def __init__(
        self,
        redirector: Redirector,
        angle: tuple[float, float],
        boxes: Sequence[EyeBox] | None,
        *,
        quality: int | None,
        overwrite: bool,
    ) -> None:
        super().__init__(quality=quality, overwrite=overwrite)
        self.redirector, self.angle, self.boxes = redirector, angle, boxes

    def work(self, job: Job, picture: Picture, observer: Observer) -> Picture:
        """Find the eyes and turn them."""
        made = self.redirector.turned(visible_tensor(picture), self.angle, self.boxes, note)
        return picture_of(made, picture)


def run(options: Options) -> None:
    """Redirect all, and say where the results lie.

    Raises:
        LimnerError: If an output is there already, the model does not fit, or the only photo is bad.
        typer.Exit: With 1, if one of many photos is bad.
    """
    yaw, pitch = _numbers("--angle", options.angle, 2)
    angle, boxes = allowed((yaw, pitch), note), [_box(one) for one in options.eyes] or None
    found = find_pictures(options.photos, recursive=options.recursive, on_note=note)
    planned = plan_outputs(
        found, redirect_naming(options.model, template=options.name), output=options.output, suffix=options.suffix,
        force=options.force, resume=options.resume, on_note=note,
    )  # fmt: skip
    if options.dry_run:
        check_model(options.model, REDIRECT)
        show_jobs(
            planned.jobs, as_json=options.as_json, is_alone=len(found) == 1, quality=options.quality,
            model=options.model,
        )  # fmt: skip
        return
    redirector = Redirector(options.model, options.device)
    report = FileReport(len(found), as_json=options.as_json)
    overwrite = options.force or options.resume
    worker = RedirectWorker(redirector, angle, boxes, quality=options.quality, overwrite=overwrite)
    with report:
        work_through(planned.jobs, worker, report)
    report.raise_if_alone()
    if options.as_json:
        device = str(redirector.device)
        report.print_json(finished=[str(job.target) for job in planned.finished], model=options.model, device=device)
    report.conclude("photos are redirected")


def _box(text: str) -> EyeBox:
    return EyeBox(*_numbers("--eyes", text, 4))


def _numbers(option: str, text: str, count: int) -> tuple[float, ...]:
    try:
        found = tuple(float(one) for one in text.split(","))
    except ValueError:
        found = ()
    if len(found) != count:
        example = "15,0" if count == 2 else "310,220,60,40"
        raise LimnerError(f"{option} takes {count} numbers with commas between, got {text!r}: write {option} {example}")
    return found
