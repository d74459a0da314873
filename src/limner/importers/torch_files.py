"""torch's files, the zip of today and two older kinds, read without torch and without running anything of theirs."""

import io
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from functools import partial
from io import BufferedIOBase
from pathlib import Path
from typing import Any

from limner.errors import LimnerError
from limner.importers.pickled_names import Named, storage_of, storage_type
from limner.importers.stored import Storage, Stored, stored
from limner.importers.stub_unpickler import unpickled

_MAGIC = 0x1950A86A20F9469CFC6C  # of the second kind, at the beginning
_LOCAL = struct.Struct("<26sHH")  # before a part of a zip; the lengths of its name and of what else follows
_MOST_ENTRIES = 200_000
_MOST_PICKLE = 256 * 2**20  # bytes of the pickle of a zip: of names and shapes alone


def read_zip(path: Path) -> Any:
    """What a file of torch 1.6 or later holds.

    Raises:
        LimnerError: If it is damaged, no file of torch's, or a program.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = _entries(archive, path.stat().st_size)
            found = [name for name in entries if name == "data.pkl" or name.endswith("/data.pkl")]
            if len(found) != 1:
                raise LimnerError("it is a zip, and none that torch.save writes: unpack it, and name the file inside")
            root = found[0].removesuffix("data.pkl")
            if any(name.startswith(f"{root}code/") for name in entries):
                raise LimnerError("it is a TorchScript program: save the state_dict of the network instead")
            if f"{root}byteorder" in entries and archive.read(f"{root}byteorder").strip() == b"big":
                raise LimnerError("it was written on a machine of big endian numbers: save it on another one")
            raw = archive.read(entries[found[0]])
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError, EOFError) as error:
        raise LimnerError(f"it is no whole zip ({error})") from None
    rows: dict[str, Storage] = {}

    def persistent(pid: Any) -> Any:
        kind, key, number = _parts(pid)
        if f"{root}data/{key}" not in entries:
            raise LimnerError(f"it lacks its part data/{key[:40]}")
        entry = entries[f"{root}data/{key}"]
        if entry.file_size < number * kind.itemsize:
            raise LimnerError(f"its part data/{key[:40]} should have {number} numbers, and ends before them")
        return rows.setdefault(key, storage_of(kind, number, partial(_of_zip, path, entry, number * kind.itemsize)))

    return unpickled(io.BytesIO(raw), len(raw), persistent)


def _entries(archive: zipfile.ZipFile, size: int) -> dict[str, zipfile.ZipInfo]:
    """By name; together they are no larger than the file, for torch packs nothing."""
    entries = {entry.filename: entry for entry in archive.infolist()}
    if len(entries) > _MOST_ENTRIES or any(one.compress_type != zipfile.ZIP_STORED for one in entries.values()):
        raise LimnerError("it is a zip, and none that torch.save writes: unpack it, and name the file inside")
    if sum(one.file_size for one in entries.values()) > size:
        raise LimnerError("the parts of its zip lie over each other, or beyond its end")
    if any(one.file_size > _MOST_PICKLE for name, one in entries.items() if name.endswith(".pkl")):
        raise LimnerError("its pickle is larger than that of any checkpoint")
    return entries


def _of_zip(path: Path, entry: zipfile.ZipInfo, number: int) -> bytes:
    """The bytes behind an entry's own header; to read the whole directory anew for each would take most of the time."""
    with path.open("rb") as file:
        file.seek(entry.header_offset)
        head = file.read(_LOCAL.size)
        if len(head) < _LOCAL.size or head[:4] != b"PK\x03\x04":
            raise LimnerError(f"its part {entry.filename[:60]} is damaged")
        _, name, extra = _LOCAL.unpack(head)
        file.seek(name + extra, io.SEEK_CUR)
        raw = file.read(number)
    if number == entry.file_size and zlib.crc32(raw) != entry.CRC:
        raise LimnerError(f"its part {entry.filename[:60]} is damaged")
    return raw


def _parts(pid: Any) -> tuple[Any, str, int]:
    """The type, key and length of a storage, by its persistent id."""
    if not isinstance(pid, tuple) or len(pid) < 5 or pid[0] != "storage":
        raise LimnerError("it names parts outside itself")
    _, kind, key, _, number = pid[:5]
    row = storage_of(storage_type(kind), number, bytes)
    return row.dtype, str(key) if isinstance(key, str | int) else "", row.number


def read_legacy(path: Path) -> Any:
    """What a file of torch 0.1.10 to 1.5 holds: pickles, then the numbers.

    Raises:
        LimnerError: If it is damaged.
    """
    end = path.stat().st_size
    places: dict[str, int] = {}
    rows: dict[str, Storage] = {}

    def persistent(pid: Any) -> Any:
        if isinstance(pid, tuple) and len(pid) > 1 and pid[0] == "module" and isinstance(pid[1], Named):
            return pid[1]  # the class of a module; its source, which follows, is left alone
        kind, key, number = _parts(pid)
        view = pid[5] if len(pid) > 5 else None
        row = rows.setdefault(key, storage_of(kind, number, _later(path, places, key, number * kind.itemsize)))
        return row if view is None else _viewed(row, view)

    with path.open("rb") as file:
        _, _, _, tree, keys = (unpickled(file, end, persistent) for _ in range(5))
        _place_rows(file, end, keys, rows, places)
    missing = next((key for key in rows if key not in places), None)
    if missing is not None:
        raise LimnerError(f"it lacks the numbers of its part {missing[:40]}")
    return tree


