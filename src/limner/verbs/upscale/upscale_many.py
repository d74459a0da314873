"""What `media.many_files` does with each photo and each video that is to be enlarged."""

from collections.abc import Mapping
from typing import Any

from limner.catalog.models import find
from limner.errors import LimnerError
from limner.files.image import MOST_PIXELS, Picture, read_header, write_image
from limner.files.video import is_video_path
from limner.media.inputs import fits, num_pixels
from limner.media.many_files import Observer, Worker
from limner.media.outputs import Job
from limner.runtime.memory import default_budget
from limner.verbs.upscale.before_after import before_after
from limner.verbs.upscale.upscale import Upscaler
from limner.verbs.upscale.upscale_file import enlarge_file
from limner.verbs.upscale.upscale_video import enlarge_video

BYTES_PER_PIXEL = 48
"""Of what the network makes, that a picture takes on its way through memory: four RGB pictures of 32-bit floats."""

MOST_APART = 1e-4
"""By which a picture in parts may differ from the whole, in float32."""


class PartsDifferError(LimnerError):
    """What must never be; a bug of ours, found by --verify."""

    exit_code = 1


class UpscaleWorker(Worker):
    """Enlarges photos in memory, large photos strip by strip, and videos frame by frame.

    Args of the constructor:
        upscaler: Ready.
        quality: Of JPEG, WebP and AVIF.
        crf: Of videos: less is better and larger.
        max_pixels: Of a photo or a frame that is read; None for any.
        overwrite: Whether files that are there may be replaced.
        resume: Whether the strips of a large photo go on where an earlier run was stopped.
        explain: Whether the observer gets a note on how each photo is cut.
        verify: Whether the middle of each photo is run in parts and whole, and the two compared.
    """

    def __init__(
        self,
        upscaler: Upscaler,
        *,
        quality: int | None = None,
        crf: int | None = None,
        max_pixels: int | None = MOST_PIXELS,
        overwrite: bool = False,
        resume: bool = False,
        explain: bool = False,
        verify: bool = False,
    ) -> None:
        super().__init__(quality=quality, max_pixels=max_pixels, overwrite=overwrite, scale=upscaler.scale)
        self.upscaler, self.crf, self.resume, self.explain, self.verify = upscaler, crf, resume, explain, verify

    def is_alone(self, job: Job) -> bool:
        """A video, or a photo that memory does not hold."""
        if is_video_path(job.source):
            return True
        whole = BYTES_PER_PIXEL * self.upscaler.network_scale**2 * num_pixels(job.source)
        return not (fits(whole, self.upscaler.runner.memory) or self.upscaler.runner.tile)

    def is_light(self, job: Job) -> bool:
        """A photo that leaves memory for another one, and is not compared."""
        if self.verify or job.comparison is not None:
            return False
        header = read_header(job.source)
        return self.upscaler.is_light(header.height, header.width)

    def work(self, job: Job, picture: Picture, observer: Observer) -> Picture:
        """Enlarge a photo.

        Raises:
            PartsDifferError: If `verify` finds that its parts differ from the whole.
        """
        name = job.source.name
        if self.explain:
            first, *rows = self.upscaler.explain(picture.height, picture.width).splitlines()
            for line in (f"{name}: {first}", *rows):
                observer.note(line)
        if self.verify:
            apart = self.upscaler.verify(picture)
            observer.note(
                f"{name}: in parts and whole at most {apart:.1e} apart, in float32, on the middle of the photo"
            )
            if apart > MOST_APART:
                raise PartsDifferError(
                    f"{name}: parts differ from the whole by {apart:.1e}, more than {MOST_APART:.0e}"
                )
        return self.upscaler.enlarge_picture(picture, observer.part_done)

    def finish(self, job: Job, picture: Picture, result: Picture) -> Mapping[str, Any]:
        """Write the before/after picture, where one is wanted."""
        if job.comparison is None:
            return {}
        sheet = before_after(picture, result, self.scale, label=find(self.upscaler.header.system).title)
        write_image(job.comparison, sheet, overwrite=self.overwrite)
        return {"compare": str(job.comparison)}

    def work_alone(self, job: Job, observer: Observer) -> tuple[int, int, Mapping[str, Any]]:
        """Enlarge a video or a large photo from file to file."""
        if is_video_path(job.source):
            video = enlarge_video(
                self.upscaler,
                job.source,
                job.target,
                crf=self.crf,
                max_pixels=self.max_pixels,
                overwrite=self.overwrite,
                on_progress=observer.part_done,
                on_note=lambda text: observer.note(f"note: {text}"),
            )
            return video.width, video.height, {"frames": video.num_frames}
        if job.comparison:
            raise LimnerError(f"{job.source}: is too large to be compared in memory: leave out --compare")
        if self.explain:
            name = job.source.name
            observer.note(f"{name}: read, enlarged and written in strips, for the whole does not fit into the memory")
        width, height = enlarge_file(
            self.upscaler,
            job.source,
            job.target,
            memory=self.upscaler.runner.memory or default_budget(),
            max_pixels=self.max_pixels,
            on_progress=observer.part_done,
            on_note=lambda text: observer.note(f"note: {text}"),
            resume=self.resume,
            overwrite=self.overwrite,
            quality=self.quality,
        )
        return width, height, {}
