"""Checkpoints that mean harm: none runs a byte of its own, takes memory or time, and one line refuses each."""

import io
import pickle
import struct
import subprocess
import sys
import tarfile
import time
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from limner.errors import LimnerError
from limner.importers.checkpoint import read_checkpoint
from limner.memory import resident_bytes
from limner.verbs.import_model import import_model

MOST_MORE = 400 * 2**20
MOST_SECONDS = 90

Made = Callable[[Path], bytes]


class Calls:
    """Pickles as the call of a function."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> Any:
        return self.call


def shell(place: Path) -> Calls:
    import os

    return Calls(os.system, f"touch {place / 'ran'}")


def evaluated(place: Path) -> Calls:
    return Calls(eval, f"open({str(place / 'ran')!r}, 'w')")


def zipped(raw: bytes, parts: dict[str, bytes] | None = None, compression: int = zipfile.ZIP_STORED) -> bytes:
    """As torch.save writes it."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", compression) as archive:
        archive.writestr("archive/data.pkl", raw)
        for name, part in {"data/0": bytes(16), **(parts or {})}.items():
            archive.writestr(f"archive/{name}", part)
    return made.getvalue()


def tensor_pickle(
    number: Any = 4, offset: Any = 0, shape: Any = (2, 2), strides: Any = (2, 1), kind: str = "FloatStorage"
) -> bytes:
    """A table of two arrays of the row data/0, by opcodes."""

    def text(word: str) -> bytes:
        return pickle.SHORT_BINUNICODE + bytes([len(word)]) + word.encode()

    def whole(value: Any) -> bytes:
        return pickle.dumps(value, 2)[2:-1]

    storage = (
        pickle.MARK + text("storage") + b"ctorch\n" + kind.encode() + b"\n" + text("0") + text("cpu") + whole(number)
        + pickle.TUPLE + pickle.BINPERSID
    )  # fmt: skip
    one = (
        b"ctorch._utils\n_rebuild_tensor_v2\n" + pickle.MARK + storage + whole(offset) + whole(shape) + whole(strides)
        + pickle.NEWFALSE + b"ccollections\nOrderedDict\n" + pickle.EMPTY_TUPLE + pickle.REDUCE
        + pickle.TUPLE + pickle.REDUCE
    )  # fmt: skip
    pairs = text("a.weight") + one + text("b.weight") + one
    return b"\x80\x02" + pickle.EMPTY_DICT + pickle.MARK + pairs + pickle.SETITEMS + pickle.STOP


def legacy(*values: Any, tail: bytes = b"") -> bytes:
    head = [pickle.dumps(one, 2) for one in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True})]
    return b"".join([*head, *(one if isinstance(one, bytes) else pickle.dumps(one, 2) for one in values)]) + tail


