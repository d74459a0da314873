"""Checkpoints of TensorFlow: the first format, one table (.ckpt), and the second, a table (.index) and its data.

The messages are those of TensorFlow's saved_tensor_slice.proto, tensor.proto and tensor_bundle.proto. No graph is read
and nothing is run.
"""

import math
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch

from limner.errors import LimnerError
from limner.files.ordinary import check_ordinary
from limner.importers.crc32c import is_masked
from limner.importers.protobuf import Field, fields
from limner.importers.sorted_tables import MOST_ENTRIES, Entry, entries
from limner.importers.stored import Storage, Stored, in_rows

_TYPES = {1: torch.float32, 2: torch.float64, 3: torch.int32, 4: torch.uint8, 9: torch.int64, 10: torch.bool,
          14: torch.bfloat16, 19: torch.float16}  # fmt: skip
_CONTENT = 4  # of TensorProto: the numbers of any type as they lie in memory
_NUMBERS = {1: 5, 2: 6}  # of TensorProto, by type: numbers one after the other
_MOST_NUMBERS = 2_000_000  # that lie singly
_DATA = re.compile(r"(.*)\.data-\d{5}-of-\d{5}")


def read_tensorflow(path: Path) -> dict[str, Stored]:
    """The arrays of a checkpoint; texts and types without numbers are left out.

    Raises:
        LimnerError: If it is damaged or is a table of something else, or its data are not beside it.
    """
    found = entries(path)
    first = next(found, None)
    if first is None or first.key:
        raise LimnerError("it is a table, and of no checkpoint of TensorFlow")
    head = list(fields(first.block, first.start, first.stop))
    metas = [one for one in head if one.number == 1 and one.is_long]
    return dict(_of_slices(path, first.block, metas, found) if metas else _of_bundle(path, head, found))


def told_of_tensorflow(name: str, head: bytes) -> str:
    """What is to be said of a file that is only a part of a checkpoint; empty if it is none."""
    if match := _DATA.fullmatch(name):
        return f"it holds the numbers of a checkpoint of TensorFlow: name {match[1]}.index, beside it"
    if head[:2] == b"\0\0" and (".ckpt" in name or name.endswith(".index")):
        return "it is a checkpoint of TensorFlow without its end: get the file once more"
    return ""


class _Kind(NamedTuple):
    """What is told of an array before its numbers."""

    type: int
    shape: tuple[int, ...]
    is_whole: bool


def _of_slices(path: Path, block: bytes, metas: list[Field], found: Iterator[Entry]) -> Iterator[tuple[str, Stored]]:
    """The arrays of the first format: one entry tells of all, each of the others holds the numbers of one."""
    kinds = dict[str, _Kind]()
    for meta in metas:
        for one in fields(block, meta.start, meta.stop, MOST_ENTRIES):
            if one.number == 1:
                parts = list(fields(block, one.start, one.stop))
                kinds[_name(block, parts)] = _kind(block, parts, shape=2, type=3, slices=4, most=1)
    for entry in found:
        for data in fields(entry.block, entry.start, entry.stop):
            if data.number == 2:
                parts = list(fields(entry.block, data.start, data.stop))
                name = _name(entry.block, parts)
                if name not in kinds:
                    raise LimnerError(f"its array {name[:60]!r} is not among those that it tells of")
                if kinds[name].type in _NUMBERS:
                    yield name, _in_message(path, entry, parts, name, kinds[name])


def _name(block: bytes, parts: list[Field]) -> str:
    return next((block[one.start : one.stop].decode(errors="replace") for one in parts if one.number == 1), "")


def _kind(block: bytes, parts: list[Field], *, shape: int, type: int, slices: int, most: int) -> _Kind:
    """Of a message whose fields are numbered so; `most` slices make a whole."""
    kind = next((one.value for one in parts if one.number == type), 0)
    sides = [side for one in parts if one.number == shape for side in _sides(block, one)]
    return _Kind(kind, tuple(sides), sum(one.number == slices for one in parts) <= most)


