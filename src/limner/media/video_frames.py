"""A video into a video, frame by frame."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from limner.files.image import MOST_PIXELS
from limner.files.picture import Samples
from limner.files.video import Frame
from limner.files.video_reader import open_video
from limner.files.video_writer import VideoWriter
from limner.media.pipeline import run
from limner.types import OnProgress


class WrittenVideo(NamedTuple):
    """What was written: the sides in pixels, and the number of frames."""

    width: int
    height: int
    num_frames: int


def each_frame(
    source: Path,
    target: Path,
    work: Callable[[Samples], Samples],
    *,
    size: Callable[[int, int], tuple[int, int]] = lambda height, width: (height, width),
    crf: int | None = None,
    max_pixels: int | None = MOST_PIXELS,
    overwrite: bool = False,
    on_progress: OnProgress | None = None,
    on_note: Callable[[str], None] | None = None,
) -> WrittenVideo:
    """Change each frame of a video; audio, frame times, colour and metadata stay, as `VideoWriter` says.

    Args:
        source: A video.
        target: Where the result goes.
        work: From the pixels (h, w, 3) of a frame to those of the result.
        size: From rows and columns of a frame to those of the result.
        crf: The rate factor of H.264, 0 to 51; None takes 17.
        max_pixels: Larger frames are refused; None lifts the limit.
        overwrite: Replace an existing target.
        on_progress: Called with how many frames are done, and of how many; these are an estimate in some old files.
        on_note: Called, before the work, with what is not kept.

    Raises:
        LimnerError: If the video cannot be read or written.
    """
    video = open_video(source, max_pixels=max_pixels)
    height, width = size(video.height, video.width)

    def worked(frame: Frame) -> Frame:
        return frame._replace(pixels=work(frame.pixels))

    done = 0
    with VideoWriter(target, video, width=width, height=height, crf=crf, overwrite=overwrite) as writer:
        if on_note:
            for note in (*video.notes, *writer.notes):
                on_note(f"{source}: {note}")
        with closing(run(video, _as_it_is, worked, writer.write)) as outcomes:
            for outcome in outcomes:
                outcome.get()
                done += 1
                if on_progress:
                    on_progress(done, max(done, video.num_frames))
    return WrittenVideo(writer.width, writer.height, done)


def _as_it_is(frame: Frame) -> Frame:
    """Drawing a frame has decoded it already."""
    return frame