def tarred(parts: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, raw in parts.items():
            member = tarfile.TarInfo(name)
            member.size = len(raw)
            archive.addfile(member, io.BytesIO(raw))
    return made.getvalue()


def nested(depth: int) -> bytes:
    """Lists in lists."""
    return b"\x80\x02" + pickle.EMPTY_LIST * depth + pickle.APPEND * (depth - 1) + pickle.STOP


def doubling_tuples() -> bytes:
    """A tuple whose hash takes 2^200 steps, as the key of a table."""
    grown = pickle.DUP + pickle.TUPLE2
    return b"\x80\x02" + pickle.EMPTY_DICT + pickle.EMPTY_TUPLE + grown * 200 + pickle.NONE + pickle.SETITEM + b"."


def module_of(parts: bytes) -> bytes:
    """A module whose `_modules` are told by opcodes."""
    return (
        b"ctorch.nn\nModule\n)\x81}("
        + b"X\x08\0\0\0_modules"
        + parts
        + b"X\x0b\0\0\0_parameters}X\x08\0\0\0_buffers}ub"
    )


def doubling_modules() -> bytes:
    """Each module holds the next one twice, 50 times: 2^50 paths."""
    made = module_of(b"}")
    for number in range(50):
        key = b"r" + struct.pack("<I", number)  # memo: the module before
        fetch = b"j" + struct.pack("<I", number)
        made = made + key + b"0" + module_of(b"}(X\x01\0\0\0a" + fetch + b"X\x01\0\0\0b" + fetch + b"u")
    return b"\x80\x02" + made + b"."


def self_holding() -> bytes:
    held: list[Any] = []
    held.append({"state_dict": held})
    return pickle.dumps(held, 2)


def lua(*parts: tuple[str, Any]) -> bytes:
    return b"".join(struct.pack(f"<{code}", value) for code, value in parts)


def lua_array(sides: int, shape: int, number: int) -> bytes:
    """A float array in a table under the name `a`."""
    name, kind = b"torch.FloatTensor", b"torch.FloatStorage"
    table = lua(("i", 3), ("i", 1), ("i", 1), ("i", 2), ("i", 1)) + b"a"
    array = lua(("i", 4), ("i", 2), ("i", 3)) + b"V 1" + lua(("i", len(name))) + name + lua(("i", sides))
    array += lua(*[("q", shape)] * max(0, min(sides, 3)), *[("q", 1)] * max(0, min(sides, 3)), ("q", 1))
    row = lua(("i", 4), ("i", 3), ("i", 3)) + b"V 1" + lua(("i", len(kind))) + kind + lua(("q", number))
    return table + array + row


def onnx_elsewhere(place: Path) -> bytes:
    onnx = pytest.importorskip("onnx")
    (place / "secret").write_bytes(bytes(16))
    one = onnx.TensorProto(name="a", dims=[4], data_type=1, data_location=1)
    one.external_data.add(key="location", value=str(place / "secret"))
    made: bytes = onnx.ModelProto(graph=onnx.GraphProto(name="g", initializer=[one])).SerializeToString()
    return made


def numpy_of_objects() -> bytes:
    import numpy as np

    return pickle.dumps({"a": np.array([{}, {}], object), "b": np.zeros(2, "U4")}, 4)


def with_pickle(name: str, made: Callable[[Path], Any], protocol: int = 2) -> dict[str, Made]:
    """One value as a bare pickle and in the three kinds of torch's files."""

    def raw(place: Path) -> bytes:
        return pickle.dumps(made(place), protocol)

    return {
        f"{name}.pkl": raw,
        f"{name}.zip.pth": lambda place: zipped(raw(place)),
        f"{name}.legacy.pth": lambda place: legacy(raw(place), []),
        f"{name}.tar.pth": lambda place: tarred(
            {"storages": pickle.dumps(0, 2) + pickle.dumps([], 2), "tensors": pickle.dumps(0, 2), "pickle": raw(place)}
        ),
    }


FILES: dict[str, Made] = {
    **with_pickle("system", lambda place: {"a": shell(place)}),
    **with_pickle("eval", lambda place: {"a": evaluated(place)}),
    **with_pickle("inside", lambda place: {"state_dict": OrderedDict(a=[{"b": (shell(place), evaluated(place))}])}),
    "eval4.pkl": lambda place: pickle.dumps([evaluated(place)], 4),
    "inst.pkl": lambda place: f"(S'touch {place / 'ran'}'\nios\nsystem\n.".encode(),
    "obj.pkl": lambda place: b"\x80\x02(cos\nsystem\nX\x05\0\0\0touch" + b"o.",
    "newobj.pkl": lambda place: b"\x80\x02cos\nsystem\nX\x05\0\0\0touch\x85\x81.",
    "build.pkl": lambda place: b"\x80\x02cbuiltins\nsetattr\n}X\x08\0\0\0__call__cos\nsystem\nsb.",
    "build-known.pkl": lambda place: b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n}X\x04\0\0\0makecos\nsystem\nsb.",
    "attribute.pkl": lambda place: b"\x80\x04\x8c\x0bcollections\x8c\x14OrderedDict.__init__\x93)R.",
    "extension.pkl": lambda place: b"\x80\x02\x82\x01.",
    "persistent.pkl": lambda place: b"\x80\x02X\x03\0\0\0abcQ.",
    "storages-elsewhere.zip.pth": lambda place: zipped(tensor_pickle(), {"data/0": b""}),
    "long-row.zip.pth": lambda place: zipped(tensor_pickle(number=2**40)),
    "endless-row.zip.pth": lambda place: zipped(tensor_pickle(number=2**80)),
    "negative-row.zip.pth": lambda place: zipped(tensor_pickle(number=-4)),
    "offset.zip.pth": lambda place: zipped(tensor_pickle(offset=3)),
    "negative-offset.zip.pth": lambda place: zipped(tensor_pickle(offset=-1)),
    "large-shape.zip.pth": lambda place: zipped(tensor_pickle(shape=(2**31, 2**31), strides=(0, 0))),
    "strides.zip.pth": lambda place: zipped(tensor_pickle(strides=(2**40, 1))),
    "shape-of-texts.zip.pth": lambda place: zipped(tensor_pickle(shape=("a", "b"))),
    "many-sides.zip.pth": lambda place: zipped(tensor_pickle(shape=(1,) * 60, strides=(1,) * 60)),
    "unknown-type.zip.pth": lambda place: zipped(tensor_pickle(kind="QInt8Storage")),
    "no-type.zip.pth": lambda place: zipped(tensor_pickle(kind="system")),
    "bomb.zip.pth": lambda place: zipped(tensor_pickle(), {"data/0": bytes(200 * 2**20)}, zipfile.ZIP_DEFLATED),
    "two-pickles.zip.pth": lambda place: zipped(tensor_pickle(), {"more/data.pkl": b"N."}),
    "big-endian.zip.pth": lambda place: zipped(tensor_pickle(), {"byteorder": b"big"}),
    "program.zip.pth": lambda place: zipped(tensor_pickle(), {"code/__torch__.py": b"import os"}),
    "cut.zip.pth": lambda place: zipped(tensor_pickle())[:-30],
    "rows-left-out.legacy.pth": lambda place: legacy(tensor_pickle(), ["0"]),
    "row-of-another-length.legacy.pth": lambda place: legacy(tensor_pickle(), ["0"], tail=struct.pack("<q", 2**50)),
    "negative-row.legacy.pth": lambda place: legacy(tensor_pickle(), ["0"], tail=struct.pack("<q", -1)),
    "cut.legacy.pth": lambda place: legacy()[:-5],
    "tar-of-links.pth": lambda place: tarred({"storages": b"", "tensors": b"", "pickle": b""}),
    "tar-count.pth": lambda place: tarred({"storages": pickle.dumps(2**62, 2), "tensors": b"", "pickle": b""}),
    "deep.pkl": lambda place: nested(200_000),
    "hash.pkl": lambda place: doubling_tuples(),
    "modules.pkl": lambda place: doubling_modules(),
    "cycle.pkl": lambda place: self_holding(),
    "long-bytes.pkl": lambda place: b"\x80\x05\x8e" + struct.pack("<Q", 2**40) + b"a.",
    "long-array.pkl": lambda place: b"\x80\x05\x96" + struct.pack("<Q", 2**40) + b"a.",
    "long-frame.pkl": lambda place: b"\x80\x04\x95" + struct.pack("<Q", 2**40) + b"N.",
    "far-memo.pkl": lambda place: b"\x80\x02Nr\xff\xff\xff\xff.",
    "long-number.pkl": lambda place: b"\x80\x02\x8b\xff\xff\xff\x7f\x01.",
    "many-steps.pkl": lambda place: b"\x80\x02" + b"N0" * 600_000 + b"N.",
    "empty-stack.pkl": lambda place: b"\x80\x02R.",
    "no-end.pkl": lambda place: b"\x80\x02}",
    "objects-of-numpy.pkl": lambda place: numpy_of_objects(),
    "lua-cycle.t7": lambda place: lua(("i", 3), ("i", 1), ("i", 1), ("i", 3), ("i", 1), ("i", 3), ("i", 1)),
    "lua-long.t7": lambda place: lua_array(1, 4, 2**40),
    "lua-negative.t7": lambda place: lua_array(1, 4, -1),
    "lua-sides.t7": lambda place: lua_array(2**30, 4, 4),
    "lua-outside.t7": lambda place: lua_array(1, 2**40, 2) + bytes(8),
    "lua-text.t7": lambda place: lua(("i", 2), ("i", 2**31 - 1)) + b"a",
    "lua-pairs.t7": lambda place: lua(("i", 3), ("i", 1), ("i", 2**31 - 1)),
    "lua-deep.t7": lambda place: b"".join(
        lua(("i", 3), ("i", number), ("i", 1), ("i", 5), ("i", 1)) for number in range(5000)
    ),
    "lua-function.t7": lambda place: lua(("i", 8), ("i", 1), ("i", 4)) + b"code" + lua(("i", 0)),
    "lua-cut.t7": lambda place: lua_array(1, 4, 4)[:-3],
    "lua-unknown.t7": lambda place: lua(("i", 4), ("i", 1), ("i", 9)) + b"os.system" + lua(("i", 0)),
    "elsewhere.onnx": onnx_elsewhere,
    "damaged.onnx": lambda place: b"\x08\x07\x3a\xff\xff\xff\xff\x0f" + b"a" * 20,
    "header.safetensors": lambda place: struct.pack("<Q", 2**62) + b"{}",
    "outside.safetensors": lambda place: (
        struct.pack("<Q", 66) + b'{"a":{"dtype":"F32","shape":[9],"data_offsets":[0,36]}}'.ljust(66)
    ),
    "text.pth": lambda place: b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 100\n",
    "page.pth": lambda place: b"<!DOCTYPE html><html>404</html>",
    "keras.h5": lambda place: b"\x89HDF\r\n\x1a\n" + bytes(100),
    "nothing.pth": lambda place: b"",
}


