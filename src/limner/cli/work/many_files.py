"""The work of `limner stylize` where a network paints in one pass: one painter, many photos."""

import functools
import time
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby
from typing import Any, TypeAlias

import typer

from limner.cli.cost import Cost
from limner.cli.errors import describe, say
from limner.cli.fitting import fits, num_pixels
from limner.cli.inputs import Found
from limner.cli.outputs import Job, plan_outputs
from limner.cli.printing import print_json
from limner.cli.progress import FileProgress
from limner.files.image import MOST_PIXELS, Picture, check_writable, read_header, read_image, write_image
from limner.media.pipeline import Outcome, run
from limner.runtime.allocator import keep_freed_memory
from limner.verbs.stylize.adain_painter import AdaptivePainter
from limner.verbs.stylize.network_painter import Painter
from limner.verbs.stylize.stylize_file import paint_file

BYTES_PER_PIXEL = 160
"""Of a photo, that it and its painting take on their way through memory: measured, where colours are kept."""

Record: TypeAlias = dict[str, Any]
"""What `--json` says of one file."""


@dataclass
class _Photo:
    """A photo on its way; `seconds` is what its stages have taken."""

    job: Job
    picture: Picture
    seconds: float


class Painting:
    """One call of the command.

    Args of the constructor:
        painter: Ready.
        found: The photos.
        output: A file for one photo, or a folder; None puts each beside its photo, as `photo_stylized.jpg`.
        quality: Of JPEG, WebP and AVIF.
        force: Whether existing files may be replaced.

    Raises:
        LimnerError: If an output cannot be where it should.
    """

    def __init__(
        self,
        painter: Painter | AdaptivePainter,
        found: Sequence[Found],
        *,
        output: str | None,
        quality: int | None = None,
        force: bool = False,
    ) -> None:
        keep_freed_memory(large_blocks=painter.memory is None)
        self.painter, self.quality, self.force, self.cost = painter, quality, force, Cost()
        self.jobs = plan_outputs(found, output=output, ending="stylized", suffix=None, compare=False, force=force)

    def run(self, *, as_json: bool, **facts: Any) -> None:
        """Paint all; one bad file among many is told at the end.

        Args:
            as_json: Print one JSON object at the end.
            facts: Told in it beside the files.

        Raises:
            LimnerError: If the only file is bad.
            typer.Exit: With 1, if one of many is.
        """
        written: list[Record] = []
        failed: list[dict[str, str]] = []
        with FileProgress(len(self.jobs)) as progress, closing(self._outcomes(progress)) as outcomes:
            for outcome in outcomes:
                progress.file_done()
                self._note(outcome, written, failed)
                if not as_json and outcome.error is None:
                    print(f"{outcome.item.target}  {written[-1]['width']}x{written[-1]['height']}", flush=True)
        if as_json:
            cost = {"seconds": self.cost.seconds, "peak_memory_bytes": self.cost.peak_memory}
            print_json({"files": written, "failed": failed, **facts, **cost})
        for failure in failed:
            say(f"error: {failure['error']}")
        if failed:
            say(f"{len(written)} of {len(self.jobs)} photos are painted")
            raise typer.Exit(1)

    def _note(self, outcome: Outcome[Job, Record], written: list[Record], failed: list[dict[str, str]]) -> None:
        if outcome.error is None:
            written.append(outcome.get())
            return
        reason = describe(outcome.error)
        if reason is None or len(self.jobs) == 1:
            raise outcome.error
        failed.append({"source": str(outcome.item.source), "error": reason})

    def _outcomes(self, progress: FileProgress) -> Generator[Outcome[Job, Record]]:
        """What becomes of each job, in order: photos overlap, but large ones are alone in memory."""
        for is_large, jobs in groupby(self.jobs, key=self._is_large):
            if is_large:
                for job in jobs:
                    yield Outcome(job, job).then(functools.partial(self._paint_large, progress=progress))
            else:
                with closing(
                    run(list(jobs), self._read, lambda photo: self._paint(photo, progress), self._write)
                ) as some:
                    yield from some

    def _is_large(self, job: Job) -> bool:
        """Whether a photo is painted from file to file; one that is made smaller first is always read whole."""
        if self.painter.size is not None or self.painter.needs_whole:
            return False
        pixels = num_pixels(job.source)
        return pixels > MOST_PIXELS or not fits(BYTES_PER_PIXEL * pixels, self.painter.memory)

    def _paint_large(self, job: Job, progress: FileProgress) -> Record:
        start = time.perf_counter()
        progress.next_file(job.source.name)
        header = read_header(job.source)
        painter = self.painter.for_size(header.height, header.width)
        size = paint_file(
            painter, job.source, job.target, on_tile=progress.tile, overwrite=self.force, quality=self.quality
        )
        return _record(job, size, start)

    def _read(self, job: Job) -> _Photo:
        start = time.perf_counter()
        picture = read_image(job.source)
        check_writable(job.target, picture, quality=self.quality)
        return _Photo(job, picture, time.perf_counter() - start)

    def _paint(self, photo: _Photo, progress: FileProgress) -> tuple[_Photo, Picture]:
        start = time.perf_counter()
        progress.next_file(photo.job.source.name)
        result = self.painter.paint_picture(photo.picture, progress.tile)
        photo.seconds += time.perf_counter() - start
        return photo, result

    def _write(self, painted: tuple[_Photo, Picture]) -> Record:
        start = time.perf_counter()
        photo, result = painted
        write_image(photo.job.target, result, quality=self.quality, overwrite=self.force)
        return _record(photo.job, (result.width, result.height), start - photo.seconds)


def _record(job: Job, size: tuple[int, int], start: float) -> Record:
    """Of a file of so many columns and rows, that was begun at a time of the clock."""
    return {
        "source": str(job.source),
        "output": str(job.target),
        "width": size[0],
        "height": size[1],
        "seconds": round(time.perf_counter() - start, 3),
    }
