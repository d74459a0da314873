"""What `media.many_files` does with each photo that is to be segmented."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from limner.files.image import MOST_PIXELS, Picture, from_tensor, read_image, to_tensor, write_image
from limner.files.indexed import write_bands, write_indexed, write_numbers
from limner.files.visible import visible_tensor
from limner.media.many_files import Observer, Worker
from limner.media.outputs import Job
from limner.verbs.segment.objects import measured, numbered, write_outlines, write_table
from limner.verbs.segment.segment import overlay, segmented_path
from limner.verbs.segment.segmenter import Segmentation, Segmenter


@dataclass(frozen=True)
class Wanted:
    """What is written of each photo beside the classes of its pixels.

    Attributes:
        overlay: The photo with the classes over it.
        probabilities: A TIFF with a page of 32-bit floats for each class.
        objects: The objects by number, as a PNG of 16 bits, and a table of them.
        contours: The outlines of the objects, as such a file.
    """

    overlay: bool = False
    probabilities: bool = False
    objects: bool = False
    contours: Literal["svg", "geojson"] | None = None

    def paths(self, job: Job) -> dict[str, Any]:
        """Where each of them goes, beside the classes."""
        place = job.target.with_name(job.source.name)
        found = {
            "overlay": self.overlay and segmented_path(place, "overlay"),
            "probabilities": self.probabilities and segmented_path(place, "probabilities", ".tif"),
            "objects": self.objects and segmented_path(place, "objects"),
            "table": self.objects and segmented_path(place, "objects", ".csv"),
            "contours": self.contours and segmented_path(place, "contours", f".{self.contours}"),
        }
        return {name: path for name, path in found.items() if path}


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
        found = self.segmenter.segment(visible_tensor(picture), observer.part_done)
        paths = self.wanted.paths(job)
        write_indexed(job.target, found.labels, found.colors, overwrite=self.overwrite)
        facts: dict[str, Any] = {"shares": _shares(found)}
        if "overlay" in paths:
            shown = from_tensor(overlay(visible_tensor(picture), found), like=_in_color(picture))
            write_image(paths["overlay"], shown, overwrite=self.overwrite)
        if "probabilities" in paths:
            write_bands(paths["probabilities"], found.probabilities, overwrite=self.overwrite)
        if self.wanted.objects or self.wanted.contours:
            facts["objects"] = self._write_objects(paths, found, picture)
        return picture.width, picture.height, facts | {name: str(path) for name, path in paths.items()}

    def _write_objects(self, paths: Mapping[str, Any], found: Segmentation, picture: Picture) -> int:
        numbers, names = numbered(found)
        if "objects" in paths:
            write_numbers(paths["objects"], numbers, overwrite=self.overwrite)
            gray = to_tensor(picture)[0].mean(0).numpy()
            write_table(paths["table"], measured(numbers, names, gray), overwrite=self.overwrite)
        if "contours" in paths:
            write_outlines(paths["contours"], found, numbers, names, overwrite=self.overwrite)
        return len(names)


def _shares(found: Segmentation) -> dict[str, float]:
    """Of the picture, by class."""
    return {name: round(float((found.labels == number).mean()), 6) for number, name in enumerate(found.names)}


def _in_color(picture: Picture) -> Picture:
    """What a coloured picture over a photo is like: sRGB of 8 bits without transparency, as dense as the photo."""
    return Picture(np.zeros((1, 1, 3), np.uint8), dpi=picture.dpi)
