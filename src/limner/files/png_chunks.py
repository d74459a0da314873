"""The chunks of a PNG that are not pixels: what is wrong with them costs themselves and not the picture.

ISO/IEC 15948:2004 and W3C, Portable Network Graphics, third edition, 2025 (cICP). Pillow refuses the whole file for any
of them, where viewers leave them out.
"""

import io
import struct
import zlib
from typing import NamedTuple

from limner.files.header import ImageBytes

SIGNATURE = b"\x89PNG\r\n\x1a\n"

_MOST_TEXT = 2**20  # bytes of a text once it is unpacked: Pillow's limit
_MOST_TEXTS = 2**26  # of all texts: Pillow's limit; of all that is unpacked here
_MOST_PROFILE = 2**24  # bytes of a colour profile, as JPEG's 255 segments hold
_MOST_CHUNK = 2**26
_LEAST = {b"gAMA": 4, b"cHRM": 32, b"sRGB": 1, b"pHYs": 9}
_TEXTS = {b"tEXt": "text", b"zTXt": "text", b"iTXt": "text"}
_WORDS = {**_TEXTS, b"iCCP": "colour profile", b"eXIf": "EXIF", b"tRNS": "transparency", b"gAMA": "gamma",
          b"cHRM": "primaries", b"sRGB": "colour space", b"cICP": "colour space", b"pHYs": "resolution"}  # fmt: skip
_FRAMES = (b"acTL", b"fcTL", b"fdAT")


class Chunks(NamedTuple):
    """What a walk through the chunks finds.

    Attributes:
        coding: The four bytes of cICP: primaries, transfer, matrix and range, as ITU-T H.273 numbers them.
        profile: A colour profile that is too large for Pillow, and sound.
        notes: What is left out, and why.
        left_out: Where it begins and ends in the file.
    """

    coding: bytes | None
    profile: bytes | None
    notes: tuple[str, ...]
    left_out: tuple[tuple[int, int], ...]


def walk(file: ImageBytes) -> Chunks:
    """Look at all chunks that are not pixels; the walk ends where the file is cut short."""
    coding = profile = None
    notes, left_out, texts = list[str](), list[tuple[int, int]](), 0
    file.seek(len(SIGNATURE))
    while len(head := file.read(8)) == 8:
        size, name = struct.unpack(">I4s", head)
        begin = file.tell() - 8
        if not name.isalpha() or name == b"IEND":
            break
        if name[:1].isupper() or name in _FRAMES:  # what decoding needs is the decoder's to judge
            file.seek(size + 4, io.SEEK_CUR)
            continue
        data, sum_there = None, b""
        if size <= _MOST_CHUNK:
            data, sum_there = file.read(size), file.read(4)
            if len(sum_there) < 4:
                break
        else:
            file.seek(size + 4, io.SEEK_CUR)
        fault, length = _fault(name, data, sum_there, max(0, _MOST_TEXTS - texts))
        texts += length
        if fault and name == b"iCCP" and data is not None and texts <= _MOST_TEXTS:
            profile = _large_profile(data)
            texts += _MOST_PROFILE
        if fault and profile is None:
            notes.append(f"its {_WORDS.get(name, name.decode())} is left out: {fault}")
        if fault:
            left_out.append((begin, file.tell()))
        elif name == b"cICP" and data is not None and len(data) == 4:
            coding = data
    return Chunks(coding, profile, tuple(dict.fromkeys(notes)), tuple(left_out))


def without(file: ImageBytes, left_out: tuple[tuple[int, int], ...]) -> ImageBytes:
    """The file without some of its bytes."""
    if not left_out:
        file.seek(0)
        return file
    file.seek(0)
    whole = file.read()
    begins, ends = [0, *(end for _, end in left_out)], [*(begin for begin, _ in left_out), len(whole)]
    return io.BytesIO(b"".join(whole[begin:end] for begin, end in zip(begins, ends, strict=True)))


def _fault(name: bytes, data: bytes | None, sum_there: bytes, room: int) -> tuple[str, int]:
    """What is wrong with a chunk, or nothing; and how many bytes of text it holds, or had to be unpacked of it.

    Args:
        name: Of its kind.
        data: None of what is too large to be read.
        sum_there: The checksum behind it.
        room: Bytes of text that are still taken: nothing is unpacked beyond them.
    """
    if data is None:
        return f"it has more than {_MOST_CHUNK // 2**20} MB", 0
    if zlib.crc32(data, zlib.crc32(name)) != int.from_bytes(sum_there):
        return "its checksum is wrong", 0
    if len(data) < _LEAST.get(name, 0):
        return "it is cut short", 0
    packed = _packed(name, data)
    if packed is None and name not in _TEXTS:
        return "", 0
    if packed is not None and not packed.startswith(b"\0"):
        return "it is packed in a way that no standard names", 0
    length = len(data) if packed is None else len(_unpacked(packed[1:], min(_MOST_TEXT, room)))
    if packed is not None and length > _MOST_TEXT:
        return f"it has more than {_MOST_TEXT // 2**20} MB", length
    if length > room:
        return f"with the others it has more than {_MOST_TEXTS // 2**20} MB", length
    return "", length


def _packed(name: bytes, data: bytes) -> bytes | None:
    """The method and what it packs; None of what is not packed."""
    _, _, rest = data.partition(b"\0")
    if name in (b"iCCP", b"zTXt"):
        return rest or b"\0"
    if name != b"iTXt" or not rest.startswith(b"\1"):
        return None
    return rest[1:2] + rest[2:].split(b"\0", 2)[-1]


def _unpacked(data: bytes, most: int) -> bytes:
    """At most one byte more than is allowed; nothing of what is damaged."""
    try:
        return zlib.decompressobj().decompress(data, most + 1)
    except zlib.error:
        return b""


def _large_profile(data: bytes) -> bytes | None:
    """A profile whose length is what its header says (ICC.1:2022, section 7.2)."""
    profile = _unpacked(data.partition(b"\0")[2][1:], _MOST_PROFILE)
    is_sound = profile[36:40] == b"acsp" and int.from_bytes(profile[:4]) == len(profile) <= _MOST_PROFILE
    return profile if is_sound else None
