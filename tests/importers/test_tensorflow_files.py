"""Checkpoints of TensorFlow: their two formats, whole and damaged."""

import struct
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from tests.tensorflow_files import (
    Written,
    block,
    first_format,
    long,
    raw,
    second_format,
    summed,
    table,
    varint,
    whole,
    with_footer,
)
from tests.tensorflow_files import crc32c as slowly

from limner.errors import LimnerError
from limner.importers.checkpoint import read_checkpoint
from limner.importers.crc32c import crc32c
from limner.verbs.import_model import import_model

ANY = {
    "a": torch.arange(12.0).view(3, 4),
    "a/double": torch.rand(3).double(),
    "global_step": torch.tensor(7, dtype=torch.int64),
    "half": torch.rand(4).half(),
    "bfloat": torch.rand(2, 2).bfloat16(),
    "int": torch.arange(3, dtype=torch.int32),
    "byte": torch.arange(3, dtype=torch.uint8),
    "bool": torch.tensor([True, False]),
    "number": torch.tensor(0.5),
    "empty": torch.rand(0, 3),
    **{f"long/name/of/many/{number}": torch.rand(number) for number in range(1, 40)},
}


def test_what_the_second_format_holds_comes_back_as_it_is(tmp_path: Path) -> None:
    (read,) = read_checkpoint(second_format(tmp_path / "model.ckpt-1000", ANY)).candidates
    assert read.arrays.keys() == ANY.keys()
    for name, one in ANY.items():
        assert read.arrays[name].tensor().dtype == one.dtype
        assert torch.equal(read.arrays[name].tensor(), one)


@pytest.mark.parametrize("written", ["packed", "single", "content"])
@pytest.mark.parametrize("most", [1, 200, 10**6])
def test_floats_of_the_first_format_come_back_as_they_are(tmp_path: Path, written: Written, most: int) -> None:
    floats = {name: one for name, one in ANY.items() if one.dtype in (torch.float32, torch.float64)}
    (tmp_path / "model.ckpt-1000").write_bytes(first_format(ANY, written, most=most))
    (read,) = read_checkpoint(tmp_path / "model.ckpt-1000").candidates
    assert read.arrays.keys() == floats.keys()
    assert all(torch.equal(read.arrays[name].tensor(), one) for name, one in floats.items())


@pytest.mark.parametrize("number", [*range(4, 40), 1000, 4099])
def test_the_sum_is_that_of_one_byte_after_the_other(number: int) -> None:
    data = raw(torch.randint(256, (number,), dtype=torch.uint8))
    assert crc32c(data) == slowly(data)
    assert crc32c(b"123456789") == 0xE3069283  # the check value of the sum's catalogue
    assert crc32c(bytes(32)) == 0x8A9136AA  # RFC 3720, B.4


SMALL = {"a": torch.arange(6.0).view(2, 3), "b": torch.rand(40)}
META = long(1, long(1, long(1, b"a") + long(2, long(2, whole(1, 6))) + whole(3, 1)))


def of(data: bytes, meta: bytes = META) -> bytes:
    return table({b"": meta, b"\0a": data})


def sized(*sides: int) -> bytes:
    shape = b"".join(long(2, whole(1, side)) for side in sides)
    return of(long(2, long(1, b"a") + long(3, b"")), long(1, long(1, long(1, b"a") + long(2, shape) + whole(3, 1))))


def changed(place: int) -> bytes:
    made = bytearray(first_format(SMALL))
    made[place] ^= 1
    return bytes(made)


def index_of(offset: int, length: int, before: bytes = b"") -> bytes:
    handle = varint(offset) + varint(length)
    return with_footer(before, block([(b"a", handle)]))


def entry(shared: int, own: int, length: int, key: bytes = b"") -> bytes:
    made = summed(varint(shared) + varint(own) + varint(length) + key + struct.pack("<II", 0, 1))
    return index_of(0, len(made) - 5, made)


def twice() -> bytes:
    made = block([(b"", META)])
    return with_footer(made, block([(bytes([key]), varint(0) + varint(len(made) - 5)) for key in (1, 2)]))


