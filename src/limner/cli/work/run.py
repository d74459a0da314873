"""The work of `limner run`."""

import os
import time
from collections.abc import Sequence
from pathlib import Path

from limner.cli.cost import Cost
from limner.cli.inputs import Found
from limner.cli.options import print_json
from limner.cli.outputs import plan_outputs
from limner.cli.progress import FileProgress
from limner.cli.work.upscale import pixel_limit
from limner.errors import LimnerError
from limner.files.image import IMAGE_SUFFIXES, read_image, write_image
from limner.runtime.allocator import keep_freed_memory
from limner.types import Precision
from limner.verbs.run import ExportedModel, result_path
from limner.verbs.run_inputs import named_inputs


class Running:
    """One call of the command."""

    def __init__(
        self,
        file: Path,
        photo: Path,
        output: str | None,
        scale: int | None,
        precision: Precision,
        max_pixels: str,
        *,
        force: bool,
    ) -> None:
        """Check everything that can be checked before the work, and open the network."""
        self.photo, self.force = photo, force
        self.max_pixels = pixel_limit(max_pixels)
        if not photo.exists():
            raise LimnerError(f"{photo}: there is no such file: check the name")
        self.cost = Cost()
        keep_freed_memory()
        self.model = ExportedModel(file, scale, precision=precision)
        self.target = self._target(output)

    def _target(self, output: str | None) -> Path:
        """A file that is free, in a folder that is there."""
        usual = result_path(self.model, self.photo)
        if output is None:
            output = str(usual)
        elif output.endswith(("/", os.sep)) or Path(output).is_dir():
            output = str(Path(output) / usual.name)
        found = [Found(self.photo, Path(self.photo.name), False)]
        (job,) = plan_outputs(found, output=output, ending="x1", suffix=None, compare=False, force=self.force)
        if job.target.suffix.lower() not in IMAGE_SUFFIXES:
            known = ", ".join(sorted(suffix[1:] for suffix in IMAGE_SUFFIXES))
            raise LimnerError(f"{job.target}: the suffix must be one of {known}: pass another --output")
        return job.target

    def run(self, inputs: Sequence[str], seed: int, *, as_json: bool) -> None:
        """Read, run, write, and say what was done."""
        start = time.perf_counter()
        given = named_inputs(self.model.inputs, inputs)
        with FileProgress(1) as progress:
            progress.next_file(self.photo.name)
            self.model.on_part = progress.tile
            picture = read_image(self.photo, max_pixels=self.max_pixels)
            result = self.model.run_picture(picture, given, seed=seed)
            write_image(self.target, result, overwrite=self.force)
        if not as_json:
            print(f"{self.target}  {result.width}x{result.height}", flush=True)
            return
        header = self.model.header
        print_json(
            {
                "source": str(self.photo),
                "output": str(self.target),
                "width": result.width,
                "height": result.height,
                "file": str(self.model.file),
                "system": header.system if header else None,
                "scale": self.model.scale,
                "engine": self.model.exported.engine.name,
                "precision": self.model.precision,
                "seconds": round(time.perf_counter() - start, 3),
                "peak_memory_bytes": self.cost.peak_memory,
            }
        )
