"""`paint_file`: paint a photo of any size from file to file, in bounded memory."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from torch import Tensor

from limner.files.image import MOST_PIXELS, from_tensor, losses
from limner.files.strip_writer import StripWriter
from limner.files.strips import open_strips
from limner.media.any_picture import has_no_color, in_color, in_gray
from limner.media.stored_picture import StoredPicture, VisibleStored
from limner.memory import resident_bytes
from limner.ops.framing import padded_to
from limner.ops.luminance_alone import luma_of
from limner.runtime.memory import default_budget
from limner.runtime.operators import Region, Span, crop
from limner.types import OnProgress
from limner.verbs.stylize.network_inputs import NetworkInput
from limner.verbs.stylize.network_painter import Painter


def paint_file(
    painter: Painter,
    source: Path,
    target: Path,
    *,
    max_pixels: int | None = MOST_PIXELS,
    on_progress: OnProgress | None = None,
    on_note: Callable[[str], None] = lambda note: None,
    overwrite: bool = False,
    quality: int | None = None,
) -> tuple[int, int]:
    """Paint the photo in one file into another, part by part; the result is that of the whole photo.

    The samples of the photo and of the painting wait in temporary files; so does what the network keeps between its
    passes, where memory does not hold it. What interrupts the work leaves nothing.

    Args:
        painter: Without a size of its own; its memory is what this process may hold in all.
        source: A picture; one that does not fit into memory needs the extra `large`, and must be a JPEG, PNG or TIFF.
        target: Its suffix names the format. A TIFF, PNG or JPEG may be larger than memory.
        max_pixels: A source of more is refused before it is decoded; None lifts the limit.
        on_progress: Called with how many parts of how many are done.
        on_note: Called, before the work, with what of the picture is not kept.
        overwrite: Whether a target that is there may be replaced.
        quality: As for `write_image`.

    Returns:
        Width and height of the result, in pixels.

    Raises:
        LimnerError: The source cannot be read, the target not be written, the network not work in parts, or the
            memory does not do.
    """
    assert painter.size is None
    budget = max(0, (painter.runner.memory or default_budget()) - resident_bytes())

    writer = partial(StripWriter, target, asked={}, memory=budget, quality=quality, overwrite=overwrite, keeps=False)
    with open_strips(source, memory=budget // 2, max_pixels=max_pixels) as reader:
        trial = writer(
            in_color(reader.frame), (reader.height, reader.width)
        )  # what cannot be written is refused before the work
        trial.discard()
        for note in (*reader.frame.notes, *losses(target, reader.frame)):
            on_note(note)
        photo = StoredPicture.of(reader)
    painted = StoredPicture(replace(in_color(photo.frame), alpha=None), photo.size)
    has_color = _paint(painter, photo, painted, on_progress)
    with writer(in_color(photo.frame) if has_color else photo.frame, photo.size) as file:
        for rows in painted.strips():
            strip = Region(rows, Span(0, photo.size[1]))
            result = replace(painted.read(strip), alpha=photo.read(strip).alpha)
            file.write(in_gray(result, photo.frame.icc_profile) if photo.frame.is_gray and not has_color else result)
        file.finish()
    return photo.size[1], photo.size[0]


class _StoredInput:
    """An input of the network, made of a stored photo as it is read; beyond its borders the last pixels go on."""

    def __init__(self, photo: VisibleStored, made: NetworkInput, size: tuple[int, int]) -> None:
        self.shape = made.port.shape(1, *size)
        self._photo, self._made = photo, made

    def read(self, region: Region) -> Tensor:
        """A part of the input."""
        (top, height), (left, width) = ((span.start, span.length) for span in region)
        if self._made.port.kind == "noise":
            return self._made.part(top, left, height, width)
        seen = (_seen(span, length) for span, length in zip(region, self._photo.size, strict=True))
        part = padded_to(self._photo.read(Region(*seen)), height, width)
        return self._made.part(top, left, height, width, part)


def _seen(span: Span, length: int) -> Span:
    """The pixels of a photo that lie in a span of a padded one; beyond the border that is the last one."""
    return Span(min(span.start, length - 1), min(span.stop, length))


def _paint(painter: Painter, photo: StoredPicture, painted: StoredPicture, on_progress: OnProgress | None) -> bool:
    """Paint all parts; whether any has colour."""
    has_color = False
    visible = VisibleStored(photo)
    sources = [_StoredInput(visible, made, painter.padded_size(*photo.size)) for made in painter.inputs]
    painter.runner.on_tile = on_progress
    for region, part in painter.runner.parts(*sources):
        corner, (rows, columns) = (region.rows.start, region.columns.start), _inside(region, photo.size)
        for some in photo.strips(rows) if columns.length else ():
            place = Region(some, columns)
            made = painter.finish(visible.read(place), crop(part, corner, place))
            made = luma_of(made) if painter.keeps_gray and photo.frame.is_gray else made
            result = from_tensor(made, like=painted.frame)
            has_color = has_color or not has_no_color(result)
            painted.write(place, result)
    return has_color


def _inside(region: Region, size: tuple[int, int]) -> Region:
    """Without what lies beyond the borders of the photo."""
    return Region(*(Span(min(span.start, side), min(span.stop, side)) for span, side in zip(region, size, strict=True)))
