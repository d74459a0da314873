"""Pictures that memory need not hold, written a strip of rows at a time, and resumed where a run was interrupted."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import numpy as np

from limner.errors import LimnerError
from limner.files.atomic import atomic_path, beside, check_place
from limner.files.image import check_writable, prepared, write_image
from limner.files.picture import Picture, Samples
from limner.files.quiet import quiet
from limner.files.space import NoSpaceError, no_space, why_no_space
from limner.files.spool import Spool
from limner.files.strip_jpeg import write_jpeg
from limner.files.strip_png import write_png
from limner.files.strip_tiff import write_tiled_tiff
from limner.files.vips import load_pyvips

_MOST_THREADS = 8
_ALWAYS_STREAMED = (".tif", ".tiff", ".png")
_WITH_LIBVIPS = (".jpg", ".jpeg")
_BYTES_PER_SAMPLE = {".jpg": 4, ".jpeg": 4, ".bmp": 4}  # of 8 bits, while a picture is encoded whole
_BYTES_PER_SAMPLE_ELSE = 16  # WebP and AVIF keep it in several ways


class WorkKept(LimnerError):
    """The work was interrupted, and what is done is kept for a run that resumes it."""

    exit_code = 1


class StripWriter:
    """Writes a picture whose rows come from the top, a strip at a time; the file appears whole or not at all.

    The rows wait in a folder beside it, named after it with `.part`. TIFF (in tiles), PNG, and with the extra `large`
    JPEG are then written in little memory; the others are encoded whole, where that fits. Used as a context: what
    interrupts it leaves the rows where they can be resumed, and says so.

    Args of the constructor:
        path: Where the picture goes; its suffix names the format.
        frame: The picture without its rows: its channels, type, profile and metadata.
        size: Height and width, in pixels.
        asked: What makes the rows, as values that JSON holds: only the same may be resumed.
        memory: Bytes that encoding may take. None: no limit.
        quality: As for `write_image`.
        overwrite: Whether a file that is already there may be replaced.
        resume: Go on with the rows of an interrupted run, where there are some; else they are dropped.
        keeps: Whether the rows of an interrupted run are kept for one that resumes it.

    Raises:
        LimnerError: The format cannot hold the picture, it cannot be encoded in so little memory, the disk is too
            small, or the rows of the interrupted run are of something else.
    """

    def __init__(
        self,
        path: Path,
        frame: Picture,
        size: tuple[int, int],
        *,
        asked: Mapping[str, Any],
        memory: int | None = None,
        quality: int | None = None,
        overwrite: bool = False,
        resume: bool = False,
        keeps: bool = True,
    ) -> None:
        self.path, self.size, self._frame, self._keeps = path, size, frame, keeps
        self._quality, self._overwrite = quality, overwrite
        self._is_finishing = False
        self._check_place()
        self._frame = prepared(frame, path, size[1], size[0])
        self._is_streamed = self._choose_encoder(memory)
        self._spool = Spool(part_folder(path), asked, (*size, self._channels), frame.pixels.dtype, resume=resume)

    @property
    def rows(self) -> int:
        """How many rows there are already."""
        return self._spool.rows

    def write(self, strip: Picture) -> None:
        """Add the next rows."""
        self._spool.append(strip.pixels if strip.alpha is None else np.dstack([strip.pixels, strip.alpha]))

    def finish(self) -> None:
        """Make the file of the rows, which must all be there."""
        assert self.rows == self.size[0], (self.rows, self.size)
        self._is_finishing = True
        if self._is_streamed:
            with quiet(), atomic_path(self.path) as temporary, temporary.open("w+b") as file:
                self._encode(file)
        else:
            samples = self._spool.read(0, self.rows)
            write_image(self.path, self._picture(samples), quality=self._quality, overwrite=self._overwrite)
        self._spool.discard()

    def discard(self) -> None:
        """Write nothing."""
        self._spool.discard()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            return
        error = self._no_space(error) or error
        is_refused = isinstance(error, LimnerError) and not isinstance(error, NoSpaceError) and not self._is_finishing
        if self.rows == 0 or not self._keeps or is_refused:
            self._spool.discard()
            if isinstance(error, NoSpaceError):
                raise error
            return
        self._spool.close()
        kept = f"{self.rows} of {self.size[0]} rows are kept in {self._spool.folder}: pass --resume to go on with them"
        if isinstance(error, LimnerError):
            raise WorkKept(f"{error}; {kept}") from error
        if isinstance(error, OSError):
            raise WorkKept(f"{self.path}: {(error.strerror or str(error)).lower()}; {kept}") from error
        error.add_note(kept)

    def _no_space(self, error: BaseException) -> NoSpaceError | None:
        """The error of rows that the disk has no space for."""
        if not isinstance(error, OSError) or (reason := why_no_space(error, self._spool.folder)) is None:
            return None
        return no_space(self.path, reason, self._spool.num_bytes, self._spool.num_bytes_in_all)

    def _encode(self, file: IO[bytes]) -> None:
        threads = min(_MOST_THREADS, os.cpu_count() or 1)
        suffix, rows = self.path.suffix.lower(), self._spool.read
        if suffix in (".tif", ".tiff"):
            write_tiled_tiff(file, self._frame, self.size, [rows], threads)
        elif suffix == ".png":
            write_png(file, self._one_pixel(), self.size, rows, threads)
        else:
            one_pixel = self._one_pixel().as_8_bit()
            try:
                write_jpeg(file, one_pixel, self.size, self._rows_of_8_bits, self._quality)
            except LimnerError as error:
                raise LimnerError(f"{self.path}: {error}") from error

    def _rows_of_8_bits(self, start: int, stop: int) -> Samples:
        return Picture(self._spool.read(start, stop)).as_8_bit().pixels

    def _picture(self, samples: Samples) -> Picture:
        if self._frame.alpha is None:
            return replace(self._frame, pixels=samples)
        return replace(self._frame, pixels=samples[..., :-1], alpha=samples[..., -1])

    def _one_pixel(self) -> Picture:
        return self._picture(self._spool.read(0, 1)[:, :1])

    @property
    def _channels(self) -> int:
        return self._frame.pixels.shape[2] + (self._frame.alpha is not None)

    def _check_place(self) -> None:
        blank = np.broadcast_to(self._frame.pixels.dtype.type(0), (*self.size, self._channels))
        check_writable(self.path, self._picture(blank), quality=self._quality)
        check_place(self.path, overwrite=self._overwrite)

    def _choose_encoder(self, memory: int | None) -> bool:
        """Whether the rows are encoded as they come from the disk, and not whole."""
        suffix = self.path.suffix.lower()
        if suffix in _ALWAYS_STREAMED:
            return True
        per_sample = _BYTES_PER_SAMPLE.get(suffix, _BYTES_PER_SAMPLE_ELSE) * self._frame.bit_depth // 8
        whole = self.size[0] * self.size[1] * self._channels * per_sample
        if memory is None or whole <= memory:
            return False
        if suffix in _WITH_LIBVIPS:
            load_pyvips()
            return True
        raise LimnerError(
            f"{self.path}: {suffix[1:]} is encoded whole, which takes {-(-whole // 2**20)} MB, and "
            f"{memory // 2**20} MB are there for it: write TIFF or PNG, or allow more memory"
        )


def part_folder(path: Path) -> Path:
    """Where the rows of a picture wait until it is whole: `photo.png` -> `photo.png.part`."""
    return beside(path, f"{path.name}.part")
