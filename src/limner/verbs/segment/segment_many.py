"""What `media.many_files` does with each photo that is to be segmented."""

from collections.abc import Mapping
from typing import Any

from limner.files.image import MOST_PIXELS, Picture, read_image
from limner.files.visible import visible_tensor
from limner.media.many_files import Observer, Worker
from limner.media.outputs import Job
from limner.verbs.segment.results import Wanted, write_results
from limner.verbs.segment.segmenter import Segmentation, Segmenter


class SegmentWorker(Worker):
    """Segments photos, one at a time.

    Args of the constructor:
        segmenter: Ready.
        wanted: What is written of each photo.
        max_pixels: Of a photo that is read; None for any.
        overwrite: Whether files that are there may be replaced.
    """

    def __init__(
        self,
        segmenter: Segmenter,
        wanted: Wanted,
        *,
        max_pixels: int | None = MOST_PIXELS,
        overwrite: bool = False,
    ) -> None:
        super().__init__(max_pixels=max_pixels, overwrite=overwrite)
        self.segmenter, self.wanted = segmenter, wanted

    def is_alone(self, job: Job) -> bool:
        """All: what is written is not a picture like the photo."""
        return True

    def work(self, job: Job, picture: Picture, observer: Observer) -> Picture:
        """Never asked."""
        raise AssertionError("all photos are alone")

    def work_alone(self, job: Job, observer: Observer) -> tuple[int, int, Mapping[str, Any]]:
        """Segment a photo and write what is wanted of it."""
        picture = read_image(job.source, max_pixels=self.max_pixels)
        for note in picture.notes:
            observer.note(f"note: {note}")
        image = visible_tensor(picture)
        found = self.segmenter.segment(image, observer.part_done)
        number = write_results(job.target, found, image, self.wanted, dpi=picture.dpi, overwrite=self.overwrite)
        facts: dict[str, Any] = {"shares": _shares(found)} | ({} if number is None else {"num_objects": number})
        paths = self.wanted.paths(job.target)
        return picture.width, picture.height, facts | {what: str(path) for what, path in paths.items()}


def _shares(found: Segmentation) -> dict[str, float]:
    """Of the picture, by class."""
    return {name: round(float((found.labels == number).mean()), 6) for number, name in enumerate(found.names)}
