"""Pictures that follow each other, as an animated GIF or as a video."""

from collections.abc import Sequence
from fractions import Fraction
from os import PathLike
from pathlib import Path

from PIL import Image as PillowImage

from limner.errors import LimnerError
from limner.files.atomic import atomic_path, check_place
from limner.files.picture import Samples
from limner.files.video import WRITTEN_SUFFIXES, import_av, telling

ANIMATION_SUFFIXES = frozenset({".gif", ".mp4"})
"""In lower case and with the dot."""

_CRF = "12"  # small pictures of few frames: quality costs little
_LEAST_SIDE = 2  # of H.264


def is_animation_path(path: str | PathLike[str]) -> bool:
    """Whether the name says that pictures follow each other in it."""
    return Path(path).suffix.lower() in ANIMATION_SUFFIXES


def write_animation(
    path: str | PathLike[str], frames: Sequence[Samples], *, rate: int = 12, overwrite: bool = False
) -> None:
    """Write frames, whole or not at all; a GIF begins anew for ever.

    Args:
        path: .gif or .mp4; H.264 has even sides, so of odd ones the last row or column is left out.
        frames: uint8 (h, w, 3), of one size.
        rate: Frames in a second.
        overwrite: Whether a file that is already there may be replaced.

    Raises:
        LimnerError: If it is there already, its name says another format, or video cannot be written here.
    """
    target = Path(path)
    if not is_animation_path(target):
        raise LimnerError(f"{target}: an animation is a .gif or an .mp4: name it so")
    check_place(target, overwrite=overwrite)
    target.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(target) as temporary:
        if target.suffix.lower() in WRITTEN_SUFFIXES:
            _write_video(temporary, frames, rate)
        else:
            _write_gif(temporary, frames, rate)


def _write_gif(path: Path, frames: Sequence[Samples], rate: int) -> None:
    first, *rest = (PillowImage.fromarray(frame) for frame in frames)
    first.save(path, format="GIF", save_all=True, append_images=rest, duration=round(1000 / rate), loop=0)


def _write_video(path: Path, frames: Sequence[Samples], rate: int) -> None:
    av = import_av()
    height, width = (side - side % _LEAST_SIDE for side in frames[0].shape[:2])
    with telling(path, "the video cannot be written ({}): write a .gif"), av.open(str(path), "w", format="mp4") as file:
        stream = file.add_stream("libx264", rate=Fraction(rate), options={"crf": _CRF})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for frame in frames:
            file.mux(stream.encode(av.VideoFrame.from_ndarray(frame[:height, :width].copy(), format="rgb24")))
        file.mux(stream.encode())
