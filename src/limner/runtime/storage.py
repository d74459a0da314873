"""Where feature maps wait between two passes: in memory, or in a file, which is not mapped and so never resident."""

import os
import tempfile
from typing import Protocol

import torch
from torch import Tensor

from limner.runtime.operators import Region


class Store(Protocol):
    """A feature map (n, c, h, w) that is written and read part by part."""

    def write(self, region: Region, part: Tensor) -> None:
        """Keep a part."""

    def read(self, region: Region) -> Tensor:
        """Give a part back; all of it has been written."""


class MemoryStore:
    """A tensor."""

    def __init__(self, shape: tuple[int, ...], dtype: torch.dtype) -> None:
        self.tensor = torch.empty(shape, dtype=dtype)

    def write(self, region: Region, part: Tensor) -> None:
        """Keep a part."""
        rows, columns = region
        self.tensor[..., rows.start : rows.stop, columns.start : columns.stop] = part

    def read(self, region: Region) -> Tensor:
        """Give a part back."""
        rows, columns = region
        return self.tensor[..., rows.start : rows.stop, columns.start : columns.stop]


class DiskStore:
    """An unnamed temporary file, row after row of all channels: (h, n, c, w). It is gone with the store."""

    def __init__(self, shape: tuple[int, ...], dtype: torch.dtype, folder: str | None = None) -> None:
        self.shape, self.dtype = shape, dtype
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  # it lives as long as the store
        n, c, _, w = shape
        self._row = n * c * w * dtype.itemsize

    def write(self, region: Region, part: Tensor) -> None:
        """Keep a part as wide as the feature map."""
        assert (region.columns.start, region.columns.stop) == (0, self.shape[3])
        data = part.cpu().permute(2, 0, 1, 3).contiguous().view(torch.uint8).numpy().data.cast("B")
        written = 0
        while written < len(data):
            written += os.pwrite(self._file.fileno(), data[written:], region.rows.start * self._row + written)

    def read(self, region: Region) -> Tensor:
        """Give a part back."""
        n, c, _, w = self.shape
        rows, columns = region
        data = bytearray(rows.length * self._row)
        view, read = memoryview(data), 0
        while read < len(data):
            read += os.preadv(self._file.fileno(), [view[read:]], rows.start * self._row + read)
        part = torch.frombuffer(data, dtype=self.dtype).view(rows.length, n, c, w)
        return part[..., columns.start : columns.stop].permute(1, 2, 0, 3)
