"""Arrays of a foreign file: known by shape and type at once, read when they are wanted, never beyond their bytes."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from limner.errors import LimnerError

MOST_DIMENSIONS = 16

STORAGES = {
    "Float": torch.float32,
    "Double": torch.float64,
    "Half": torch.float16,
    "BFloat16": torch.bfloat16,
    "Long": torch.int64,
    "Int": torch.int32,
    "Short": torch.int16,
    "Char": torch.int8,
    "Byte": torch.uint8,
    "Bool": torch.bool,
}
"""Types of numbers by the first word of torch's storage classes, of Lua's and Python's alike."""


@dataclass(frozen=True)
class Storage:
    """A row of numbers in a file.

    Attributes:
        dtype: Of the numbers.
        number: How many there are.
        read: Gives their bytes, little endian.
    """

    dtype: torch.dtype
    number: int
    read: Callable[[], bytes]


@dataclass(frozen=True)
class Stored:
    """An array of a file.

    Attributes:
        storage: The row that its numbers are in.
        offset: Of its first number there.
        shape: Its sides.
        strides: Numbers from one to the next along each side.
    """

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def tensor(self) -> Tensor:
        """Its numbers, in memory of their own.

        Raises:
            LimnerError: If the file is shorter than it says.
        """
        raw = self.storage.read()
        if len(raw) != self.storage.number * self.storage.dtype.itemsize:
            raise LimnerError(f"an array should have {self.storage.number} numbers, and the file ends before them")
        if not raw:
            return torch.empty(self.shape, dtype=self.storage.dtype)
        row = torch.frombuffer(bytearray(raw), dtype=self.storage.dtype)
        return row.as_strided(self.shape, self.strides, self.offset).clone(memory_format=torch.contiguous_format)


def stored(storage: Any, offset: Any, shape: Any, strides: Any) -> Stored:
    """An array, of values that a file gives.

    Raises:
        LimnerError: If it would lie outside its row, or is no array at all.
    """
    if not isinstance(storage, Storage) or not _whole(offset) or not _all_whole(shape) or not _all_whole(strides):
        raise LimnerError("an array is told by values that are none")
    if len(shape) != len(strides) or len(shape) > MOST_DIMENSIONS:
        raise LimnerError(f"an array has {len(shape)} sides and {len(strides)} strides")
    number = math.prod(shape)
    last = offset + sum((side - 1) * stride for side, stride in zip(shape, strides, strict=True))
    if number and (number > storage.number or last >= storage.number):
        raise LimnerError(f"an array of {number} numbers lies outside the {storage.number} that the file holds")
    return Stored(storage, offset, tuple(shape), tuple(strides))


def in_rows(storage: Storage, shape: Sequence[int]) -> Stored:
    """An array whose numbers follow each other, the last side first.

    Raises:
        LimnerError: If it is larger than its row.
    """
    if not _all_whole(shape):
        raise LimnerError("an array is told by values that are none")
    return stored(storage, 0, tuple(shape), strides_of(shape))


def strides_of(shape: Sequence[int]) -> tuple[int, ...]:
    """Of an array whose numbers follow each other.

    >>> strides_of((2, 3, 4))
    (12, 4, 1)
    """
    return tuple(math.prod(shape[place + 1 :]) for place in range(len(shape)))


def of_numpy(raw: bytes, code: str, shape: Any) -> Stored:
    """An array by numpy's name of its type, such as `<f4`.

    Raises:
        LimnerError: If its type is none of numbers, or there are not as many bytes.
    """
    kind = np.dtype(code)
    if kind.kind not in "fiub" or not _all_whole(shape):
        raise LimnerError(f"an array of type {code!r} is not of numbers")
    if math.prod(shape) * kind.itemsize != len(raw):
        raise LimnerError(f"an array of shape {tuple(shape)} has {len(raw)} bytes")
    native = np.frombuffer(raw, kind).astype(kind.newbyteorder("<"))
    row = torch.from_numpy(native.copy()) if native.size else torch.empty(0)
    return in_rows(Storage(row.dtype, row.numel(), native.tobytes), shape)


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**62


def _all_whole(values: Any) -> bool:
    return isinstance(values, tuple | list) and all(map(_whole, values))
