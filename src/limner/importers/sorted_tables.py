"""Tables of LevelDB, which TensorFlow keeps its checkpoints in: keys in their order, and a value of each.

The format is that of LevelDB's doc/table_format.md: blocks of entries, each with a check sum; a block that tells where
they lie; and at the end 48 bytes that tell where that lies.
"""

import os
import struct
from collections.abc import Iterator
from io import BufferedIOBase
from pathlib import Path
from typing import NamedTuple

from limner.errors import LimnerError
from limner.importers.crc32c import is_masked
from limner.importers.protobuf import varint

_MAGIC = bytes.fromhex("57fb808b247547db")
_FOOTER = 48
_TRAILER = 5  # after each block: its compression, and the sum of both
_SNAPPY = 1
_MOST_BLOCK = 2**30
_LONGEST_KEY = 4096
MOST_ENTRIES = 100_000


class Entry(NamedTuple):
    """A key and its value.

    Attributes:
        key: Any bytes.
        block: That the value lies in.
        start: Of the value there.
        stop: The byte after it.
        place: Where the block lies in the file.
    """

    key: bytes
    block: bytes
    start: int
    stop: int
    place: int


def is_table(path: Path) -> bool:
    """Whether a file ends as a table does."""
    with path.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - len(_MAGIC)))
        return file.read(len(_MAGIC)) == _MAGIC


def entries(path: Path) -> Iterator[Entry]:
    """All entries of a table, by their keys; one block at a time is in memory.

    Raises:
        LimnerError: If it is damaged or compressed, or has more or longer entries than any checkpoint.
    """
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END) - _FOOTER
        if end < 0:
            raise _damaged()
        file.seek(end)
        footer = file.read(_FOOTER)
        _, _, place = _handle(footer, 0, _FOOTER)
        offset, length, _ = _handle(footer, place, _FOOTER)
        reached = count = 0
        for one in _entries_of(_block(file, offset, length, end), offset):
            offset, length, _ = _handle(one.block, one.start, one.stop)
            if offset < reached:
                raise _damaged()
            reached = offset + length
            for entry in _entries_of(_block(file, offset, length, end), offset):
                count += 1
                if count > MOST_ENTRIES:
                    raise LimnerError(f"it has more than the {MOST_ENTRIES} entries of any checkpoint")
                yield entry


def _handle(raw: bytes, place: int, stop: int) -> tuple[int, int, int]:
    """Where a block begins, how long it is, and what lies behind the two."""
    offset, place = varint(raw, place, stop)
    length, place = varint(raw, place, stop)
    return offset, length, place


def _block(file: BufferedIOBase, offset: int, length: int, end: int) -> bytes:
    if length > _MOST_BLOCK or offset + length + _TRAILER > end:
        raise _damaged()
    file.seek(offset)
    raw = file.read(length + 1)
    (masked,) = struct.unpack("<I", file.read(_TRAILER - 1))
    if length < 4 or not is_masked(masked, raw):
        raise _damaged()
    if raw[length] == _SNAPPY:
        raise LimnerError("its table is compressed by Snappy, which Limner does not read: save it as TensorFlow does")
    if raw[length]:
        raise _damaged()
    return raw[:length]


def _entries_of(block: bytes, place: int) -> Iterator[Entry]:
    """Each key is told by how much of the one before it begins with."""
    (restarts,) = struct.unpack("<I", block[-4:])
    at, stop, key = 0, len(block) - 4 - 4 * restarts, b""
    if stop < 0:
        raise _damaged()
    while at < stop:
        shared, at = varint(block, at, stop)
        own, at = varint(block, at, stop)
        length, at = varint(block, at, stop)
        if shared > len(key) or shared + own > _LONGEST_KEY or own + length > stop - at:
            raise _damaged()
        key = key[:shared] + block[at : at + own]
        at += own
        yield Entry(key, block, at, at + length, place)
        at += length


def _damaged() -> LimnerError:
    return LimnerError("its table is damaged: get the file once more")
