"""The two ways to read a picture in strips: from memory, or from the file row by row by libvips."""

import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from limner.errors import LimnerError
from limner.files.picture import Picture, Samples
from limner.files.strip_header import StripHeader, inks_to_rgb
from limner.files.vips import load_pyvips, reason

_TURNS = {3: ("rot180", ""), 4: ("", "vertical"), 5: ("rot90", "horizontal"), 6: ("rot90", ""),
          7: ("rot90", "vertical"), 8: ("rot270", "")}  # fmt: skip


class WholeReader:
    """Strips of a picture that is in memory."""

    def __init__(self, picture: Picture) -> None:
        self._picture = picture
        self.height, self.width = picture.height, picture.width
        self.frame = _rows_of(picture, 0, 0)
        self.held_bytes = picture.pixels.nbytes + (0 if picture.alpha is None else picture.alpha.nbytes)

    def read(self, start: int, stop: int) -> Picture:
        """The rows from `start` up to but not including `stop`."""
        return _rows_of(self._picture, start, stop)

    def close(self) -> None:
        """Nothing is open."""


class StreamReader:
    """Strips of a file that is read from the top, once; the rows of the last strip are kept for the next one."""

    def __init__(self, path: Path, header: StripHeader, scratch: Path | None) -> None:
        self._path, self._header, self._scratch = path, header, scratch
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self.frame, self.width = header.frame, header.frame.width
        self.height = header.width if header.orientation > 4 else header.height
        self.held_bytes = header.decoding_bytes
        self._next = 0
        self._kept = self._no_rows()
        self._pyvips = load_pyvips()
        self._rows: FileRows | _TurnedRows | None = None

    def read(self, start: int, stop: int) -> Picture:
        """The rows from `start` up to but not including `stop`; `start` is never before that of the last strip.

        Raises:
            LimnerError: The file is damaged or cut short.
        """
        assert start >= self._next - len(self._kept), "strips are read from the top"
        kept = self._kept[max(0, len(self._kept) - max(0, self._next - start)) :]
        try:
            fresh = self._fetch(max(start, self._next), stop)
        except self._pyvips.Error as error:
            raise LimnerError(
                f"{self._path}: is damaged or cut short ({reason(error)}): get the file once more"
            ) from error
        self._kept = np.concatenate([kept, fresh]) if len(kept) else fresh
        self._next = max(stop, self._next)
        return self._picture(self._kept[: stop - start])

    def close(self) -> None:
        """Let the file go."""
        self._rows = None
        if self._folder:
            self._folder.cleanup()

    def _fetch(self, start: int, stop: int) -> Samples:
        if self._rows is None:
            self._rows = self._open()
        return self._rows.fetch(start, stop) if stop > start else self._no_rows()

    def _open(self) -> "FileRows | _TurnedRows":
        # the limits that are lifted would refuse large strips, and what memory is needed has been looked at already
        # a source, for libvips reads options in names with brackets; the bytes, for names that are no UTF-8
        source = self._pyvips.Source.new_from_file(os.fsencode(self._path))
        image = self._pyvips.Image.new_from_source(source, "", access="sequential", fail_on="error", unlimited=True)
        image = self._check(image)
        orientation = self._header.orientation
        if orientation == 2:
            image = image.fliphor()
        if orientation <= 2:
            return FileRows(self._pyvips, image, self.frame.pixels.dtype)
        # what is read in another order than it lies in the file goes into a file of tiles first
        self._folder = tempfile.TemporaryDirectory(dir=self._scratch)
        place = Path(self._folder.name) / "turned.tif"
        target = self._pyvips.Target.new_to_file(os.fsencode(place))
        image.write_to_target(
            target, ".tif", tile=True, tile_width=256, tile_height=256, compression="none", bigtiff=True, keep="none"
        )
        turn, flip = _TURNS[orientation]
        source = self._pyvips.Source.new_from_file(os.fsencode(place))
        image = self._pyvips.Image.new_from_source(source, "", access="random")
        image = getattr(image, turn)() if turn else image
        return _TurnedRows(image.flip(flip) if flip else image, self.frame)

    def _check(self, image: Any) -> Any:
        """An image with the bands and the type that were promised."""
        header, kind = self._header, {1: "uchar", 2: "ushort"}[self.frame.pixels.itemsize]
        if image.bands == 1 and header.num_bands == 3:  # a palette of grays
            image = image.bandjoin([image, image])
        if (image.width, image.height, image.bands, image.format) != (
            header.width, header.height, header.num_bands, kind,
        ):  # fmt: skip
            raise LimnerError(
                f"{self._path}: holds {image.bands} bands of {image.format} samples, which are not read in strips: "
                "save it as a plain TIFF or PNG, or give it more memory"
            )
        return image

    def _no_rows(self) -> Samples:
        return np.zeros((0, self.width, self._header.num_bands), self.frame.pixels.dtype)

    def _picture(self, samples: Samples) -> Picture:
        if self._header.is_cmyk:
            return replace(self.frame, pixels=inks_to_rgb(samples, self._header.profile))
        if self.frame.alpha is None:
            return replace(self.frame, pixels=samples)
        return replace(self.frame, pixels=samples[..., :-1], alpha=samples[..., -1])


class FileRows:
    """Rows of an image of libvips, in the order of its file."""

    def __init__(self, pyvips: Any, image: Any, kind: np.dtype[Any]) -> None:
        self._region, self._next = pyvips.Region.new(image), 0
        self._shape, self._kind = (image.width, image.bands), kind

    def fetch(self, start: int, stop: int) -> Samples:
        """The rows from `start`, which is not before the last `stop`, up to but not including `stop`."""
        samples = np.empty((stop - start, *self._shape), self._kind)
        for row in range(self._next, stop):  # one by one: libvips keeps fewer rows then, and is faster
            data = self._region.fetch(0, row, self._shape[0], 1)
            if row >= start:
                samples[row - start] = np.frombuffer(data, self._kind).reshape(self._shape)
        self._next = stop
        return samples


class _TurnedRows:
    """Rows in any order, of a file of tiles."""

    def __init__(self, image: Any, frame: Picture) -> None:
        self._image, self._kind = image, frame.pixels.dtype

    def fetch(self, start: int, stop: int) -> Samples:
        strip = self._image.crop(0, start, self._image.width, stop - start)
        return np.frombuffer(strip.write_to_memory(), self._kind).reshape(stop - start, strip.width, strip.bands)


def _rows_of(picture: Picture, start: int, stop: int) -> Picture:
    alpha = None if picture.alpha is None else picture.alpha[start:stop]
    return replace(picture, pixels=picture.pixels[start:stop], alpha=alpha)
