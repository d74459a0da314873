"""The work of `limner straighten`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from limner.cli.commands.straighten import Options
from limner.cli.errors import note
from limner.cli.work.dry_run import show_jobs
from limner.cli.work.file_report import FileReport
from limner.files.image import Picture
from limner.files.visible import visible_tensor
from limner.media.any_picture import picture_of
from limner.media.inputs import find_pictures
from limner.media.many_files import Observer, Worker, Written, work_through
from limner.media.outputs import Job, plan_outputs
from limner.verbs.straighten import Straightened, Straightener, straighten_naming


class StraightenWorker(Worker):
    """Straightens each photo.

    Args of the constructor:
        straightener: That does it.
        quality: Of JPEG, WebP and AVIF.
        overwrite: Whether files that are there may be replaced.
    """

    def __init__(self, straightener: Straightener, *, quality: int | None, overwrite: bool) -> None:
        super().__init__(quality=quality, overwrite=overwrite)
        self.straightener = straightener
        self._found = dict[Path, Straightened]()

    def work(self, job: Job, picture: Picture, observer: Observer) -> Picture:
        """Straighten it."""
        found = self._found[job.source] = self.straightener(visible_tensor(picture))
        return picture_of(found.image, picture)

    def finish(self, job: Job, picture: Picture, result: Picture) -> Mapping[str, Any]:
        """Its class."""
        found = self._found.pop(job.source)
        return {"class": found.label, "probability": round(found.probability, 4)}


class _Report(FileReport):
    """With the class in each line."""

    def file_written(self, written: Written) -> None:
        """Print where the result lies, and what it shows."""
        self.file_done()
        self.written.append(written)
        if not self.as_json:
            size, facts = f"{written.width}x{written.height}", written.facts
            print(f"{written.job.target}  {size}  {facts['class']}, {facts['probability']:.0%} sure", flush=True)


def run(options: Options) -> None:
    """Straighten all, and say where the results lie and what they show.

    Raises:
        LimnerError: If an output is there already, the model does not fit, or the only photo is bad.
        typer.Exit: With 1, if one of many photos is bad.
    """
    found = find_pictures(options.photos, recursive=options.recursive, on_note=note)
    planned = plan_outputs(
        found, straighten_naming(options.model, template=options.name), output=options.output, suffix=options.suffix,
        force=options.force, resume=options.resume, on_note=note,
    )  # fmt: skip
    if options.dry_run:
        show_jobs(
            planned.jobs, as_json=options.as_json, is_alone=len(found) == 1, quality=options.quality,
            model=options.model,
        )  # fmt: skip
        return
    overwrite = options.force or options.resume
    straightener = Straightener(options.model, options.device)
    worker = StraightenWorker(straightener, quality=options.quality, overwrite=overwrite)
    report = _Report(len(found), as_json=options.as_json)
    with report:
        work_through(planned.jobs, worker, report)
    report.raise_if_alone()
    if options.as_json:
        device = str(straightener.device)
        report.print_json(finished=[str(job.target) for job in planned.finished], model=options.model, device=device)
    report.conclude("photos are straightened")
