"""The work of `limner translate`."""

import torch
from torch import nn

from limner.cli.commands.translate import Options
from limner.cli.errors import note
from limner.cli.work.dry_run import show_jobs
from limner.cli.work.file_report import FileReport
from limner.files.image import Picture
from limner.files.visible import visible_tensor
from limner.media.any_picture import picture_of
from limner.media.inputs import find_pictures
from limner.media.many_files import Observer, Worker, work_through
from limner.media.outputs import Job, plan_outputs
from limner.runtime.device import choose_device
from limner.verbs.translate import translate_naming, translated, translator


class TranslateWorker(Worker):
    """Translates each picture.

    Args of the constructor:
        system: That translates, on its device.
        seed: Of its noise.
        quality: Of JPEG, WebP and AVIF.
        overwrite: Whether files that are there may be replaced.
    """

    def __init__(self, system: nn.Module, seed: int, *, quality: int | None, overwrite: bool) -> None:
        super().__init__(quality=quality, overwrite=overwrite)
        self.system, self.seed = system, seed

    def work(self, job: Job, picture: Picture, observer: Observer) -> Picture:
        """Run the network."""
        return picture_of(translated(self.system, visible_tensor(picture), self.seed).expand(-1, 3, -1, -1), picture)


def run(options: Options) -> None:
    """Translate all, and say where the results lie.

    Raises:
        LimnerError: If an output is there already, the model does not fit, or the only picture is bad.
        typer.Exit: With 1, if one of many pictures is bad.
    """
    found = find_pictures(options.photos, recursive=options.recursive, on_note=note)
    planned = plan_outputs(
        found, translate_naming(options.model, seed=options.seed, template=options.name),
        output=options.output, suffix=options.suffix, force=options.force, resume=options.resume, on_note=note,
    )  # fmt: skip
    if options.dry_run:
        show_jobs(planned.jobs, as_json=options.as_json, model=options.model)
        return
    device = choose_device(options.device)
    system = translator(options.model, options.direction).to(device)
    report = FileReport(len(found), as_json=options.as_json)
    worker = TranslateWorker(system, options.seed, quality=options.quality, overwrite=options.force or options.resume)
    with report, torch.inference_mode():
        work_through(planned.jobs, worker, report)
    report.raise_if_alone()
    if options.as_json:
        report.print_json(
            finished=[str(job.target) for job in planned.finished], model=options.model, device=str(device)
        )
    report.conclude("pictures are translated")
