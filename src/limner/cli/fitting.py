"""Which pictures memory holds whole, and which are worked on in parts from file to file."""

import contextlib
from pathlib import Path

from limner.errors import LimnerError
from limner.files.image import read_header
from limner.files.video import is_video_path
from limner.files.video_reader import open_video
from limner.processor import resident_bytes
from limner.runtime.memory import default_budget


def num_pixels(path: Path) -> int:
    """Of a photo, or of all frames of a video; 0 if it cannot be read."""
    with contextlib.suppress(LimnerError, OSError):
        if is_video_path(path):
            video = open_video(path, max_pixels=None)
            return video.width * video.height * video.num_frames
        header = read_header(path)
        return header.width * header.height
    return 0


def fits(size: int, memory: int | None) -> bool:
    """Whether this process may hold so many bytes more.

    Args:
        size: In bytes.
        memory: Bytes that it may hold in all; None takes half of what is free.
    """
    return size <= (memory or default_budget()) - resident_bytes()
