"""Videos: what their files are called, how colours are coded in them, and one frame."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from limner.errors import LimnerError
from limner.files.picture import Samples

WRITTEN_SUFFIXES = frozenset((".mp4", ".m4v", ".mov", ".mkv", ".webm"))
"""What can be written, in lower case and with the dot."""

VIDEO_SUFFIXES = WRITTEN_SUFFIXES | frozenset(
    (
        ".3g2", ".3gp", ".asf", ".avi", ".flv", ".m2ts", ".m2v", ".mpeg", ".mpg", ".mts", ".mxf", ".ogv", ".ts", ".vob",
        ".wmv",
    )
)  # fmt: skip
"""What can be read; a file that is there is known by its first bytes, whatever it is called."""

_MATROSKA, _ASF, _MPEG, _MXF = (
    b"\x1a\x45\xdf\xa3",
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",
    b"\0\0\1\xba",
    b"\x06\x0e\x2b\x34",
)
_PICTURES = (b"avif", b"avis", b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"jxl ", b"crx ")
"""Brands of ISO files that hold pictures, and no film."""
_MAY_BE_TEXT = ".ts"  # of a programming language, too


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
    """Whether it is a video by its first bytes; where these say nothing, or there is no such file, by its name.

    What is no ordinary file is not opened: a pipe would wait for its writer.
    """
    path = Path(path)
    named = path.suffix.lower() in VIDEO_SUFFIXES
    try:
        if not path.is_file():
            return named
        with path.open("rb") as file:
            first = file.read(400)
    except (OSError, ValueError):
        return named
    return _begins_a_video(first) or (named and (path.suffix.lower() != _MAY_BE_TEXT or not first))


def _begins_a_video(first: bytes) -> bool:
    if first[4:8] == b"ftyp":
        return first[8:12] not in _PICTURES
    if first.startswith((_MATROSKA, _ASF, _MPEG, _MXF, b"FLV\1", b"OggS")) or first[4:8] in (b"moov", b"wide"):
        return True
    if first[:4] == b"RIFF" and first[8:12] == b"AVI ":
        return True
    sync = b"\x47"  # of packets of MPEG-2 of 188 bytes, or of 192 with a time before each
    return any(
        first[start : start + 1] == first[start + size : start + size + 1] == sync
        for start, size in ((0, 188), (4, 192))
    )


def written_suffix(path: Path) -> str:
    """The suffix of a video that is made from this one: its own, or .mkv where that is not written."""
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
