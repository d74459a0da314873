"""Checkpoints of TensorFlow as it writes them: tables of LevelDB with messages of protobuf in them."""

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

Written = Literal["packed", "single", "content"]
TYPES = {torch.float32: 1, torch.float64: 2, torch.int32: 3, torch.uint8: 4, torch.int64: 9, torch.bool: 10,
         torch.bfloat16: 14, torch.float16: 19}  # fmt: skip


def crc32c(data: bytes) -> int:
    """One bit after the other."""
    state = 0xFFFFFFFF
    for byte in data:
        state ^= byte
        for _ in range(8):
            state = state >> 1 ^ (0x82F63B78 if state & 1 else 0)
    return state ^ 0xFFFFFFFF


def masked(data: bytes) -> int:
    total = crc32c(data)
    return ((total >> 15 | total << 17) + 0xA282EAD8) & 0xFFFFFFFF


def varint(value: int) -> bytes:
    value, made = value % 2**64, bytearray()
    while value > 127:
        made.append(value & 127 | 128)
        value >>= 7
    return bytes([*made, value])


def whole(number: int, value: int) -> bytes:
    """A field of a whole number, which is left out where it is 0."""
    return varint(number << 3) + varint(value) if value else b""


def long(number: int, held: bytes) -> bytes:
    """A field of a text, a message, or rows of numbers."""
    return varint(number << 3 | 2) + varint(len(held)) + held


def raw(tensor: Tensor) -> bytes:
    return bytes(tensor.contiguous().flatten().view(torch.uint8).numpy().tobytes())


def shape_of(tensor: Tensor) -> bytes:
    return b"".join(long(2, whole(1, side)) for side in tensor.shape)


def block(pairs: list[tuple[bytes, bytes]], compression: int = 0) -> bytes:
    """Every sixteenth key is written out, each of the others from where it differs from the one before."""
    made, restarts, last = bytearray(), [0], b""
    for number, (key, value) in enumerate(pairs):
        shared = 0
        if number % 16:
            while shared < min(len(key), len(last)) and key[shared] == last[shared]:
                shared += 1
        elif number:
            restarts.append(len(made))
        made += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        last = key
    made += struct.pack(f"<{len(restarts)}I", *restarts) + struct.pack("<I", len(restarts))
    return summed(bytes(made), compression)


def summed(made: bytes, compression: int = 0) -> bytes:
    made += bytes([compression])
    return made + struct.pack("<I", masked(made))


def table(pairs: Mapping[bytes, bytes], most: int = 1000, compression: int = 0) -> bytes:
    """A table whose blocks are of about `most` bytes."""
    blocks: list[list[tuple[bytes, bytes]]] = [[]]
    for pair in sorted(pairs.items()):
        if sum(len(key) + len(value) for key, value in blocks[-1]) + sum(map(len, pair)) > most and blocks[-1]:
            blocks.append([])
        blocks[-1].append(pair)
    made, places = bytearray(), []
    for one in blocks:
        written = block(one, compression)
        places.append((one[-1][0], varint(len(made)) + varint(len(written) - 5)))
        made += written
    return with_footer(bytes(made), block(places))


def with_footer(made: bytes, index: bytes) -> bytes:
    meta = block([])
    handles = varint(len(made)) + varint(len(meta) - 5) + varint(len(made + meta)) + varint(len(index) - 5)
    return made + meta + index + handles.ljust(40, b"\0") + (0xDB4775248B80FB57).to_bytes(8, "little")


def message_of(tensor: Tensor, written: Written = "packed") -> bytes:
    """TensorProto, of which a saver fills in the numbers alone."""
    number = 5 if tensor.dtype == torch.float32 else 6
    if written == "content":
        return long(4, raw(tensor))
    if written == "packed":
        return long(number, raw(tensor))
    size = tensor.dtype.itemsize
    tag = varint(number << 3 | (5 if size == 4 else 1))
    return b"".join(tag + raw(one) for one in tensor.flatten())


def first_format(
    tensors: Mapping[str, Tensor], written: Written = "packed", slices: int = 1, most: int = 1000, compression: int = 0
) -> bytes:
    """One table: SavedTensorSlices, all that there is in the first, one array in each of the others."""
    told, pairs = b"", dict[bytes, bytes]()
    for name, tensor in tensors.items():
        extent = b"".join(long(1, b"") for _ in tensor.shape)
        kind = long(2, shape_of(tensor)) + whole(3, TYPES[tensor.dtype])
        told += long(1, long(1, name.encode()) + kind + long(4, extent) * slices)
        saved = long(1, name.encode()) + long(2, extent) + long(3, message_of(tensor, written))
        pairs[b"\0" + name.encode() + b"\0\1" + bytes([1, len(tensor.shape)])] = long(2, saved)
    return table({b"": long(1, told + long(2, whole(1, 12))), **pairs}, most, compression)


def second_format(prefix: Path, tensors: Mapping[str, Tensor]) -> Path:
    """An index, which is returned, and its data."""
    pairs, data = {b"": whole(1, 1) + long(3, whole(1, 1))}, b""
    for name, tensor in tensors.items():
        numbers = raw(tensor)
        place = whole(4, len(data)) + whole(5, len(numbers)) + varint(6 << 3 | 5) + struct.pack("<I", masked(numbers))
        pairs[name.encode()] = whole(1, TYPES[tensor.dtype]) + long(2, shape_of(tensor)) + place
        data += numbers
    Path(f"{prefix}.data-00000-of-00001").write_bytes(data)
    index = Path(f"{prefix}.index")
    index.write_bytes(table(pairs))
    return index
