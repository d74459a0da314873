"""ICC profiles made of primaries, a white and a curve.

ICC.1:2022 (profile version 4.4): section 7.2 (header), 8.3.2 and 8.4 (matrix and gray profiles), annex E (Bradford),
10.18 (parametric curves). Pillow makes one of sRGB alone.
"""

import struct
from collections.abc import Sequence

import numpy as np

_D50 = (0.9642, 1.0, 0.8249)  # of the profile connection space, section 7.2.16
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


def gamma_curve(exponent: float) -> bytes:
    """A curve from numbers to light: light = number ** exponent."""
    return b"para" + bytes(4) + struct.pack(">HH", 0, 0) + _fixed(exponent)


def srgb_curve() -> bytes:
    """The curve of IEC 61966-2-1."""
    return b"para" + bytes(4) + struct.pack(">HH", 3, 0) + _fixed(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


def matrix_profile(white_and_primaries: Sequence[float], curve: bytes, *, is_gray: bool = False) -> bytes:
    """A profile of RGB, or of gray.

    Args:
        white_and_primaries: x and y of white, red, green and blue, as CIE 1931 has them.
        curve: As `gamma_curve` or `srgb_curve` gives it.
        is_gray: For gray only the white counts.

    Raises:
        ValueError: They span no colour space.
    """
    white = _xyz(*white_and_primaries[:2])
    adapted = _adaptation(white)
    tags = {b"desc": _text("made by Limner of what the file said"), b"cprt": _text("CC0"), b"wtpt": _xyz_tag(_D50)}
    if is_gray:
        tags[b"kTRC"] = curve
    else:
        tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
        matrix = adapted @ _rgb_to_xyz(white_and_primaries, white)
        tags |= {name: _xyz_tag(column) for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), matrix.T, strict=True)}
    tags[b"chad"] = b"sf32" + bytes(4) + _fixed(*adapted.ravel())
    return _file(b"GRAY" if is_gray else b"RGB ", tags)


def _rgb_to_xyz(white_and_primaries: Sequence[float], white: np.ndarray) -> np.ndarray:
    """From linear RGB to XYZ: the primaries in the amounts that make white."""
    columns = np.stack([_xyz(*white_and_primaries[at : at + 2]) for at in (2, 4, 6)], axis=1)
    if abs(np.linalg.det(columns)) < 1e-6:
        raise ValueError("the primaries lie on a line")
    return columns * np.linalg.solve(columns, white)


def _xyz(x: float, y: float) -> np.ndarray:
    if not (0 < y <= 1 and 0 <= x <= 1):
        raise ValueError("a colour without light")
    return np.array([x / y, 1.0, (1 - x - y) / y])


def _adaptation(white: np.ndarray) -> np.ndarray:
    """From colours beside one white to those beside D50, by Bradford (annex E)."""
    scale = (_BRADFORD @ np.array(_D50)) / (_BRADFORD @ white)
    return np.linalg.solve(_BRADFORD, scale[:, None] * _BRADFORD)


def _file(space: bytes, tags: dict[bytes, bytes]) -> bytes:
    table, data = struct.pack(">I", len(tags)), b""
    begin, places = 128 + 4 + 12 * len(tags), dict[bytes, int]()
    for name, tag in tags.items():
        if tag not in places:  # curves are shared
            places[tag] = begin + len(data)
            data += tag + bytes(-len(tag) % 4)
        table += struct.pack(">4sII", name, places[tag], len(tag))
    head = struct.pack(">I4sI4s4s4s", begin + len(data), bytes(4), 0x04400000, b"mntr", space, b"XYZ ")
    head += struct.pack(">6H4s", 2026, 1, 1, 0, 0, 0, b"acsp") + bytes(28) + _fixed(*_D50)
    return head + bytes(128 - len(head)) + table + data


def _text(text: str) -> bytes:
    """A multiLocalizedUnicodeType of one record (section 10.15)."""
    coded = text.encode("utf-16-be")
    return b"mluc" + bytes(4) + struct.pack(">II2s2sII", 1, 12, b"en", b"US", len(coded), 28) + coded


def _xyz_tag(xyz: Sequence[float] | np.ndarray) -> bytes:
    return b"XYZ " + bytes(4) + _fixed(*xyz)


def _fixed(*numbers: float) -> bytes:
    """s15Fixed16Number (section 4.6)."""
    return struct.pack(f">{len(numbers)}i", *(round(65536 * number) for number in numbers))