def _place_rows(file: BufferedIOBase, end: int, keys: Any, rows: dict[str, Storage], places: dict[str, int]) -> None:
    """Find where each row of numbers begins."""
    for key in map(str, keys if isinstance(keys, list) else []):
        head = file.read(8)
        if key not in rows or len(head) != 8:
            raise LimnerError("it ends before its numbers do")
        (number,) = struct.unpack("<q", head)
        row = rows[key]
        if number != row.number or file.tell() + number * row.dtype.itemsize > end:
            raise LimnerError(f"its part {key[:40]} should have {row.number} numbers, and the file ends before them")
        places[key] = file.tell()
        file.seek(number * row.dtype.itemsize, io.SEEK_CUR)


def _later(path: Path, places: dict[str, int], key: str, number: int) -> Callable[[], bytes]:
    def read() -> bytes:
        with path.open("rb") as file:
            file.seek(places[key])
            return file.read(number)

    return read


def _viewed(row: Storage, view: Any) -> Storage:
    """A part of a row: its key, where it begins, and its length."""
    if not isinstance(view, tuple) or len(view) != 3:
        raise LimnerError("it names parts outside itself")
    part: Stored = stored(row, view[1], (view[2],), (1,))
    return Storage(row.dtype, view[2], lambda: part.tensor().numpy().tobytes())


def is_legacy(head: bytes) -> bool:
    """Whether a file begins as `read_legacy` takes it."""
    return _MAGIC.to_bytes(10, "little") in head[:24]


def read_tar(path: Path) -> Any:
    """What a file of torch before 0.1.10 holds: a tar of a pickle, of storages and of tensors.

    Raises:
        LimnerError: If it is damaged.
    """
    try:
        with tarfile.open(path, "r:") as archive:
            parts = {name: _member(archive, name, path) for name in ("storages", "tensors", "pickle")}
    except (tarfile.TarError, OSError, ValueError, EOFError, KeyError) as error:
        raise LimnerError(f"it is no whole tar that torch.save has written ({error})") from None
    rows = _tar_rows(io.BytesIO(parts["storages"]), len(parts["storages"]))
    arrays = _tar_arrays(io.BytesIO(parts["tensors"]), len(parts["tensors"]), rows)

    def persistent(pid: Any) -> Any:
        if isinstance(pid, tuple) and pid and isinstance(pid[0], Named):
            return pid[0]  # the class of a module
        if not isinstance(pid, str | int) or str(pid) not in arrays:
            raise LimnerError("it names parts outside itself")
        return arrays[str(pid)]

    return unpickled(io.BytesIO(parts["pickle"]), len(parts["pickle"]), persistent)


def _member(archive: tarfile.TarFile, name: str, path: Path) -> bytes:
    member = archive.getmember(name)
    if not member.isfile() or member.size > path.stat().st_size:
        raise LimnerError(f"its part {name} is no file, or beyond its end")
    opened = archive.extractfile(member)
    assert opened is not None  # of an ordinary file
    return opened.read(member.size)


def _tar_rows(file: io.BytesIO, end: int) -> dict[str, Storage]:
    """The number of storages, then of each key, place and type, its length, and its numbers; then views."""
    rows: dict[str, Storage] = {}
    for _ in range(_count(unpickled(file, end))):
        told = unpickled(file, end)
        if not isinstance(told, tuple) or len(told) != 3:
            raise LimnerError("it has parts that no checkpoint has")
        key, _, kind = told
        dtype = storage_type(kind)
        (number,) = struct.unpack("<q", file.read(8).ljust(8, b"\xff"))
        if not 0 <= number * dtype.itemsize <= end - file.tell():
            raise LimnerError("it ends before its numbers do")
        raw = file.read(number * dtype.itemsize)
        rows[str(key)] = storage_of(dtype, number, partial(bytes, raw))
    for told in unpickled(file, end) or ():
        if not isinstance(told, tuple) or len(told) != 4 or str(told[1]) not in rows:
            raise LimnerError("it has parts that no checkpoint has")
        rows[str(told[0])] = _viewed(rows[str(told[1])], told[1:])
    return rows


def _tar_arrays(file: io.BytesIO, end: int, rows: dict[str, Storage]) -> dict[str, Stored]:
    """The number of tensors, then of each key, row and type, then its sides, strides and place in the row."""
    arrays: dict[str, Stored] = {}
    for _ in range(_count(unpickled(file, end))):
        told = unpickled(file, end)
        if not isinstance(told, tuple) or len(told) != 3 or str(told[1]) not in rows:
            raise LimnerError("it has parts that no checkpoint has")
        (sides,) = struct.unpack("<i", file.read(4).ljust(4, b"\xff"))
        file.read(4)  # of padding
        if not 0 <= sides <= 16:
            raise LimnerError("an array has no sensible number of sides")
        raw = file.read(8 * (2 * sides + 1))
        if len(raw) != 8 * (2 * sides + 1):
            raise LimnerError("it ends before its arrays do")
        numbers = struct.unpack(f"<{2 * sides + 1}q", raw)
        arrays[str(told[0])] = stored(rows[str(told[1])], numbers[-1], numbers[:sides], numbers[sides:-1])
    return arrays


def _count(value: Any) -> int:
    if not isinstance(value, int) or not 0 <= value <= _MOST_ENTRIES:
        raise LimnerError("it has no sensible number of parts")
    return value
