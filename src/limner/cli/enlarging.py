"""The work of `limner upscale`: one model, many pictures, and what is said about them."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from limner.catalog import find, load
from limner.cli.cost import Cost
from limner.cli.errors import describe, say
from limner.cli.inputs import Found
from limner.cli.options import print_json
from limner.cli.outputs import Job, plan_outputs
from limner.cli.progress import FileProgress
from limner.errors import LimnerError
from limner.files.image import IMAGE_SUFFIXES, Picture, read_image, write_image
from limner.runtime.allocator import keep_freed_memory
from limner.runtime.device import Precision
from limner.verbs.compare import before_after
from limner.verbs.upscale import Upscaler


@dataclass(frozen=True)
class Options:
    """What the command line asked for."""

    output: str | None
    scale: int | None
    model: str
    device: str
    precision: Precision
    tile: int | None
    quality: int | None
    format: str | None
    max_pixels: str
    force: bool
    compare: bool


class Enlarging:
    """One call of the command."""

    def __init__(self, options: Options, found: Sequence[Found]) -> None:
        """Check everything that can be checked before the work, and load the model."""
        self.options = options
        self.max_pixels = pixel_limit(options.max_pixels)
        scale = options.scale or default_scale(options.model)
        self.cost = Cost()
        keep_freed_memory()
        self.upscaler = Upscaler(
            options.model, scale, device=options.device, precision=options.precision, tile=options.tile
        )
        self.jobs = plan_outputs(
            found,
            output=options.output,
            scale=scale,
            suffix=f".{options.format}" if options.format else None,
            compare=options.compare,
            force=options.force,
        )

    def run(self, *, as_json: bool, verbose: bool) -> None:
        """Enlarge all; one bad picture among many is told at the end.

        Raises:
            LimnerError: If the only picture is bad.
            typer.Exit: With 1, if one of many is.
        """
        written: list[dict[str, Any]] = []
        failed: list[dict[str, str]] = []
        with FileProgress(len(self.jobs)) as progress:
            for job in self.jobs:
                progress.next_file(job.source.name)
                try:
                    written.append(self._enlarge(job, progress))
                except Exception as error:
                    reason = describe(error)
                    if reason is None or len(self.jobs) == 1:
                        raise
                    failed.append({"source": str(job.source), "error": reason})
                    continue
                if not as_json:
                    print(f"{job.target}  {written[-1]['width']}x{written[-1]['height']}", flush=True)
        self._conclude(written, failed, as_json=as_json, verbose=verbose)

    def _enlarge(self, job: Job, progress: FileProgress) -> dict[str, Any]:
        start = time.perf_counter()
        if job.target.suffix.lower() not in IMAGE_SUFFIXES and job.source.exists():
            known = ", ".join(sorted(suffix[1:] for suffix in IMAGE_SUFFIXES))
            raise LimnerError(f"{job.target}: the suffix must be one of {known}: pass --format png or another --output")
        picture = read_image(job.source, max_pixels=self.max_pixels)
        result = self.upscaler.enlarge_picture(picture, progress.tile)
        write_image(job.target, result, quality=self.options.quality, overwrite=self.options.force)
        if job.comparison:
            self._compare(job.comparison, picture, result)
        return {
            "source": str(job.source),
            "output": str(job.target),
            "width": result.width,
            "height": result.height,
            "seconds": round(time.perf_counter() - start, 3),
        } | ({"compare": str(job.comparison)} if job.comparison else {})

    def _compare(self, path: Path, picture: Picture, result: Picture) -> None:
        sheet = before_after(picture, result, label=find(self.upscaler.header.system).title)
        write_image(path, sheet, overwrite=self.options.force)

    def _conclude(
        self, written: list[dict[str, Any]], failed: list[dict[str, str]], *, as_json: bool, verbose: bool
    ) -> None:
        if as_json:
            print_json(
                {
                    "files": written,
                    "failed": failed,
                    "model": self.upscaler.name,
                    "scale": self.upscaler.scale,
                    "precision": self.upscaler.precision,
                    "device": str(self.upscaler.runner.device),
                    "seconds": self.cost.seconds,
                    "peak_memory_bytes": self.cost.peak_memory,
                }
            )
        for failure in failed:
            say(f"error: {failure['error']}")
        if failed:
            say(f"{len(written)} of {len(self.jobs)} pictures are enlarged")
        if verbose:
            say(self.cost.line())
        if failed:
            raise typer.Exit(1)


def pixel_limit(text: str) -> int | None:
    """The number that `--max-pixels` names; None for `none`.

    Raises:
        LimnerError: If it is neither a positive number nor `none`.
    """
    if text == "none":
        return None
    if not text.isdecimal() or int(text) == 0:
        raise LimnerError(f"--max-pixels must be a number of pixels above 0 or none, got {text!r}")
    return int(text)


def default_scale(model: str) -> int:
    """2 where the model has it (`auto` always has), else its own first scale."""
    if model == "auto":
        return 2
    scales: Any = getattr(load(model)[0], "scales", (2,))
    return 2 if 2 in scales else int(scales[0])
