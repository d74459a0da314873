"""EXIF blocks, changed byte by byte: what is not understood, such as a maker's note, stays as it is.

CIPA DC-008-2019 (Exif 2.32): section 4.5 (how a block is built) and 4.6 (tags). A block starts with `Exif` and two zero
bytes, and all offsets count from behind them.
"""

import struct
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

EXIF_PREFIX = b"Exif\0\0"

_START = len(EXIF_PREFIX)
_ORIENTATION, _EXIF, _GPS, _INTEROPERABILITY = 274, 0x8769, 0x8825, 0xA005
_WIDTHS, _HEIGHTS = (0x0100, 0xA002), (0x0101, 0xA003)
_THUMBNAIL, _THUMBNAIL_BYTES = 0x0201, 0x0202
_UNIT_BYTES = (0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8)  # by type
_SHORT, _LONG = 3, 4


class _Entry(NamedTuple):
    """A tag of a directory, and where it lies in the block."""

    at: int
    tag: int
    kind: int
    count: int
    value: int
    """Of a short or long one; else where the value lies, if that has more than four bytes."""

    @property
    def size(self) -> int:
        return self.count * (_UNIT_BYTES[self.kind] if self.kind < len(_UNIT_BYTES) else 1)


def orientation_of(exif: bytes | None) -> int:
    """The orientation that a block asks for, from 1 (upright) to 8; 1 where it says nothing that makes sense."""
    found = _orientation_entry(exif or b"")
    return found.value if found else 1


def as_upright(exif: bytes) -> bytes:
    """The same block with the orientation 1, all other bytes untouched."""
    found, order = _orientation_entry(exif), _order(exif)
    return exif if found is None else _with_number(exif, order, found._replace(kind=_SHORT), 1)


def with_size(exif: bytes, width: int, height: int) -> bytes:
    """The same block where what it says of the picture's sides, in pixels, is so."""
    order = _order(exif)
    for directory in _directories(exif, order)[:-1]:
        for entry in _entries(exif, order, directory):
            side = width if entry.tag in _WIDTHS else height if entry.tag in _HEIGHTS else 0
            if side and entry.kind in (_SHORT, _LONG) and entry.count == 1:
                kind = _SHORT if entry.kind == _SHORT and side < 2**16 else _LONG
                exif = _with_number(exif, order, entry._replace(kind=kind), side)
    return exif


def without_thumbnail(exif: bytes) -> bytes:
    """The same block without the small picture in it, which is of what the picture was."""
    order = _order(exif)
    *directories, thumbnail = _directories(exif, order)
    if not thumbnail:
        return exif
    link = _START + _number(exif, order, "I", 4) + 2 + 12 * len(list(_entries(exif, order, directories[0])))
    entries = list(_entries(exif, order, thumbnail))
    spans = [(_START + thumbnail, _START + thumbnail + 2 + 12 * len(entries) + 4)]
    named = {entry.tag: entry.value for entry in entries}
    if _THUMBNAIL in named:
        spans.append((_START + named[_THUMBNAIL], _START + named[_THUMBNAIL] + named.get(_THUMBNAIL_BYTES, 0)))
    spans += [(_START + one.value, _START + one.value + one.size) for one in entries if one.size > 4]
    cleared = bytearray(exif)
    cleared[link : link + 4] = bytes(4)
    for begin, end in spans:
        end = min(end, len(cleared))
        if begin < end:
            cleared[begin:end] = bytes(end - begin)
    last = max(_end_of(exif, order, directory) for directory in directories if directory)
    return bytes(cleared[:last]) if min(begin for begin, _ in spans) >= last else bytes(cleared)


def _order(exif: bytes) -> str:
    """`<` or `>`; `<` too of what is no block, in which nothing is found."""
    return ">" if exif[_START : _START + 4] == b"MM\0*" else "<"


def _directories(exif: bytes, order: str) -> tuple[int, ...]:
    """Where the first one, EXIF's, GPS's, the interoperability's and last the thumbnail's begin; 0 of none."""
    if exif[_START : _START + 4] not in (b"II*\0", b"MM\0*"):
        return (0, 0, 0, 0, 0)
    first = _number(exif, order, "I", 4)
    entries = list(_entries(exif, order, first))
    inner = {entry.tag: entry.value for entry in entries}
    deeper = {entry.tag: entry.value for entry in _entries(exif, order, inner.get(_EXIF, 0))}
    thumbnail = _number(exif, order, "I", first + 2 + 12 * len(entries)) if entries else 0
    return first, inner.get(_EXIF, 0), inner.get(_GPS, 0), deeper.get(_INTEROPERABILITY, 0), thumbnail


def _entries(exif: bytes, order: str, directory: int) -> Iterator[_Entry]:
    """All tags of a directory; none of one that is not there, and no more than there are."""
    if not directory:
        return
    with suppress(struct.error):
        for number in range(_number(exif, order, "H", directory)):
            at = _START + directory + 2 + 12 * number
            tag, kind, count = struct.unpack_from(order + "HHI", exif, at)
            is_short = kind == _SHORT and count == 1
            (value,) = struct.unpack_from(order + ("H" if is_short else "I"), exif, at + 8)
            yield _Entry(at, tag, kind, count, value)


def _number(exif: bytes, order: str, form: str, at: int) -> int:
    """At an offset; 0 beyond the end."""
    with suppress(struct.error):
        return int(struct.unpack_from(order + form, exif, _START + at)[0])
    return 0


def _with_number(exif: bytes, order: str, entry: _Entry, value: int) -> bytes:
    form = "HIHH" if entry.kind == _SHORT else "HII"
    padding = (0,) if entry.kind == _SHORT else ()
    return exif[: entry.at + 2] + struct.pack(order + form, entry.kind, 1, value, *padding) + exif[entry.at + 12 :]


def _end_of(exif: bytes, order: str, directory: int) -> int:
    """Where a directory with all its values ends in the block."""
    entries = list(_entries(exif, order, directory))
    ends = [_START + one.value + one.size for one in entries if one.size > 4]
    return max([_START + directory + 2 + 12 * len(entries) + 4, *ends])


def _orientation_entry(exif: bytes) -> _Entry | None:
    order = _order(exif)
    first = _directories(exif, order)[0]
    for entry in _entries(exif, order, first):
        if entry.tag == _ORIENTATION and entry.count == 1 and entry.kind in (_SHORT, _LONG):
            return entry if 1 <= entry.value <= 8 and entry.at + 12 <= len(exif) else None
    return None
