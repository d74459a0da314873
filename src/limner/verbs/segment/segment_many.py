"""What `media.many_files` does with each photo that is to be segmented."""

from collections.abc import Mapping
from typing import Any

from limner.files.bands import bands_of
from limner.files.image import MOST_PIXELS, Picture, read_image
from limner.files.indexed import MOST_IN_16_BITS
from limner.files.video import is_video_path
from limner.files.visible import bands_tensor, visible_tensor
from limner.media.inputs import fits, num_pixels
from limner.media.many_files import Observer, Worker
from limner.media.outputs import Job
from limner.verbs.segment.findings import HeldFindings
from limner.verbs.segment.results import Results, Wanted, write_results
from limner.verbs.segment.segment_file import segment_file
from limner.verbs.segment.segment_video import mark_video
from limner.verbs.segment.segmenter import Segmenter

_BYTES, _BYTES_BY_CLASS = 48, 12  # of a pixel, of a photo that is segmented whole


class SegmentWorker(Worker):
    """Segments photos, in memory or from file to file where that does not hold them, and videos frame by frame.

    Args of the constructor:
        segmenter: Ready.
        wanted: What is written of each photo.
        classes: Whether the classes of the frames of videos are written beside them.
        crf: Of videos: less is better and larger.
        max_pixels: Of a photo that is read; None for any.
        overwrite: Whether files that are there may be replaced.
    """

    def __init__(
        self,
        segmenter: Segmenter,
        wanted: Wanted,
        *,
        classes: bool = False,
        crf: int | None = None,
        max_pixels: int | None = MOST_PIXELS,
        overwrite: bool = False,
    ) -> None:
        super().__init__(max_pixels=max_pixels, overwrite=overwrite)
        self.segmenter, self.wanted, self.classes, self.crf = segmenter, wanted, classes, crf

    def is_alone(self, job: Job) -> bool:
        """All: what is written is not a picture like the photo."""
        return True

    def work(self, job: Job, picture: Picture, observer: Observer) -> Picture:
        """Never asked."""
        raise AssertionError("all photos are alone")

    def work_alone(self, job: Job, observer: Observer) -> tuple[int, int, Mapping[str, Any]]:
        """Segment a photo or a video and write what is wanted of it."""
        if is_video_path(job.source):
            video = mark_video(
                self.segmenter,
                job.source,
                job.target,
                classes=self.classes,
                crf=self.crf,
                max_pixels=self.max_pixels,
                overwrite=self.overwrite,
                on_progress=observer.part_done,
                on_note=lambda text: observer.note(f"note: {text}"),
            )
            told = {"classes": str(video.classes)} if video.classes else {}
            return video.width, video.height, {"frames": video.num_frames, **told}
        if self._fits(job):
            results = self._whole(job, observer)
        else:
            results = segment_file(
                self.segmenter,
                job.source,
                job.target,
                self.wanted,
                max_pixels=self.max_pixels,
                on_progress=observer.part_done,
                on_note=lambda text: observer.note(f"note: {text}"),
                overwrite=self.overwrite,
            )
        if results.num_objects is not None and results.num_objects > MOST_IN_16_BITS and "objects" in results.paths:
            observer.note(f"{results.paths['objects']}: has 32 bits, for there are {results.num_objects} objects")
        facts: dict[str, Any] = {"shares": results.shares}
        facts |= {} if results.num_objects is None else {"num_objects": results.num_objects}
        height, width = results.size
        return width, height, facts | {what: str(path) for what, path in results.paths.items()}

    def _fits(self, job: Job) -> bool:
        """Whether memory holds all of a photo and of what is found in it."""
        bands = bands_of(job.source)
        pixels = bands.height * bands.width if bands else num_pixels(job.source)
        by_class = _BYTES_BY_CLASS * (2 if self.segmenter.views else 1)
        whole = (_BYTES + by_class * self.segmenter.num_outputs) * pixels
        return fits(whole, self.segmenter.runner.memory)

    def _whole(self, job: Job, observer: Observer) -> Results:
        if bands_of(job.source):
            image, dpi = bands_tensor(job.source, max_pixels=self.max_pixels), None
        else:
            picture = read_image(job.source, max_pixels=self.max_pixels)
            for note in picture.notes:
                observer.note(f"note: {note}")
            image, dpi = visible_tensor(picture), picture.dpi
        found = HeldFindings(self.segmenter.segment(image, observer.part_done), image)
        return write_results(job.target, found, self.wanted, dpi=dpi, overwrite=self.overwrite)
