"""What moves: a video, or pictures in order; drawn at the size that they are worked on, and written as they were."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from jaxtyping import Float
from torch import Tensor

from limner.arguments import REPLACE
from limner.errors import LimnerError
from limner.files.image import (
    READ_SUFFIXES,
    Picture,
    check_header,
    from_tensor,
    read_image,
    to_tensor,
    write_image,
)
from limner.files.video import is_video_path, written_suffix
from limner.files.video_reader import open_video
from limner.files.video_writer import VideoWriter
from limner.files.visible import visible_tensor
from limner.media.any_picture import picture_of
from limner.media.frame_folder import FrameFolder
from limner.media.names import Naming
from limner.ops.resample import imresize
from limner.types import Image

OnNote: TypeAlias = Callable[[str], None]
Painted: TypeAlias = Callable[[int], Image]
"""From the index of a frame to what it has become."""

_SOURCE = "source"
_PARTS = re.compile(r"(\d+)")


class Footage(Protocol):
    """Frames of one size in the order in which they are shown.

    Attributes:
        size: Height and width at which they are worked on, in pixels.
        bit_depth: 8 or 16.
        identity: What tells it from others, as JSON holds it.
        num_frames: Known once they are unpacked.
    """

    size: tuple[int, int]
    bit_depth: int
    identity: Any
    num_frames: int

    def unpack(self, folder: FrameFolder) -> None:
        """Make all frames ready to be drawn in any order."""

    def frame(self, index: int) -> Image:
        """One frame at the working size."""

    def check(self, target: Path, *, crf: int | None, overwrite: bool) -> None:
        """Refuse what cannot be written.

        Raises:
            LimnerError: If the place, its suffix or the rate factor will not do.
        """

    def writing(self, target: Path, *, crf: int | None, overwrite: bool, on_note: OnNote) -> Any:
        """A context whose value writes all frames, given what they have become; refuses at once what cannot be."""


def open_footage(source: Path | Sequence[Path], longest: int | None) -> Footage:
    """A video, a folder of pictures, or pictures.

    Args:
        source: Pictures are taken in the order of their names, where numbers count as numbers.
        longest: Of the sides at which the frames are worked on, in pixels; None keeps them, and none is enlarged.

    Raises:
        LimnerError: If it cannot be read, or the pictures are not of one size.
    """
    if isinstance(source, Path) and source.is_dir():
        pictures = [
            path for path in source.iterdir() if path.suffix.lower() in READ_SUFFIXES and not path.name.startswith(".")
        ]
        if not pictures:
            raise LimnerError(f"{source}: the folder holds no pictures: name a folder of frames, or a video")
        return PictureFootage(in_order(pictures), longest)
    if isinstance(source, Path):
        return VideoFootage(source, longest)
    return PictureFootage(in_order(source), longest)


def in_order(paths: Sequence[Path]) -> list[Path]:
    """Sorted by name, `frame2` before `frame10`."""
    return sorted(paths, key=lambda path: [int(part) if part.isdecimal() else part for part in _PARTS.split(path.name)])


def footage_path(source: Path | Sequence[Path], naming: Naming) -> Path:
    """Where the result goes by default: `clip.mp4` -> `clip_mosaic.mp4`, `frames/` -> `frames_mosaic/`."""
    if isinstance(source, Path) and not source.is_dir():
        return naming.path(source, written_suffix(source))
    folder = source if isinstance(source, Path) else source[0].parent
    folder = folder if folder.name not in ("", "..") else folder.resolve()
    return folder.with_name(naming.name(folder.name))


class PictureFootage:
    """Pictures in order; what they become is PNG files of their names in a folder, with their transparency."""

    def __init__(self, paths: Sequence[Path], longest: int | None) -> None:
        headers = [check_header(path) for path in paths]
        for path, header in zip(paths, headers, strict=True):
            if (header.width, header.height) != (headers[0].width, headers[0].height):
                raise LimnerError(
                    f"{path}: all frames must be of one size, got {header.width}x{header.height} after "
                    f"{headers[0].width}x{headers[0].height}: resize or leave out those that differ"
                )
        names = [path.stem for path in paths]
        if len(set(names)) < len(names):
            raise LimnerError(f"{paths[0]}: two frames have one name without their suffix: rename one of them")
        self.paths, self.num_frames = list(paths), len(paths)
        self.size = fitted(headers[0].height, headers[0].width, longest)
        self.bit_depth = max(header.read_bit_depth for header in headers)
        self.identity = {str(path.absolute()): _bytes_and_time(path) for path in paths}

    def unpack(self, folder: FrameFolder) -> None:
        """They lie ready."""

    def frame(self, index: int) -> Image:
        """One picture at the working size, without transparency."""
        return at_size(visible_tensor(read_image(self.paths[index])), self.size)

    def check(self, target: Path, *, crf: int | None, overwrite: bool) -> None:
        """Refuse what is no folder for them."""
        if crf is not None:
            raise LimnerError("crf is for videos, and these are pictures: leave it out")
        if target.suffix.lower() in READ_SUFFIXES or is_video_path(target) or target.is_file():
            raise LimnerError(f"{target}: pictures are written into a folder: name one, for instance {target.stem}/")
        there = [place for place in self._places(target) if place.exists()]
        if there and (not overwrite or any(place.samefile(path) for place in there for path in self.paths)):
            raise LimnerError(f"{there[0]}: is already there: {REPLACE}, or name another with --output or --name")
        if not target.absolute().parent.is_dir():
            raise LimnerError(f"{target}: the folder {target.absolute().parent} is not there: make it first")

    def _places(self, target: Path) -> list[Path]:
        return [target / f"{path.stem}.png" for path in self.paths]

    @contextmanager
    def writing(
        self, target: Path, *, crf: int | None, overwrite: bool, on_note: OnNote
    ) -> Iterator[Callable[[Painted], None]]:
        """Into a folder, each file whole or not at all."""
        self.check(target, crf=crf, overwrite=overwrite)

        def write(painted: Painted) -> None:
            target.mkdir(exist_ok=True)
            for index, (path, place) in enumerate(zip(self.paths, self._places(target), strict=True)):
                write_image(place, picture_of(painted(index), read_image(path)), overwrite=overwrite)

        yield write


class VideoFootage:
    """A video; what it becomes is a video with its audio, times and colours, as `VideoWriter` says."""

    def __init__(self, path: Path, longest: int | None) -> None:
        self.video = open_video(path)
        self.size = fitted(self.video.height, self.video.width, longest, multiple=2)
        self.bit_depth = 8 if self.video.bit_depth <= 8 else 16
        self.identity = {str(path.absolute()): _bytes_and_time(path)}
        self.num_frames = self.video.num_frames

    @property
    def rate(self) -> Fraction:
        """Frames a second."""
        return self.video.rate

    def unpack(self, folder: FrameFolder) -> None:
        """Keep all frames in a folder; those that are there stay."""
        self._folder, count = folder, 0
        for count, frame in enumerate(self.video, start=1):
            if not folder.has(_SOURCE, count - 1):
                folder.write(_SOURCE, count - 1, at_size(to_tensor(Picture(frame.pixels)), self.size))
        self.num_frames = count

    def frame(self, index: int) -> Image:
        """One frame at the working size."""
        return self._folder.read(_SOURCE, index)

    def check(self, target: Path, *, crf: int | None, overwrite: bool) -> None:
        """Refuse what is no video to write."""
        self._writer(target, crf, overwrite)

    def _writer(self, target: Path, crf: int | None, overwrite: bool) -> VideoWriter:
        height, width = self.size
        return VideoWriter(target, self.video, width=width, height=height, crf=crf, overwrite=overwrite)

    @contextmanager
    def writing(
        self, target: Path, *, crf: int | None, overwrite: bool, on_note: OnNote
    ) -> Iterator[Callable[[Painted], None]]:
        """Into a video that appears when it is whole."""
        with self._writer(target, crf, overwrite) as writer:
            for note in (*self.video.notes, *writer.notes):
                on_note(f"{self.video.path}: {note}")

            def write(painted: Painted) -> None:
                for index, frame in enumerate(self.video):
                    picture = from_tensor(painted(index), like=Picture(frame.pixels))
                    writer.write(frame._replace(pixels=picture.pixels))

            yield write


def fitted(height: int, width: int, longest: int | None, *, multiple: int = 1) -> tuple[int, int]:
    """Height and width whose longer one is `longest` at most, rounded to multiples."""
    scale = 1.0 if longest is None else min(1.0, longest / max(height, width))
    rounded = [max(1, round(scale * side / multiple)) * multiple for side in (height, width)]
    return rounded[0], rounded[1]


def at_size(image: Image, size: tuple[int, int]) -> Float[Tensor, "n 3 H W"]:
    """The picture at a height and width."""
    return image if tuple(image.shape[-2:]) == size else imresize(image, size=size).clamp(0, 1)


def _bytes_and_time(path: Path) -> list[int]:
    """Of a file: its bytes, and when it was changed, in nanoseconds."""
    about = path.stat()
    return [about.st_size, about.st_mtime_ns]
