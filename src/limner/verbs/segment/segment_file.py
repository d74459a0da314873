"""`segment_file`: segment a photo of any size from file to file, in bounded memory."""

from collections.abc import Callable
from pathlib import Path

from limner.errors import LimnerError
from limner.files.bands import bands_of
from limner.files.image import MOST_PIXELS
from limner.files.strips import open_strips
from limner.media.stored_picture import ReadableStored, StoredBands, StoredPicture, VisibleStored
from limner.memory import resident_bytes
from limner.runtime.memory import default_budget
from limner.types import OnProgress
from limner.verbs.segment.findings import StoredFindings
from limner.verbs.segment.results import Results, Wanted, write_results
from limner.verbs.segment.segmenter import Segmenter


def segment_file(
    segmenter: Segmenter,
    source: Path,
    target: Path,
    wanted: Wanted,
    *,
    max_pixels: int | None = MOST_PIXELS,
    on_progress: OnProgress | None = None,
    on_note: Callable[[str], None] = lambda note: None,
    overwrite: bool = False,
) -> Results:
    """Segment the photo in one file into others, part by part; the result is that of the whole photo.

    The samples of the photo, the classes of its pixels and their probabilities wait in temporary files. What
    interrupts the work leaves nothing.

    Args:
        segmenter: Its memory is what this process may hold in all.
        source: A picture; one that does not fit into memory needs the extra `large`, and must be a JPEG, PNG or TIFF.
        target: Of the classes, a .png.
        wanted: Beside them.
        max_pixels: A source of more is refused before it is decoded; None lifts the limit.
        on_progress: Called with how many parts of how many are done.
        on_note: Called, before the work, with what of the picture is not kept.
        overwrite: Whether files that are there may be replaced.

    Raises:
        LimnerError: The source cannot be read, a file is there, several views are wanted, the network does not work in
            parts, or the memory does not do.
    """
    if segmenter.views:
        raise LimnerError(
            f"{source}: eight views need the whole picture in memory: leave them out, or allow more memory"
        )
    wanted.check_places(target, overwrite=overwrite)
    memory = segmenter.runner.memory or default_budget()
    photo, dpi = _stored(source, memory, max_pixels, on_note)
    found = StoredFindings(
        photo, segmenter.names, segmenter.colors, border=segmenter.border, keeps_probabilities=wanted.probabilities
    )  # fmt: skip
    for region, part in segmenter.parts(photo, on_progress):
        found.write(region, part)
    return write_results(target, found, wanted, dpi=dpi, overwrite=overwrite)


def _stored(
    source: Path, memory: int, max_pixels: int | None, on_note: Callable[[str], None]
) -> tuple[ReadableStored, tuple[float, float] | None]:
    """The photo in a temporary file, and its resolution."""
    if bands := bands_of(source):
        return StoredBands(source, bands, max_pixels=max_pixels), None
    with open_strips(source, memory=max(0, memory - resident_bytes()) // 2, max_pixels=max_pixels) as reader:
        for note in reader.frame.notes:
            on_note(note)
        return VisibleStored(StoredPicture.of(reader)), reader.frame.dpi