def _sides(block: bytes, shape: Field) -> Iterator[int]:
    for dimension in fields(block, shape.start, shape.stop):
        if dimension.number == 2:
            sizes = fields(block, dimension.start, dimension.stop)
            yield next((one.value for one in sizes if one.number == 1), 0)


def _in_message(path: Path, entry: Entry, parts: list[Field], name: str, kind: _Kind) -> Stored:
    _check_whole(name, kind)
    tensors = [one for one in parts if one.number == 3]
    start, stop = (tensors[0].start, tensors[0].stop) if tensors else (0, 0)
    dtype, number = _TYPES[kind.type], math.prod(kind.shape)
    if number * dtype.itemsize > stop - start:
        raise LimnerError(f"its array {name[:60]!r} of {number} numbers has {stop - start} bytes")
    read = partial(_numbers, path, entry.place + start, stop - start, _NUMBERS[kind.type])
    return in_rows(Storage(dtype, number, read), kind.shape)


def _numbers(path: Path, place: int, length: int, wanted: int) -> bytes:
    raw = _part(path, place, length)
    found = fields(raw, 0, len(raw), _MOST_NUMBERS)
    return b"".join(raw[one.start : one.stop] for one in found if one.number in (_CONTENT, wanted))


def _of_bundle(path: Path, head: list[Field], found: Iterator[Entry]) -> Iterator[tuple[str, Stored]]:
    """The arrays of the second format: each entry tells where in the data one lies."""
    shards = next((one.value for one in head if one.number == 1), 0)
    if any(one.number == 2 and one.value for one in head):
        raise LimnerError("its numbers are big endian, which Limner does not read")
    if path.suffix != ".index":
        raise LimnerError("it is the index of a checkpoint of TensorFlow: name it .index, with its data beside it")
    for entry in found:
        parts = list(fields(entry.block, entry.start, entry.stop))
        kind = _kind(entry.block, parts, shape=2, type=1, slices=7, most=0)
        if kind.type in _TYPES:
            name = entry.key.decode(errors="replace")
            _check_whole(name, kind)
            yield name, _in_data(path, shards, entry, parts, name, kind)


def _in_data(path: Path, shards: int, entry: Entry, parts: list[Field], name: str, kind: _Kind) -> Stored:
    shard, offset, size = (next((one.value for one in parts if one.number == number), 0) for number in (3, 4, 5))
    if not shard < shards < 100_000:
        raise LimnerError(f"its array {name[:60]!r} lies in part {shard + 1} of {shards}")
    data = path.with_name(f"{path.stem}.data-{shard:05}-of-{shards:05}")
    check_ordinary(data)
    dtype, number = _TYPES[kind.type], math.prod(kind.shape)
    if number * dtype.itemsize != size:
        raise LimnerError(f"its array {name[:60]!r} of {number} numbers has {size} bytes")
    if offset + size > data.stat().st_size:
        raise LimnerError(f"its array {name[:60]!r} lies beyond the end of {data}: get that file once more")
    sums = [entry.block[one.start : one.stop] for one in parts if one.number == 6]
    read = partial(_checked, data, offset, size, int.from_bytes(sums[0], "little") if sums else None)
    return in_rows(Storage(dtype, number, read), kind.shape)


def _checked(path: Path, place: int, length: int, masked: int | None) -> bytes:
    raw = _part(path, place, length)
    if masked is not None and length >= 4 and not is_masked(masked, raw):
        raise LimnerError(f"its numbers in {path} are damaged: get that file once more")
    return raw


def _check_whole(name: str, kind: _Kind) -> None:
    if not kind.is_whole:
        raise LimnerError(f"its array {name[:60]!r} lies in several slices, which Limner does not join")


def _part(path: Path, place: int, length: int) -> bytes:
    with path.open("rb") as file:
        file.seek(place)
        return file.read(length)
