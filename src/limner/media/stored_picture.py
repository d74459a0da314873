"""Pictures on disk while a painter is at work, written and read a part at a time in any order."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from limner.files.bands import Bands, band_strips
from limner.files.picture import Picture, alpha_tensor, to_tensor
from limner.files.strips import StripReader
from limner.ops.transparency import REACH, carried_outwards
from limner.runtime.operators import Region, Span, crop
from limner.runtime.storage import DiskStore
from limner.types import Image

_COLUMNS = 1024  # pixels of the side by side pieces of a row, so that a part is read without all of its rows
_STRIP_BYTES = 2**21  # of the rows that are handled at a time; as floats they take many times more


class StoredPicture:
    """The samples of a picture in an unnamed temporary file.

    Args of the constructor:
        frame: The picture without its rows: its channels, type, profile and metadata.
        size: Height and width, in pixels.
    """

    def __init__(self, frame: Picture, size: tuple[int, int]) -> None:
        self.frame, self.size = frame, size
        self._channels = frame.pixels.shape[2] + (frame.alpha is not None)
        self._store = DiskStore((1, self._channels, *size), getattr(torch, frame.pixels.dtype.name))

    @classmethod
    def of(cls, reader: StripReader) -> "StoredPicture":
        """All strips of a picture that is read from the top."""
        stored = cls(reader.frame, (reader.height, reader.width))
        for rows in stored.strips():
            strip = reader.read(rows.start, rows.stop)
            for start in range(0, reader.width, _COLUMNS):
                columns = Span(start, min(start + _COLUMNS, reader.width))
                stored.write(Region(rows, columns), _cropped(strip, columns))
        return stored

    def write(self, region: Region, part: Picture) -> None:
        """Keep a part; the columns of all parts are the same few spans."""
        samples = part.pixels if part.alpha is None else np.dstack([part.pixels, part.alpha])
        self._store.write(region, torch.from_numpy(np.ascontiguousarray(samples)).permute(2, 0, 1)[None])

    def read(self, region: Region) -> Picture:
        """Give a part back."""
        samples = self._store.read(region)[0].permute(1, 2, 0).numpy()
        if self.frame.alpha is None:
            return replace(self.frame, pixels=samples)
        return replace(self.frame, pixels=samples[..., :-1], alpha=samples[..., -1])

    def strips(self, rows: Span | None = None) -> Iterator[Span]:
        """Rows, all or those of a span, some megabytes at a time."""
        rows = rows or Span(0, self.size[0])
        step = max(1, _STRIP_BYTES // (self.size[1] * self._channels * self.frame.pixels.itemsize))
        return (Span(start, min(start + step, rows.stop)) for start in range(rows.start, rows.stop, step))


class ReadableStored(Protocol):
    """A stored picture of any number of channels, read as floats in [0, 1]; `size` is height and width."""

    size: tuple[int, int]

    def read(self, region: Region) -> Float[Tensor, "1 c h w"]:
        """A part of it."""


class StoredBands:
    """The bands of a TIFF in an unnamed temporary file.

    Args of the constructor:
        path: Of the TIFF.
        about: What it says of itself.
        max_pixels: A file of more is refused; None lifts the limit.

    Raises:
        LimnerError: If it is damaged or too large.
    """

    def __init__(self, path: Path, about: Bands, *, max_pixels: int | None) -> None:
        self.size, self._most = (about.height, about.width), 2**about.bit_depth - 1
        kind, top = torch.uint8 if about.bit_depth == 8 else torch.uint16, 0
        self._store = DiskStore((1, about.bands, *self.size), kind)
        for strip in band_strips(path, max_pixels=max_pixels):
            samples = torch.from_numpy(strip).permute(2, 0, 1)[None]
            for start in range(0, about.width, _COLUMNS):
                columns = Span(start, min(start + _COLUMNS, about.width))
                self._store.write(
                    Region(Span(top, top + len(strip)), columns), samples[..., columns.start : columns.stop]
                )
            top += len(strip)

    def read(self, region: Region) -> Float[Tensor, "1 c h w"]:
        """A part of it."""
        return self._store.read(region).to(torch.float32) / self._most


class VisibleStored:
    """A stored photo as networks are given it: where it is transparent, the colours beside that go on."""

    def __init__(self, stored: StoredPicture) -> None:
        self._stored, self.size = stored, stored.size
        self._beyond = None if stored.frame.alpha is None else _mean(stored)

    def read(self, region: Region) -> Image:
        """A part of it, (1, 3, h, w), as `visible_tensor` gives the whole."""
        if self._beyond is None:
            return to_tensor(self._stored.read(region))
        grown = Region(*(_grown(span, side) for span, side in zip(region, self.size, strict=True)))
        part = self._stored.read(grown)
        alpha = alpha_tensor(part)
        assert alpha is not None
        return crop(
            carried_outwards(to_tensor(part), alpha, self._beyond), (grown.rows.start, grown.columns.start), region
        )


def _grown(span: Span, side: int) -> Span:
    return Span(max(0, span.start - REACH), min(side, span.stop + REACH))


def _mean(stored: StoredPicture) -> Float[Tensor, "1 3 1 1"]:
    """As `visible_mean` gives it."""
    colour, weight = torch.zeros(1, 3, 1, 1, dtype=torch.float64), 0.0
    for rows in stored.strips():
        part = stored.read(Region(rows, Span(0, stored.size[1])))
        alpha = alpha_tensor(part)
        assert alpha is not None
        colour += (to_tensor(part) * alpha).double().sum((2, 3), keepdim=True)
        weight += float(alpha.double().sum())
    return (colour / weight).float() if weight else torch.full((1, 3, 1, 1), 0.5)


def _cropped(strip: Picture, columns: Span) -> Picture:
    seen = slice(columns.start, columns.stop)
    alpha = None if strip.alpha is None else strip.alpha[:, seen]
    return replace(strip, pixels=strip.pixels[:, seen], alpha=alpha)
