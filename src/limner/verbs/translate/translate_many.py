"""What `media.many_files` does with each picture and each video that is to be translated."""

from collections.abc import Mapping
from typing import Any

from limner.data.label_colors import is_lossy
from limner.files.image import MOST_PIXELS
from limner.files.picture import Picture, Samples
from limner.files.video import is_video_path
from limner.media.many_files import Observer, Worker
from limner.media.outputs import Job
from limner.media.video_frames import each_frame
from limner.verbs.translate.translator import Translator


class TranslateWorker(Worker):
    """Translates pictures in memory, and videos frame by frame, each frame with the same noise.

    Args of the constructor:
        translator: Ready.
        seed: Of its noise.
        quality: Of JPEG, WebP and AVIF.
        crf: Of videos: less is better and larger.
        max_pixels: Of a picture or a frame that is read; None for any.
        overwrite: Whether files that are there may be replaced.
    """

    def __init__(
        self,
        translator: Translator,
        seed: int = 0,
        *,
        quality: int | None = None,
        crf: int | None = None,
        max_pixels: int | None = MOST_PIXELS,
        overwrite: bool = False,
    ) -> None:
        super().__init__(quality=quality, max_pixels=max_pixels, overwrite=overwrite, scale=translator.scale)
        self.translator, self.seed, self.crf = translator, seed, crf

    def is_alone(self, job: Job) -> bool:
        """A video."""
        return is_video_path(job.source)

    def work(self, job: Job, picture: Picture, observer: Observer) -> Picture:
        """Translate a picture."""
        return self.translator.translate_picture(
            picture, str(job.source), lossy=is_lossy(job.source), seed=self.seed, on_progress=observer.part_done
        )

    def work_alone(self, job: Job, observer: Observer) -> tuple[int, int, Mapping[str, Any]]:
        """Translate a video from file to file."""

        def work(pixels: Samples) -> Samples:
            frame = Picture(pixels)
            return self.translator.translate_picture(frame, str(job.source), lossy=True, seed=self.seed).pixels

        times = self.translator.scale
        video = each_frame(
            job.source, job.target, work, size=lambda height, width: (times * height, times * width), crf=self.crf,
            max_pixels=self.max_pixels, overwrite=self.overwrite, on_progress=observer.part_done,
            on_note=lambda text: observer.note(f"note: {text}"),
        )  # fmt: skip
        return video.width, video.height, {"frames": video.num_frames}
