"""Where feature maps wait between two passes: in memory, or in a file, which is not mapped and so never resident."""

import math
import os
import tempfile
from pathlib import Path
from typing import IO, Protocol

import torch
from torch import Tensor

from limner.files.space import telling_no_space
from limner.runtime.operators import Region, Span


class Source(Protocol):
    """A picture or feature map (n, c, h, w) that is read part by part."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(n, c, h, w)."""

    def read(self, region: Region) -> Tensor:
        """A part of it."""


class Store(Source, Protocol):
    """One that is written part by part first; the parts lie on a grid."""

    def write(self, region: Region, part: Tensor) -> None:
        """Keep a part."""


class MemoryStore:
    """A tensor."""

    def __init__(self, shape: tuple[int, ...], dtype: torch.dtype) -> None:
        self.shape = shape
        self.tensor = torch.empty(shape, dtype=dtype, memory_format=torch.channels_last)

    def write(self, region: Region, part: Tensor) -> None:
        """Keep a part."""
        rows, columns = region
        self.tensor[..., rows.start : rows.stop, columns.start : columns.stop] = part

    def read(self, region: Region) -> Tensor:
        """Give a part back."""
        rows, columns = region
        return self.tensor[..., rows.start : rows.stop, columns.start : columns.stop]


class DiskStore:
    """An unnamed temporary file, which is gone with its last store.

    Parts lie in it column of the grid after column of the grid, each as (h, n, w, c), so that the rows that a reader
    wants of one are one piece of the file, in the order that convolutions like.
    """

    def __init__(self, shape: tuple[int, ...], dtype: torch.dtype, file: IO[bytes] | None = None) -> None:
        """Write over the file of an earlier store, whose pages the system has in memory already, or into a new one."""
        self.shape, self.dtype = shape, dtype
        self.file = file or tempfile.TemporaryFile()  # noqa: SIM115  # it lives as long as the stores that use it
        self._columns: dict[Span, int] = {}  # -> where the first row would begin

    def write(self, region: Region, part: Tensor) -> None:
        """Keep a part."""
        rows, columns = region
        data = part.cpu().permute(2, 0, 3, 1).contiguous().flatten().view(torch.uint8).numpy().data.cast("B")
        begin, written = self._begin(columns) + rows.start * self._row(columns), 0
        with telling_no_space(Path(tempfile.gettempdir()) / "feature maps", needs=self._num_bytes):
            while written < len(data):
                written += os.pwrite(self.file.fileno(), data[written:], begin + written)

    def read(self, region: Region) -> Tensor:
        """Give a part back."""
        found = [columns for columns in sorted(self._columns) if _overlap(columns, region.columns).length > 0]
        pieces = [self._read(region.rows, columns, _overlap(columns, region.columns)) for columns in found]
        return pieces[0] if len(pieces) == 1 else torch.cat(pieces, 3)

    def _read(self, rows: Span, columns: Span, wanted: Span) -> Tensor:
        n, c, _, _ = self.shape
        part = torch.empty(rows.length, n, columns.length, c, dtype=self.dtype)
        view, read = part.view(torch.uint8).numpy().data.cast("B"), 0
        begin = self._begin(columns) + rows.start * self._row(columns)
        while read < len(view):
            read += os.preadv(self.file.fileno(), [view[read:]], begin + read)
        return part.permute(1, 3, 0, 2)[..., wanted.start - columns.start : wanted.stop - columns.start]

    @property
    def _num_bytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize

    def _row(self, columns: Span) -> int:
        return self.shape[0] * self.shape[1] * columns.length * self.dtype.itemsize

    def _begin(self, columns: Span) -> int:
        """Columns of the grid lie one behind the other, in the order of their first part."""
        if columns not in self._columns:
            self._columns[columns] = sum(self._row(before) for before in self._columns) * self.shape[2]
        return self._columns[columns]


def _overlap(one: Span, other: Span) -> Span:
    return Span(max(one.start, other.start), min(one.stop, other.stop))
