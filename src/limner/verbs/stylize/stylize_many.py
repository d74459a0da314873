"""What `media.many_files` does with each photo that a network paints in one pass."""

from collections.abc import Mapping
from typing import Any

from limner.files.image import MOST_PIXELS, Picture, read_header
from limner.media.inputs import fits, num_pixels
from limner.media.many_files import Observer, Worker
from limner.media.outputs import Job
from limner.verbs.stylize.any_painter import AnyPainter
from limner.verbs.stylize.network_painter import Painter
from limner.verbs.stylize.stylize_file import paint_file

BYTES_PER_PIXEL = 160
"""Of a photo, that it and its painting take on their way through memory: measured, where colours are kept."""


class PaintWorker(Worker):
    """Paints photos in memory, and large ones part by part.

    Args of the constructor:
        painter: Ready.
        quality: Of JPEG, WebP and AVIF.
        max_pixels: Of a photo that is read; None for any.
        overwrite: Whether files that are there may be replaced.
    """

    def __init__(
        self,
        painter: Painter | AnyPainter,
        *,
        quality: int | None = None,
        max_pixels: int | None = MOST_PIXELS,
        overwrite: bool = False,
    ) -> None:
        super().__init__(quality=quality, max_pixels=max_pixels, overwrite=overwrite)
        self.painter = painter

    def is_alone(self, job: Job) -> bool:
        """A photo that memory does not hold; one that is made smaller first is always read whole."""
        if self.painter.size is not None or self.painter.needs_whole:
            return False
        pixels = num_pixels(job.source)
        return pixels > MOST_PIXELS or not fits(BYTES_PER_PIXEL * pixels, self.painter.memory)

    def is_light(self, job: Job) -> bool:
        """A photo that leaves memory for another one."""
        header = read_header(job.source)
        return self.painter.is_light(header.height, header.width)

    def work(self, job: Job, picture: Picture, observer: Observer) -> Picture:
        """Paint a photo."""
        return self.painter.paint_picture(picture, observer.part_done)

    def work_alone(self, job: Job, observer: Observer) -> tuple[int, int, Mapping[str, Any]]:
        """Paint a large photo from file to file."""
        header = read_header(job.source)
        width, height = paint_file(
            self.painter.for_size(header.height, header.width),
            job.source,
            job.target,
            max_pixels=self.max_pixels,
            on_progress=observer.part_done,
            on_note=lambda text: observer.note(f"note: {text}"),
            overwrite=self.overwrite,
            quality=self.quality,
        )
        return width, height, {}
