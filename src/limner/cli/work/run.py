"""The work of `limner run`."""

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from torch import Tensor

from limner.cli.commands.run import Options
from limner.cli.options import pixel_limit
from limner.cli.printing import print_json
from limner.cli.work.file_report import FileReport, facts_of
from limner.errors import LimnerError
from limner.files.image import Picture, from_tensor, write_image
from limner.media.inputs import Found
from limner.media.many_files import Observer, Worker, work_through
from limner.media.outputs import Job, plan_outputs
from limner.processor import peak_bytes
from limner.runtime.allocator import keep_freed_memory
from limner.verbs.run import ExportedModel, result_path
from limner.verbs.run_inputs import named_inputs


class ExportedWorker(Worker):
    """Runs an exported network on each picture."""

    def __init__(
        self, model: ExportedModel, inputs: Mapping[str, Tensor], seed: int, *, max_pixels: int | None, overwrite: bool
    ) -> None:
        super().__init__(max_pixels=max_pixels, overwrite=overwrite)
        self.model, self.inputs, self.seed = model, inputs, seed

    def work(self, job: Job, picture: Picture, observer: Observer) -> Picture:
        """Run the network."""
        self.model.on_progress = observer.part_done
        return self.model.run_picture(picture, self.inputs, seed=self.seed)


def run(options: Options) -> None:
    """Use the network on the photo, and say where the result lies.

    Raises:
        LimnerError: If the network, the photo or an option does not fit.
    """
    max_pixels = pixel_limit(options.max_pixels)
    if options.photo is not None and not options.photo.exists():
        raise LimnerError(f"{options.photo}: there is no such file: check the name")
    report = FileReport(1, as_json=options.as_json)
    keep_freed_memory()
    model = ExportedModel(options.file, options.scale, precision=options.precision, trust=options.trust)
    inputs = named_inputs(model.inputs, options.inputs)
    if options.photo is None:
        _run_without_photo(options, model, inputs)
        return
    worker = ExportedWorker(model, inputs, options.seed, max_pixels=max_pixels, overwrite=options.force)
    with report:
        work_through([_job(options, options.photo, model)], worker, report)
    report.raise_if_alone()
    if options.as_json:
        facts = facts_of(report.written[0])
        own = {
            "file": str(model.file),
            "system": model.header.system if model.header else None,
            "scale": model.scale,
            "engine": model.exported.engine.name,
            "precision": model.precision,
            "seconds": facts.pop("seconds"),
        }
        print_json(facts | own | {"peak_memory_bytes": peak_bytes()})


def _run_without_photo(options: Options, model: ExportedModel, inputs: Mapping[str, Tensor]) -> None:
    """Write what a network makes of latents and classes beside its file, or where it is wanted."""
    if any(port.kind in ("photo", "luminance") and port.name not in inputs for port in model.inputs):
        raise LimnerError(f"{model.file} takes a photo, got none: name one after the network")
    target = Path(options.output or model.file.with_suffix(".png").name)
    made = from_tensor(model(None, inputs, seed=options.seed), like=Picture(np.zeros((1, 1, 3), np.uint8)))
    write_image(target, made, overwrite=options.force)
    if options.as_json:
        print_json({"output": str(target), "width": made.width, "height": made.height, "file": str(model.file)})
    else:
        print(f"{target}  {made.width}x{made.height}")


def _job(options: Options, photo: Path, model: ExportedModel) -> Job:
    """The photo, and a file that is free, in a folder that is there."""
    usual, output = result_path(model, photo), options.output
    if output is None:
        output = str(usual)
    elif output.endswith(("/", os.sep)) or Path(output).is_dir():
        output = str(Path(output) / usual.name)
    found = [Found(photo, Path(photo.name), False)]
    (job,) = plan_outputs(found, output=output, ending="x1", suffix=None, compare=False, force=options.force)
    return job
