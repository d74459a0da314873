"""Files of Lua Torch (.t7), in its binary form, little endian.

The format is that of torch7's File.lua: each value is a type and what follows; tables and objects have a number, by
which later ones mean the same again. Functions are skipped, for they are programs. A graph of modules (nngraph) lies as
deep as it has nodes, and deeper than Python's own calls may go: values in values wait in a list of their own.
"""

import struct
from collections.abc import Generator
from dataclasses import dataclass, field
from functools import partial
from io import BufferedIOBase
from pathlib import Path
from typing import Any

import torch

from limner.errors import LimnerError
from limner.importers.stored import MOST_DIMENSIONS, STORAGES, Storage, stored

_NIL, _NUMBER, _STRING, _TABLE, _TORCH, _BOOLEAN = range(6)
_FUNCTIONS = (6, 7, 8)
_DEEPEST = 3000  # of values in values
_MOST_VALUES = 2_000_000
_TOO_DEEP = "its values lie deeper in each other than those of any network"

_Reading = Generator[Any, Any, Any]


@dataclass
class LuaObject:
    """An object of a class that is no array: its class, such as `nn.SpatialConvolution`, and its fields."""

    name: str
    fields: dict[Any, Any] = field(default_factory=dict)


def read_t7(path: Path) -> Any:
    """What a file holds: numbers, texts, tables as dictionaries, arrays as `Stored`, others as `LuaObject`s.

    Raises:
        LimnerError: If it is damaged, or in Torch's text form.
    """
    try:
        with path.open("rb") as file:
            return _Reader(path, file).whole()
    except (struct.error, UnicodeDecodeError, OverflowError, MemoryError):
        raise LimnerError("it is no whole .t7 file") from None


class _Reader:
    def __init__(self, path: Path, file: BufferedIOBase) -> None:
        self._path, self._file, self._end = path, file, path.stat().st_size
        self._seen: dict[int, Any] = {}
        self._left = _MOST_VALUES

    def whole(self) -> Any:
        """The first value, with all that lies in it."""
        begun, found = [self._value()], None
        while begun:
            try:
                inner = begun[-1].send(found)
            except StopIteration as end:
                begun.pop()
                found = end.value
            else:
                begun.append(inner)
                found = None
            if len(begun) > _DEEPEST:
                raise LimnerError(_TOO_DEEP)
        return found

    def _value(self) -> _Reading:
        """The next value; what lies in it is asked for."""
        self._left -= 1
        if self._left < 0:
            raise LimnerError(_TOO_DEEP)
        kind = self._int()
        if kind == _NIL:
            return None
        if kind == _NUMBER:
            (number,) = struct.unpack("<d", self._bytes(8))
            return int(number) if number.is_integer() and abs(number) < 2**53 else number
        if kind == _BOOLEAN:
            return self._int() == 1
        if kind == _STRING:
            return self._text()
        if kind in (_TABLE, _TORCH, *_FUNCTIONS):
            return (yield from self._numbered(kind))
        raise LimnerError("it is no .t7 file, or one in Torch's text form: save it in Lua as binary")

    def _numbered(self, kind: int) -> _Reading:
        number = self._int()
        if number in self._seen and kind not in _FUNCTIONS:
            return self._seen[number]
        if kind in _FUNCTIONS:
            self._bytes(self._int())
            yield self._value()  # what it remembers
            return None
        return (yield from self._table(number) if kind == _TABLE else self._object(number))

    def _table(self, number: int) -> _Reading:
        table: dict[Any, Any] = {}
        self._seen[number] = table
        for _ in range(self._int()):
            key, value = (yield self._value()), (yield self._value())
            table[key if isinstance(key, str | int | float | bool) else f"<{type(key).__name__} {len(table)}>"] = value
        return table

    def _object(self, number: int) -> _Reading:
        name = self._text()
        if name.startswith("V "):
            name = self._text()
        if name.startswith("torch.") and name.endswith("Tensor"):
            return (yield from self._array(number, name))
        if name.startswith("torch.") and name.endswith("Storage"):
            self._seen[number] = found = self._row(name)
            return found
        made = LuaObject(name)
        self._seen[number] = made
        fields = yield self._value()
        made.fields = fields if isinstance(fields, dict) else {}
        return made

    def _array(self, number: int, name: str) -> _Reading:
        sides = self._int()
        if not 0 <= sides <= MOST_DIMENSIONS:
            raise LimnerError(f"an array has {sides} sides")
        shape, strides = (struct.unpack(f"<{sides}q", self._bytes(8 * sides)) for _ in range(2))
        (offset,) = struct.unpack("<q", self._bytes(8))
        row = yield self._value()
        if row is None or not sides:
            row, offset, shape, strides = Storage(_type(name, "Tensor"), 0, bytes), 1, (0,), (1,)
        self._seen[number] = found = stored(row, offset - 1, shape, strides)
        return found

    def _row(self, name: str) -> Storage:
        (number,) = struct.unpack("<q", self._bytes(8))
        dtype, place = _type(name, "Storage"), self._file.tell()
        if not 0 <= number * dtype.itemsize <= self._end - place:
            raise LimnerError(f"an array of {number} numbers goes beyond the end of the file")
        self._file.seek(place + number * dtype.itemsize)
        return Storage(dtype, number, partial(_part, self._path, place, number * dtype.itemsize))

    def _int(self) -> int:
        found: int = struct.unpack("<i", self._bytes(4))[0]
        return found

    def _text(self) -> str:
        return self._bytes(self._int()).decode("latin1")

    def _bytes(self, number: int) -> bytes:
        if not 0 <= number <= self._end - self._file.tell():
            raise LimnerError("it ends before its values do")
        return self._file.read(number)


def _type(name: str, suffix: str) -> torch.dtype:
    word = name.removeprefix("torch.").removesuffix(suffix).removeprefix("Cuda") or "Float"
    if word not in STORAGES:
        raise LimnerError(f"it holds numbers of a type that Limner does not know ({word[:40]})")
    return STORAGES[word]


def _part(path: Path, place: int, number: int) -> bytes:
    with path.open("rb") as file:
        file.seek(place)
        return file.read(number)