BROKEN: dict[str, Callable[[], bytes]] = {
    "footer alone": lambda: bytes(40) + (0xDB4775248B80FB57).to_bytes(8, "little"),
    "magic alone": lambda: (0xDB4775248B80FB57).to_bytes(8, "little"),
    "without its end": lambda: first_format(SMALL)[:-20],
    "without its middle": lambda: first_format(SMALL)[:60] + first_format(SMALL)[90:],
    "a byte of the first block": lambda: changed(12),
    "a number": lambda: changed(160),
    "a sum": lambda: changed(first_format(SMALL).index(b"\0\0\0\0\1\0\0\0\0") + 10),
    "snappy": lambda: first_format(SMALL, compression=1),
    "of another compression": lambda: first_format(SMALL, compression=7),
    "in slices": lambda: first_format(SMALL, slices=2),
    "no key of nothing": lambda: table({b"a": b""}),
    "no entries": lambda: with_footer(b"", block([])),
    "block beyond the end": lambda: index_of(0, 2**40),
    "block far away": lambda: index_of(2**63, 4),
    "block of nothing": lambda: index_of(0, 0, bytes(40)),
    "a block twice": twice,
    "shares a key that is not there": lambda: entry(5, 0, 0),
    "a key beyond the block": lambda: entry(0, 100, 0),
    "a value beyond the block": lambda: entry(0, 0, 2**62),
    "a key without end": lambda: entry(0, 9000, 0, bytes(9000)),
    "restarts beyond the block": lambda: index_of(0, 4, summed(b"\xff\xff\xff\xff")),
    "message beyond its end": lambda: of(b"\x12\xff\xff\x03abc"),
    "number without end": lambda: of(b"\xff" * 12),
    "group": lambda: of(b"\x0b\x0c"),
    "nothing told": lambda: of(long(2, long(1, b"b") + long(3, b""))),
    "large": lambda: sized(2**31, 2**31),
    "negative": lambda: sized(-1),
    "many sides": lambda: sized(*[1] * 60),
    "very many sides": lambda: sized(*[1] * 5000),
    "no data": lambda: sized(4),
    "many fields": lambda: of(whole(9, 1) * 1000),
    "big endian": lambda: table({b"": whole(1, 1) + whole(2, 1)}),
    "an index by another name": lambda: table({b"": whole(1, 1)}),
}


def bomb() -> bytes:
    """Four bytes for each key of four thousand."""
    key, again = bytes(4000), varint(4000) + bytes(2)
    made = summed(varint(0) + varint(4000) + varint(0) + key + again * 150_000 + struct.pack("<II", 0, 1))
    return index_of(0, len(made) - 5, made)


def refusal(file: Path, read: Callable[[Path], object] = read_checkpoint) -> str:
    with pytest.raises(LimnerError) as caught:
        read(file)
    assert "\n" not in str(caught.value)
    assert str(file) in str(caught.value)
    return str(caught.value)


def importing(file: Path) -> str:
    told = refusal(file, lambda file: import_model(file, output=file.parent / "ours.safetensors"))
    assert not (file.parent / "ours.safetensors").exists()
    return told


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_refused_in_one_line(tmp_path: Path, name: str) -> None:
    (tmp_path / "wave.ckpt").write_bytes(BROKEN[name]())
    told = refusal(tmp_path / "wave.ckpt")
    assert "holds no named arrays" not in told  # as of one that was read
    assert importing(tmp_path / "wave.ckpt") == told


def test_a_table_of_many_long_keys_takes_no_time(tmp_path: Path) -> None:
    (tmp_path / "wave.ckpt").write_bytes(bomb())
    begun = time.process_time()
    refusal(tmp_path / "wave.ckpt")
    assert time.process_time() - begun < 20


def test_the_file_of_those_tests_is_whole_before_it_is_broken(tmp_path: Path) -> None:
    """Else they would prove nothing."""
    (tmp_path / "wave.ckpt").write_bytes(first_format(SMALL))
    (read,) = read_checkpoint(tmp_path / "wave.ckpt").candidates
    assert torch.equal(read.arrays["a"].tensor(), SMALL["a"])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a number", "its table is damaged"),
        ("without its end", "a checkpoint of TensorFlow without its end"),
        ("snappy", "compressed by Snappy"),
        ("in slices", "'a' lies in several slices"),
        ("large", "has 0 bytes"),
        ("no key of nothing", "a table, and of no checkpoint"),
        ("an index by another name", "name it .index"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "wave.ckpt").write_bytes(BROKEN[name]())
    assert message in refusal(tmp_path / "wave.ckpt")


def test_any_cut_of_a_file_is_refused(tmp_path: Path) -> None:
    made = first_format(SMALL)
    for length in range(8, len(made), 7):
        (tmp_path / "wave.ckpt").write_bytes(made[:length])
        assert "get the file once more" in refusal(tmp_path / "wave.ckpt")


def test_an_index_without_its_data_names_them(tmp_path: Path) -> None:
    index = second_format(tmp_path / "fns.ckpt", SMALL)
    data = tmp_path / "fns.ckpt.data-00000-of-00001"
    assert "name fns.ckpt.index, beside it" in refusal(data)
    whole_data = data.read_bytes()
    data.write_bytes(whole_data[:-1])
    assert "lies beyond the end" in refusal(index)
    data.write_bytes(bytes([whole_data[0] ^ 1]) + whole_data[1:])
    (read,) = read_checkpoint(index).candidates
    assert torch.equal(read.arrays["b"].tensor(), SMALL["b"])
    with pytest.raises(LimnerError, match="are damaged"):
        read.arrays["a"].tensor()
    data.unlink()
    assert "fns.ckpt.data-00000-of-00001: there is no such file" in refusal(index)


def test_another_network_of_tensorflow_is_told_as_one_that_is_not_known(tmp_path: Path) -> None:
    (tmp_path / "net.ckpt").write_bytes(first_format(SMALL))
    assert "holds 2 arrays (a, b, ...) of no network that Limner reads" in importing(tmp_path / "net.ckpt")
