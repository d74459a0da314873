"""The check sum CRC-32C (RFC 3720, section 12.1), of many bytes at once."""

import math

import numpy as np

_POLYNOMIAL = 0x82F63B78  # its bits in the reverse order
_ALL = 0xFFFFFFFF


def _table() -> np.ndarray:
    states: np.ndarray = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        states = np.where(states & 1, states >> 1 ^ _POLYNOMIAL, states >> 1).astype(np.uint32)
    return states


_OF_BYTES = _table()


def crc32c(data: bytes) -> int:
    """The sum of some bytes.

    The sum is linear: rows of equal length are summed side by side, and each sum is carried past the rows after it, as
    32 states of a single bit each tell.

    Args:
        data: Four bytes or more.

    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    rows = math.isqrt(len(data))
    length = -(-len(data) // rows)
    padded = bytearray(rows * length - len(data)) + bytearray(byte ^ 255 for byte in data[:4]) + data[4:]
    columns = np.zeros((length, rows + 32), np.uint8)
    columns[:, :rows] = np.frombuffer(padded, np.uint8).reshape(rows, length).T
    states = np.concatenate([np.zeros(rows, np.uint32), np.uint32(1) << np.arange(32, dtype=np.uint32)])
    for column in columns:
        states = _OF_BYTES[(states ^ column) & 255] ^ (states >> 8)
    sums, carried = states[:rows].tolist(), states[rows:].tolist()
    total = 0
    for one in sums:
        total = _carried(total, carried) ^ one
    return total ^ _ALL


def _carried(state: int, carried: list[int]) -> int:
    """A state past a row of zeros, by what becomes of each of its bits."""
    made = 0
    while state:
        made ^= carried[state.bit_length() - 1]
        state &= (1 << (state.bit_length() - 1)) - 1
    return made


def is_masked(masked: int, data: bytes) -> bool:
    """Whether a sum as LevelDB and TensorFlow write it, turned by 15 bits and moved, is that of some bytes."""
    turned = (masked - 0xA282EAD8) & _ALL
    return (turned >> 17 | turned << 15) & _ALL == crc32c(data)
