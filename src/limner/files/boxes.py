"""The boxes of AVIF and HEIC files that say what Pillow does not: colour and bit depth.

ISO/IEC 14496-12 (boxes), 23008-12 (HEIF: meta, iprp, ipco), AV1 in ISO files, section 2.3 (av1C).
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from limner.files.header import ImageBytes

_MOST_META = 2**24  # bytes; it holds no pixels
_HOLDERS = (b"iprp", b"ipco")


class Boxes(NamedTuple):
    """What the boxes say.

    Attributes:
        coding: Primaries, transfer, matrix and range, as ITU-T H.273 numbers them, of the first `nclx`.
        bit_depth: Of the samples as they are coded; None where it is not said.
    """

    coding: bytes | None
    bit_depth: int | None


def read_boxes(file: ImageBytes) -> Boxes:
    """Look into the box `meta`; of a damaged file that is what is found."""
    coding, depth = None, None
    for name, data in _inside(_meta(file)[4:]):
        if name == b"colr" and data[:4] == b"nclx" and len(data) >= 11 and coding is None:
            primaries, transfer, matrix = struct.unpack_from(">HHH", data, 4)
            if max(primaries, transfer, matrix) < 256:
                coding = bytes((primaries, transfer, matrix, data[10] >> 7))
        if name == b"av1C" and len(data) >= 3 and depth is None:
            depth = (8, 8, 10, 12)[data[2] >> 5 & 3]
    return Boxes(coding, depth)


def with_coding(avif: bytes, primaries: int, transfer: int) -> bytes:
    """The same file, as Pillow writes it, with other colours said by its `nclx`; Pillow can only say sRGB."""
    at = avif.index(b"colrnclx") + 8
    return avif[:at] + struct.pack(">HH", primaries, transfer) + avif[at + 4 :]


def _meta(file: ImageBytes) -> bytes:
    file.seek(0)
    while len(head := file.read(8)) == 8:
        size, name = struct.unpack(">I4s", head)
        if size == 1:
            size = int.from_bytes(file.read(8)) - 8
        if name == b"meta":
            return file.read(min(size - 8, _MOST_META)) if size >= 8 else b""
        if size < 8:
            break
        file.seek(size - 8, 1)
    return b""


def _inside(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """All boxes, and those in the boxes that hold others."""
    at = 0
    while at + 8 <= len(data):
        size, name = struct.unpack_from(">I4s", data, at)
        if size < 8:
            return
        inner = data[at + 8 : at + size]
        if name in _HOLDERS:
            yield from _inside(inner)
        else:
            yield name, inner
        at += size
