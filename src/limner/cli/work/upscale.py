"""The work of `limner upscale`: one model, many pictures and videos, and what is said about them."""

import functools
import time
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Literal, TypeAlias

import typer

from limner.catalog import find
from limner.cli.cost import Cost
from limner.cli.errors import describe, say
from limner.cli.fitting import fits, num_pixels
from limner.cli.inputs import Found
from limner.cli.options import print_json
from limner.cli.outputs import Job, plan_outputs
from limner.cli.progress import FileProgress
from limner.errors import LimnerError
from limner.files.image import IMAGE_SUFFIXES, Picture, check_writable, read_image, write_image
from limner.files.video import is_video_path
from limner.media.pipeline import Outcome, run
from limner.runtime.allocator import keep_freed_memory
from limner.runtime.memory import default_budget, parse_bytes
from limner.types import Precision
from limner.verbs.upscale.before_after import before_after
from limner.verbs.upscale.upscale import Upscaler, default_scale
from limner.verbs.upscale.upscale_file import enlarge_file
from limner.verbs.upscale.upscale_video import enlarge_video

BYTES_PER_PIXEL = 48
"""Of a result, that a picture takes on its way through memory: four RGB pictures of 32-bit floats."""

MOST_APART = 1e-4
"""By which a picture in parts may differ from the whole, in float32."""

Record: TypeAlias = dict[str, Any]
"""What `--json` says of one file."""


@dataclass(frozen=True)
class Options:
    """What the command line asked for."""

    output: str | None
    scale: int | None
    model: str
    device: str
    precision: Precision
    backend: str
    tile: int | None
    memory: str | None
    threads: int | None
    quality: int | None
    crf: int | None
    format: str | None
    max_pixels: str
    force: bool
    resume: bool
    compare: bool
    explain: bool
    verify: bool


@dataclass
class _Photo:
    """A picture on its way; `seconds` is what its stages have taken."""

    job: Job
    picture: Picture
    seconds: float


