"""What AVIF and HEIC files say of themselves beside their pixels."""

import io
import struct

import pytest

from limner.files.boxes import Boxes, read_boxes


def box(name, data):
    return struct.pack(">I4s", 8 + len(data), name) + data


def heif(*properties):
    holder = box(b"iprp", box(b"ipco", b"".join(properties)))
    return box(b"ftyp", b"avif" + bytes(8)) + box(b"meta", bytes(4) + box(b"hdlr", bytes(20)) + holder)


NCLX = box(b"colr", b"nclx" + struct.pack(">HHHB", 9, 16, 9, 0x80))


@pytest.mark.parametrize(("flags", "depth"), [(0x00, 8), (0x40, 10), (0x60, 12)])
def test_colour_and_depth(flags, depth):
    data = heif(box(b"colr", b"prof1234567"), box(b"av1C", bytes((0x81, 0, flags, 0))), NCLX)
    assert read_boxes(io.BytesIO(data)) == Boxes(bytes((9, 16, 9, 1)), depth)


def test_a_box_with_a_long_size_in_front():
    data = heif(NCLX)
    long = struct.pack(">I4sQ", 1, b"free", 16 + 5) + bytes(5)
    assert read_boxes(io.BytesIO(data[:20] + long + data[20:])).coding == bytes((9, 16, 9, 1))


@pytest.mark.parametrize("data", [b"", b"\0\0\0\0meta", b"\0\0\0\x09meta\0", heif()[:30], heif(b"\0\0\0\1colr")])
def test_damaged_files_say_nothing(data):
    assert read_boxes(io.BytesIO(data)) == Boxes(None, None)
