"""`segment_video`: what each pixel of a video belongs to, frame by frame, shown over it."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from os import PathLike
from pathlib import Path
from typing import NamedTuple, TypeVar

from limner.arguments import check_path
from limner.errors import LimnerError
from limner.files.atomic import beside, check_place
from limner.files.image import MOST_PIXELS, from_tensor
from limner.files.indexed import write_indexed
from limner.files.picture import Picture, to_tensor
from limner.files.video import Frame, written_suffix
from limner.files.video_reader import open_video
from limner.files.video_writer import VideoWriter
from limner.media.pipeline import run
from limner.runtime.run_options import RunOptions
from limner.types import OnProgress, Precision
from limner.verbs.segment.results import overlay
from limner.verbs.segment.segmenter import Segmentation, Segmenter

OVERLAY = "{stem}_overlay"
"""How videos with their classes are usually called."""

PathT = TypeVar("PathT", str, Path)


class SegmentedVideo(NamedTuple):
    """What was written: the sides in pixels, the number of frames, and the folder of their classes, if any."""

    width: int
    height: int
    num_frames: int
    classes: Path | None


def segment_video(
    source: PathT,
    model: str | PathLike[str],
    *,
    output: str | PathLike[str] | None = None,
    classes: bool = False,
    views: bool = False,
    crf: int | None = None,
    device: str = "auto",
    precision: Precision = "fast",
    memory: int | None = None,
    threads: int | None = None,
    overwrite: bool = False,
    on_progress: OnProgress | None = None,
    on_note: Callable[[str], None] = lambda note: None,
) -> PathT:
    """Show the classes of a video over its frames, and give back where it is: a string for a string, a path for a path.

    Audio, frame times, colour, rotation (as upright frames) and metadata stay; `VideoWriter` says the rest.

    Args:
        source: An MP4, MOV, Matroska, WebM or AVI.
        model: The name of an embedded model, a path to a weight file, or the folder of a run.
        output: An .mp4, .m4v, .mov, .mkv or .webm; None puts it beside the source, as `<name>_overlay`.
        classes: Write the classes of each frame too, as PNG files in a folder, as `segment` writes them.
        views: Take the mean over eight positions of each frame: slower and better.
        crf: The rate factor of H.264, 0 to 51: less is better and larger. None takes 17.
        device: `auto`, `cpu`, `cuda` or `mps`.
        precision: `fast` or `exact`.
        memory: Bytes that the process may hold in all; None takes half of what is free.
        threads: Of the CPU; None takes one for each core.
        overwrite: Replace existing outputs.
        on_progress: Called with how many frames are done, and of how many; these are an estimate in some old files.
        on_note: Called for whatever is not kept.

    Raises:
        LimnerError: If the video cannot be read or written, there is no such model, or an output is there.

    Example:
        >>> limner.segment_video("drive.mp4", "runs/unet")  # doctest: +SKIP
        'drive_overlay.mp4'
    """
    check_path("source", source)
    if output is not None:
        check_path("output", output)
    path = Path(source)
    target = Path(output) if output else path.with_name(OVERLAY.format(stem=path.stem) + written_suffix(path))
    check_places(target, classes=classes, overwrite=overwrite)
    options = RunOptions(device=device, precision=precision, memory=memory, threads=threads)
    mark_video(
        Segmenter(str(model), options, views=views), path, target,
        classes=classes, crf=crf, overwrite=overwrite, on_progress=on_progress, on_note=on_note,
    )  # fmt: skip
    return type(source)(target)


def mark_video(
    segmenter: Segmenter,
    source: Path,
    target: Path,
    *,
    classes: bool = False,
    crf: int | None = None,
    max_pixels: int | None = MOST_PIXELS,
    overwrite: bool = False,
    on_progress: OnProgress | None = None,
    on_note: Callable[[str], None] = lambda note: None,
) -> SegmentedVideo:
    """The same with a model that is ready; frames of more than `max_pixels` are refused.

    Raises:
        LimnerError: If the video cannot be read or written.
    """
    check_places(target, classes=classes, overwrite=overwrite)
    video, done = open_video(source, max_pixels=max_pixels), 0
    with (
        VideoWriter(target, video, width=video.width, height=video.height, crf=crf, overwrite=overwrite) as writer,
        _folder(classes_folder(target) if classes else None) as folder,
    ):
        for note in (*video.notes, *writer.notes):
            on_note(f"{source}: {note}")

        def write(marked: tuple[Frame, Segmentation]) -> None:
            writer.write(marked[0])
            if folder:
                _write_classes(folder / f"{done + 1:06}.png", marked[1])

        with closing(run(video, lambda frame: frame, lambda frame: _marked(segmenter, frame), write)) as outcomes:
            for outcome in outcomes:
                outcome.get()
                done += 1
                if on_progress:
                    on_progress(done, max(done, video.num_frames))
    return SegmentedVideo(writer.width, writer.height, done, classes_folder(target) if classes else None)


def _marked(segmenter: Segmenter, frame: Frame) -> tuple[Frame, Segmentation]:
    picture = Picture(frame.pixels)
    image = to_tensor(picture)
    found = segmenter.segment(image)
    return frame._replace(pixels=from_tensor(overlay(image, found.labels, found.colors), like=picture).pixels), found


def _write_classes(path: Path, found: Segmentation) -> None:
    write_indexed(path, found.labels.shape, lambda start, stop: found.labels[start:stop], found.colors)


def classes_folder(target: Path) -> Path:
    """Where the classes of a video's frames lie.

    >>> classes_folder(Path("out/drive_overlay.mp4")).as_posix()
    'out/drive_classes'
    """
    return target.with_name(f"{target.stem.removesuffix('_overlay')}_classes")


def check_places(target: Path, *, classes: bool, overwrite: bool) -> None:
    """Refuse places that nothing can be written to, before the work.

    Raises:
        LimnerError: If a file or a folder is there.
    """
    check_place(target, overwrite=overwrite)
    if classes and (folder := classes_folder(target)).exists() and not (overwrite and folder.is_dir()):
        raise LimnerError(f"{folder}: is already there: pass --force (overwrite=True) to replace it, or move it")


@contextmanager
def _folder(place: Path | None) -> Iterator[Path | None]:
    """A folder that appears when it is whole."""
    if place is None:
        yield None
        return
    working = beside(place, f"{place.name}.part")
    shutil.rmtree(working, ignore_errors=True)
    working.mkdir()
    try:
        yield working
        shutil.rmtree(place, ignore_errors=True)
        working.replace(place)
    finally:
        shutil.rmtree(working, ignore_errors=True)
