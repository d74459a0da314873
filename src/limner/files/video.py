"""Videos: what their files are called, how colours are coded in them, and one frame."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from limner.errors import LimnerError
from limner.files.picture import Samples

VIDEO_SUFFIXES = frozenset((".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi"))
"""What can be read, in lower case and with the dot."""

WRITTEN_SUFFIXES = VIDEO_SUFFIXES - {".avi"}
"""What can be written: AVI holds no times of frames."""


class Frame(NamedTuple):
    """One picture of a video, and when it is shown.

    Attributes:
        pixels: (height, width, 3) RGB, upright; uint8, or uint16 where the video has more than 8 bits.
        pts: When it is shown, in units of the video's time base.
        duration: How long, in the same unit; 0 where the file does not say.
    """

    pixels: Samples
    pts: int
    duration: int


@dataclass(frozen=True)
class Colour:
    """What the numbers of a video mean as colour, as ITU-T H.273 numbers it; 2 is unspecified.

    Attributes:
        primaries: Section 8.1: 1 is BT.709.
        transfer: Section 8.2: 1 is BT.709, 16 is PQ, 18 is HLG.
        matrix: From RGB to luma and chroma, section 8.3: 1 is BT.709, 5 and 6 are BT.601, 9 is BT.2020. Never 2.
        full_range: Whether black is 0 and white the largest number; else they are 16 and 235 of 255.
    """

    primaries: int
    transfer: int
    matrix: int
    full_range: bool

    @property
    def matrix_name(self) -> str:
        """The matrix in FFmpeg's words."""
        return MATRICES[self.matrix]


MATRICES = {1: "bt709", 4: "fcc", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 9: "bt2020"}
"""Those that are converted from and to RGB, in the words of FFmpeg's scale filter."""


def is_video_path(path: str | os.PathLike[str]) -> bool:
    """Whether the name says video; the file itself is not looked at."""
    return Path(path).suffix.lower() in VIDEO_SUFFIXES


def written_suffix(path: Path) -> str:
    """The suffix of a video that is made from this one: its own, but .mkv for .avi."""
    return path.suffix if path.suffix.lower() in WRITTEN_SUFFIXES else ".mkv"


def import_av() -> Any:
    """PyAV.

    Raises:
        LimnerError: If it is not installed.
    """
    try:
        import av
    except ImportError:
        raise LimnerError("video needs the video extra: pip install '.[video]' in the folder of Limner") from None
    return av


@contextmanager
def telling(path: Path, what: str) -> Iterator[None]:
    """Make FFmpeg's errors one line that starts with the path and ends with the reason and the mend.

    Args:
        path: Of the video.
        what: What is wrong with it; `{}` in it becomes FFmpeg's own words.
    """
    av = import_av()
    try:
        yield
    except av.error.FFmpegError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise LimnerError(f"{path}: {what.format(reason)}") from error
