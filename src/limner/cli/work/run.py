"""The work of `limner run`."""

from collections.abc import Mapping

from torch import Tensor

from limner.cli.commands.run import Options
from limner.cli.errors import note
from limner.cli.options import pixel_limit
from limner.cli.printing import print_json, print_line
from limner.cli.work.dry_run import show, show_jobs
from limner.cli.work.file_report import FileReport
from limner.cli.work.one_picture import BLANK, place_of_one, write_one
from limner.errors import LimnerError
from limner.files.image import Picture, from_tensor
from limner.media.inputs import find_pictures
from limner.media.many_files import Observer, Worker, work_through
from limner.media.names import Naming
from limner.media.outputs import Job, plan_outputs
from limner.runtime.allocator import keep_freed_memory
from limner.verbs.run import ExportedModel, result_naming
from limner.verbs.run_inputs import named_inputs


class ExportedWorker(Worker):
    """Runs an exported network on each picture."""

    def __init__(
        self,
        model: ExportedModel,
        inputs: Mapping[str, Tensor],
        seed: int,
        *,
        max_pixels: int | None,
        quality: int | None,
        overwrite: bool,
    ) -> None:
        super().__init__(max_pixels=max_pixels, quality=quality, overwrite=overwrite)
        self.model, self.inputs, self.seed = model, inputs, seed

    def work(self, job: Job, picture: Picture, observer: Observer) -> Picture:
        """Run the network."""
        self.model.on_progress = observer.part_done
        return self.model.run_picture(picture, self.inputs, seed=self.seed)


def run(options: Options) -> None:
    """Use the network on the photos, and say where the results lie.

    Raises:
        LimnerError: If the network, the only photo or an option does not fit.
        typer.Exit: With 1, if one of many photos is bad.
    """
    max_pixels = pixel_limit(options.max_pixels)
    found = find_pictures(options.photos, recursive=options.recursive, on_note=note) if options.photos else []
    keep_freed_memory()
    model = ExportedModel(options.file, options.scale, precision=options.precision, trust=options.trust)
    inputs = named_inputs(model.inputs, options.inputs)
    if not found:
        _run_without_photo(options, model, inputs)
        return
    planned = plan_outputs(
        found, result_naming(model, seed=options.seed, template=options.name),
        output=options.output, suffix=options.suffix, force=options.force, resume=options.resume, on_note=note,
    )  # fmt: skip
    if options.dry_run:
        show_jobs(
            planned.jobs, as_json=options.as_json, is_alone=len(found) == 1, max_pixels=max_pixels,
            quality=options.quality,
        )  # fmt: skip
        return
    replaces = options.force or options.resume
    worker = ExportedWorker(
        model, inputs, options.seed, max_pixels=max_pixels, quality=options.quality, overwrite=replaces
    )
    report = FileReport(len(found), as_json=options.as_json)
    with report:
        work_through(planned.jobs, worker, report)
    report.raise_if_alone()
    if options.as_json:
        _print_json(model, report, planned.finished)
    report.conclude("pictures are made")


def _print_json(model: ExportedModel, report: FileReport, finished: list[Job]) -> None:
    report.print_json(
        finished=[str(job.target) for job in finished],
        file=str(model.file),
        system=model.header.system if model.header else None,
        scale=model.scale,
        engine=model.exported.engine.name,
        precision=model.precision,
    )


def _run_without_photo(options: Options, model: ExportedModel, inputs: Mapping[str, Tensor]) -> None:
    """Write what a network makes of latents and classes beside its file, or where it is wanted."""
    if any(port.kind in ("photo", "luminance") and port.name not in inputs for port in model.inputs):
        raise LimnerError(f"{model.file} takes a photo, got none: name one after the network")
    naming = Naming(options.name or "{model}", model=model.file.stem, seed=options.seed)
    target = place_of_one(naming.name(model.file.stem), options, output=options.output)
    if options.dry_run:
        show([(str(model.file), target)], as_json=options.as_json)
        return
    made = from_tensor(model(None, inputs, seed=options.seed), like=BLANK)
    write_one(target, made, options)
    if options.as_json:
        print_json({"output": str(target), "width": made.width, "height": made.height, "file": str(model.file)})
    else:
        print_line(f"{target}  {made.width}x{made.height}")
