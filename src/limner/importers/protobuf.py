"""Messages of protobuf without their description: the fields as they lie in the bytes."""

from collections.abc import Iterator
from typing import NamedTuple

from limner.errors import LimnerError

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_FEW = 64


class Field(NamedTuple):
    """A field of a message.

    Attributes:
        number: That the message's description gives it.
        value: Of a whole number, without sign; else 0.
        start: Of what it holds: a text, a message, rows of numbers, one number.
        stop: The byte after it.
        is_long: Whether it tells its own length.
    """

    number: int
    value: int
    start: int
    stop: int
    is_long: bool


def varint(raw: bytes, place: int, stop: int) -> tuple[int, int]:
    """A whole number of 64 bits, seven in a byte, and the place after it.

    Raises:
        LimnerError: If it goes on beyond `stop` or is longer.
    """
    value = 0
    for shift in range(0, 70, 7):
        if place >= stop:
            break
        byte = raw[place]
        place += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, place
    raise LimnerError("a number in it has no end: get the file once more")


def fields(raw: bytes, start: int, stop: int, most: int = _FEW) -> Iterator[Field]:
    """The fields of the message that lies from `start` up to `stop`.

    Raises:
        LimnerError: If one goes on beyond it, or there are more than `most`.
    """
    for _ in range(most):
        if start == stop:
            return
        tag, place = varint(raw, start, stop)
        value, length = 0, {_FIXED64: 8, _FIXED32: 4}.get(tag & 7, 0)
        if tag & 7 == _VARINT:
            value, start = varint(raw, place, stop)
            length = start - place
        elif tag & 7 == _BYTES:
            length, place = varint(raw, place, stop)
        elif not length:
            raise LimnerError("a message in it has fields of no known kind: get the file once more")
        if length > stop - place:
            raise LimnerError("a message in it goes beyond its end: get the file once more")
        start = place + length
        yield Field(tag >> 3, value, place, start, tag & 7 == _BYTES)
    if start != stop:
        raise LimnerError(f"a message in it has more than the {most} fields of any checkpoint")
