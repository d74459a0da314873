"""`upscale_video`: enlarge a video, frame by frame."""

from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Literal, TypeVar

from limner.arguments import check_path, model_text
from limner.files.atomic import check_place
from limner.files.picture import Picture, Samples
from limner.files.video import written_suffix
from limner.media.video_frames import WrittenVideo, each_frame
from limner.runtime.run_options import RunOptions
from limner.types import OnProgress, Precision
from limner.verbs.upscale.passes import check_factor
from limner.verbs.upscale.upscale import Upscaler, upscaled_path

OnNote = Callable[[str], None]
"""Called, before the work, with each thing of the video that is not kept."""

PathT = TypeVar("PathT", str, Path)


def upscale_video(
    source: PathT,
    scale: float = 2,
    *,
    output: str | PathLike[str] | None = None,
    model: str | PathLike[str] = "auto",
    device: str = "auto",
    precision: Precision = "fast",
    backend: Literal["auto", "torch", "onnxruntime", "openvino"] = "auto",
    tile: int | None = None,
    memory: int | None = None,
    threads: int | None = None,
    crf: int | None = None,
    overwrite: bool = False,
    on_progress: OnProgress | None = None,
    on_note: OnNote | None = None,
) -> PathT:
    """Enlarge a video and give back where it is: a string for a string, a path for a path.

    Audio, frame times, colour, rotation (as upright frames) and metadata stay; `VideoWriter` says the rest.

    Args:
        source: A video as `files.video_reader.open_video` takes it, such as an MP4.
        scale: Above 1, at most 16; sides are multiplied and rounded, then made even.
        output: An .mp4, .m4v, .mov, .mkv or .webm; None puts it beside the source, as `upscaled_video_path` says.
        model: An embedded model, a weight file, `auto` or `photo`.
        device: `auto`, `cpu`, `cuda` or `mps`.
        precision: `fast` or `exact`.
        backend: What computes on the CPU; `auto` takes the fastest that was measured here.
        tile: Side of a tile in pixels, at least 16: smaller takes less memory.
        memory: Bytes that the process may hold in all; None takes half of what is free.
        threads: Of the CPU; None takes one for each core.
        crf: The rate factor of H.264, 0 to 51: less is better and larger. None takes 17.
        overwrite: Replace an existing output.
        on_progress: Called with how many frames are done, and of how many; these are an estimate in some old files.
        on_note: Called for whatever is not kept.

    Raises:
        LimnerError: If the video cannot be read or written, the options do not fit, or the output is there already.

    Example:
        >>> limner.upscale_video("clip.mp4", 2)  # doctest: +SKIP
        'clip_x2.mp4'
    """
    check_path("source", source)
    model = model_text(model)
    check_factor(scale)
    if output is not None:
        check_path("output", output)
    path = Path(source)
    target = Path(output) if output else upscaled_video_path(path, scale, model)
    check_place(target, overwrite=overwrite)
    options = RunOptions(device=device, precision=precision, backend=backend, tile=tile, memory=memory, threads=threads)
    upscaler = Upscaler(model, scale, options)
    enlarge_video(upscaler, path, target, crf=crf, overwrite=overwrite, on_progress=on_progress, on_note=on_note)
    return type(source)(target)


def enlarge_video(
    upscaler: Upscaler,
    source: Path,
    target: Path,
    *,
    crf: int | None = None,
    max_pixels: int | None = 178_956_970,
    overwrite: bool = False,
    on_progress: OnProgress | None = None,
    on_note: OnNote | None = None,
) -> WrittenVideo:
    """The same with a model that is ready; frames of more than `max_pixels` are refused.

    Raises:
        LimnerError: If the video cannot be read or written.
    """

    def enlarge(pixels: Samples) -> Samples:
        return upscaler.enlarge_picture(Picture(pixels)).pixels

    return each_frame(
        source, target, enlarge, size=upscaler.size, crf=crf, max_pixels=max_pixels, overwrite=overwrite,
        on_progress=on_progress, on_note=on_note,
    )  # fmt: skip


def upscaled_video_path(source: Path, scale: float, model: str = "auto") -> Path:
    """Where an enlarged video goes by default: `clip.mp4` -> `clip_x2.mp4`; an .avi or .ts becomes an .mkv."""
    return upscaled_path(source, scale, model).with_suffix(written_suffix(source))