@pytest.mark.parametrize("name", FILES)
def test_a_hostile_file_is_refused_in_one_line_and_runs_nothing(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.write_bytes(FILES[name](tmp_path))
    before, begun = resident_bytes(), time.monotonic()
    with pytest.raises(LimnerError) as caught:
        import_model(file, output=tmp_path / "ours.safetensors")
    assert resident_bytes() - before < MOST_MORE
    assert time.monotonic() - begun < MOST_SECONDS
    assert "\n" not in str(caught.value)
    assert str(file) in str(caught.value)
    assert not (tmp_path / "ran").exists()
    assert not (tmp_path / "ours.safetensors").exists()


def test_these_files_do_run_where_they_are_simply_unpickled(tmp_path: Path) -> None:
    """Else the test above would prove nothing."""
    (tmp_path / "system.pkl").write_bytes(FILES["system.pkl"](tmp_path))
    code = "import pickle, sys; pickle.load(open(sys.argv[1], 'rb'))"
    subprocess.run([sys.executable, "-c", code, tmp_path / "system.pkl"], check=True)
    assert (tmp_path / "ran").exists()


def test_no_module_is_imported_for_a_name_in_a_pickle(tmp_path: Path) -> None:
    (tmp_path / "a.pkl").write_bytes(b"\x80\x02}(X\x01\0\0\0acantigravity\nfly\n)RX\x01\0\0\0bNu.")
    with pytest.raises(LimnerError, match="no named arrays"):
        read_checkpoint(tmp_path / "a.pkl")
    assert "antigravity" not in sys.modules


@pytest.mark.parametrize("is_zip", [True, False])
def test_what_torch_writes_comes_back_as_it_is(tmp_path: Path, is_zip: bool) -> None:
    """Of all types, views into one row, sides of 0, half precision, parameters, and modules saved whole."""
    row = torch.arange(24.0)
    network = torch.nn.Sequential(torch.nn.Conv2d(2, 3, 3), torch.nn.BatchNorm2d(3))
    state = {
        "view": row[2:14].view(3, 4).T,
        "step": row[::3],
        "empty": torch.zeros(0, 3),
        "number": torch.tensor(7),
        "half": row.half(),
        "bfloat": row.bfloat16(),
        "bool": row > 3,
        "parameter": torch.nn.Parameter(row[:5].double()),
    }
    torch.save({"state": state, "net": network, "epoch": 3}, tmp_path / "a", _use_new_zipfile_serialization=is_zip)
    found = {one.place: one.arrays for one in read_checkpoint(tmp_path / "a").candidates}
    for name, tensor in state.items():
        read = found["state"][name].tensor()
        assert read.dtype == tensor.dtype
        assert torch.equal(read, tensor)
    for name, tensor in network.state_dict().items():
        assert torch.equal(found["net"][name].tensor(), tensor)