class Enlarging:
    """One call of the command."""

    def __init__(self, options: Options, found: Sequence[Found]) -> None:
        """Check everything that can be checked before the work, and load the model."""
        _check_together(options, found)
        self.options = options
        self.max_pixels = pixel_limit(options.max_pixels)
        scale = options.scale or default_scale(options.model)
        self.cost = Cost()
        self.memory = parse_bytes(options.memory) if options.memory else None
        keep_freed_memory(large_blocks=self.memory is None)
        jobs = plan_outputs(
            found,
            output=options.output,
            ending=f"x{scale}",
            suffix=f".{options.format}" if options.format else None,
            compare=options.compare,
            force=options.force,
            resume=options.resume,
        )
        self.finished = [job for job in jobs if options.resume and job.is_finished()]
        self.jobs = [job for job in jobs if job not in self.finished]
        self.replaces = options.force or options.resume
        self.upscaler = Upscaler(
            options.model,
            scale,
            device=options.device,
            precision=options.precision,
            backend=options.backend,
            tile=options.tile,
            memory=self.memory,
            threads=options.threads,
            work=scale**2 * sum(num_pixels(job.source) for job in self.jobs),
        )

    def run(self, *, as_json: bool, verbose: bool) -> None:
        """Enlarge all; one bad file among many is told at the end.

        Raises:
            LimnerError: If the only file is bad.
            typer.Exit: With 1, if one of many is.
        """
        written: list[Record] = []
        failed: list[dict[str, str]] = []
        if self.finished:
            say(f"note: {len(self.finished)} are finished already")
        with FileProgress(len(self.jobs)) as progress, closing(self._outcomes(progress)) as outcomes:
            for outcome in outcomes:
                progress.file_done()
                if outcome.error is not None:
                    reason = describe(outcome.error)
                    if reason is None or len(self.jobs) + len(self.finished) == 1:
                        raise outcome.error
                    failed.append({"source": str(outcome.item.source), "error": reason})
                    continue
                written.append(outcome.get())
                if not as_json:
                    print(f"{outcome.item.target}  {written[-1]['width']}x{written[-1]['height']}", flush=True)
        self._conclude(written, failed, as_json=as_json, verbose=verbose)

    def _outcomes(self, progress: FileProgress) -> Generator[Outcome[Job, Record]]:
        """What becomes of each job, in order: photos overlap, each video or large photo does so with itself."""
        for kind, jobs in groupby(self.jobs, key=self._kind):
            if kind != "photo":
                enlarge = functools.partial(
                    self._enlarge_video if kind == "video" else self._enlarge_large, progress=progress
                )
                for job in jobs:
                    yield Outcome(job, job).then(enlarge)
            else:
                with closing(
                    run(list(jobs), self._read, lambda photo: self._enlarge(photo, progress), self._write)
                ) as some:
                    yield from some

    def _kind(self, job: Job) -> Literal["photo", "large", "video"]:
        if is_video_path(job.source):
            return "video"
        whole = BYTES_PER_PIXEL * self.upscaler.scale**2 * num_pixels(job.source)
        return "photo" if fits(whole, self.memory) or self.upscaler.runner.tile else "large"

    def _read(self, job: Job) -> _Photo:
        start = time.perf_counter()
        if job.target.suffix.lower() not in IMAGE_SUFFIXES and job.source.exists():
            known = ", ".join(sorted(suffix[1:] for suffix in IMAGE_SUFFIXES))
            raise LimnerError(f"{job.target}: the suffix must be one of {known}: pass --format png or another --output")
        picture = read_image(job.source, max_pixels=self.max_pixels)
        check_writable(job.target, picture, scale=self.upscaler.scale, quality=self.options.quality)
        return _Photo(job, picture, time.perf_counter() - start)

    def _enlarge(self, photo: _Photo, progress: FileProgress) -> tuple[_Photo, Picture]:
        start = time.perf_counter()
        progress.next_file(photo.job.source.name)
        self._examine(photo)
        result = self.upscaler.enlarge_picture(photo.picture, progress.tile)
        photo.seconds += time.perf_counter() - start
        return photo, result

    def _examine(self, photo: _Photo) -> None:
        """What --explain and --verify say of a photo."""
        name = photo.job.source.name
        if self.options.explain:
            say(f"{name}: {self.upscaler.explain(photo.picture.height, photo.picture.width)}")
        if self.options.verify:
            apart = self.upscaler.verify(photo.picture)
            say(f"{name}: in parts and whole at most {apart:.1e} apart, in float32, on the middle of the photo")
            if apart > MOST_APART:
                raise PartsDifferError(
                    f"{name}: parts differ from the whole by {apart:.1e}, more than {MOST_APART:.0e}"
                )

    def _enlarge_large(self, job: Job, progress: FileProgress) -> Record:
        start = time.perf_counter()
        progress.next_file(job.source.name)
        if job.comparison:
            raise LimnerError(f"{job.source}: is too large to be compared in memory: leave out --compare")
        if self.options.explain:
            say(f"{job.source.name}: read, enlarged and written in strips, for the whole does not fit into the memory")
        width, height = enlarge_file(
            self.upscaler,
            job.source,
            job.target,
            memory=self.memory or default_budget(),
            on_strip=progress.tile,
            resume=self.options.resume,
            overwrite=self.replaces,
            quality=self.options.quality,
        )
        return _record(job, width, height, time.perf_counter() - start)

    def _write(self, enlarged: tuple[_Photo, Picture]) -> Record:
        start = time.perf_counter()
        photo, result = enlarged
        job = photo.job
        write_image(job.target, result, quality=self.options.quality, overwrite=self.replaces)
        if job.comparison:
            self._compare(job.comparison, photo.picture, result)
        seconds = photo.seconds + time.perf_counter() - start
        return _record(job, result.width, result.height, seconds) | (
            {"compare": str(job.comparison)} if job.comparison else {}
        )

    def _compare(self, path: Path, picture: Picture, result: Picture) -> None:
        sheet = before_after(picture, result, label=find(self.upscaler.header.system).title)
        write_image(path, sheet, overwrite=self.replaces)

    def _enlarge_video(self, job: Job, progress: FileProgress) -> Record:
        start = time.perf_counter()
        progress.next_file(job.source.name)
        video = enlarge_video(
            self.upscaler,
            job.source,
            job.target,
            crf=self.options.crf,
            max_pixels=self.max_pixels,
            overwrite=self.replaces,
            on_frame=progress.tile,
            on_note=lambda note: say(f"note: {note}"),
        )
        record = _record(job, video.width, video.height, time.perf_counter() - start)
        return record | {"frames": video.num_frames}

    def _conclude(
        self, written: list[dict[str, Any]], failed: list[dict[str, str]], *, as_json: bool, verbose: bool
    ) -> None:
        if as_json:
            print_json(
                {
                    "files": written,
                    "failed": failed,
                    "finished": [str(job.target) for job in self.finished],
                    "model": self.upscaler.name,
                    "scale": self.upscaler.scale,
                    "precision": self.upscaler.precision,
                    "device": str(self.upscaler.runner.device),
                    "backend": self.upscaler.runner.backend,
                    "seconds": self.cost.seconds,
                    "peak_memory_bytes": self.cost.peak_memory,
                }
            )
        for failure in failed:
            say(f"error: {failure['error']}")
        if failed:
            what = "files" if any(is_video_path(job.source) for job in self.jobs) else "pictures"
            say(f"{len(written)} of {len(self.jobs)} {what} are enlarged")
        if verbose:
            say(self.cost.line())
        if failed:
            raise typer.Exit(1)


class PartsDifferError(LimnerError):
    """What must never be; a bug of ours, found by --verify."""

    exit_code = 1


def _record(job: Job, width: int, height: int, seconds: float) -> Record:
    return {
        "source": str(job.source),
        "output": str(job.target),
        "width": width,
        "height": height,
        "seconds": round(seconds, 3),
    }


def _check_together(options: Options, found: Sequence[Found]) -> None:
    """Refuse options that contradict each other, or that what was found has no use for."""
    if options.force and options.resume:
        raise LimnerError("--force makes all anew and --resume what is missing: leave one of them out")
    videos = [one.path for one in found if is_video_path(one.path)]
    if options.crf is not None and not videos:
        raise LimnerError("--crf is for videos, and there is none: leave it out, or pass --quality for photos")
    for name, given in (("--format", options.format), ("--quality", options.quality), ("--compare", options.compare)):
        if given and videos:
            raise LimnerError(f"{name} is for photos, and {videos[0]} is a video: enlarge it without {name}")


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
