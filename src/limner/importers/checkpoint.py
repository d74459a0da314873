"""What a checkpoint of any kind holds: named arrays, wherever in it they lie."""

import itertools
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from limner.errors import LimnerError
from limner.files.ordinary import check_ordinary
from limner.importers.lua_modules import lua_arrays, lua_modules
from limner.importers.lua_t7 import read_t7
from limner.importers.onnx_weights import read_onnx
from limner.importers.pickled_names import Stub
from limner.importers.sorted_tables import is_table
from limner.importers.stored import Storage, Stored, in_rows
from limner.importers.stub_unpickler import unpickled
from limner.importers.tensorflow_files import read_tensorflow, told_of_tensorflow
from limner.importers.torch_files import is_legacy, read_legacy, read_tar, read_zip

_AVERAGED = ("params_ema", "g_running", "g_ema", "G_ema", "generator_ema", "netG_ema", "ema", "model_ema")
_PREFIXES = ("module.", "_orig_mod.", "generator_ema.", "generator.", "netG.", "net_g.", "network.", "model.")
_MOST_VALUES = 2_000_000
_DEEPEST = 60  # modules in modules
_DEEPEST_TABLE = 8  # tables in tables
_MOST_MODULES = 100_000
_MOST_PREFIXES = 3
_LONGEST_HEADER = 100_000_000  # bytes that safetensors reads


@dataclass(frozen=True)
class Arrays:
    """Named arrays of one network, or what looks like it.

    Attributes:
        place: Where in the file they lie, as `params_ema`; empty if it holds nothing else.
        arrays: By the names that the file gives them.
        extras: What else stands beside them.
    """

    place: str
    arrays: Mapping[str, Stored]
    extras: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Checkpoint:
    """A file that was read.

    Attributes:
        path: Of the file.
        candidates: What may be a network, averaged weights first.
    """

    path: Path
    candidates: tuple[Arrays, ...]


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint; nothing in it is run.

    Raises:
        LimnerError: If it is none, is damaged, or would take more than its size.
    """
    if path.is_dir():
        raise LimnerError(f"{path} is a folder: name the file of the weights in it")
    check_ordinary(path)
    try:
        found = list(_found(_tree(path)))
        averaged = sorted(found, key=lambda one: not set(one.place.split(".")) & set(_AVERAGED))
        candidates = tuple(itertools.chain.from_iterable(map(_without_prefixes, averaged)))
    except LimnerError as error:
        raise LimnerError(f"{path}: {error}") from None
    except (OSError, RecursionError, MemoryError) as error:
        raise LimnerError(f"{path} cannot be read ({type(error).__name__})") from None
    if not candidates:
        raise LimnerError(f"{path} holds no named arrays of a network: save its state_dict")
    return Checkpoint(path, candidates)


def _tree(path: Path) -> Any:
    with path.open("rb") as file:
        head = file.read(512)
    if is_table(path):
        return read_tensorflow(path)
    if part := told_of_tensorflow(path.name, head):
        raise LimnerError(part)
    if head[:4] == b"PK\x03\x04":
        return read_zip(path)
    if is_legacy(head):
        return read_legacy(path)
    if head[257:262] == b"ustar":
        return read_tar(path)
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") <= _LONGEST_HEADER:
        return _safetensors(path)  # whose length may begin as a pickle does
    if head[:1] == b"\x80":
        with path.open("rb") as file:
            return unpickled(file, path.stat().st_size)
    if head[:4] == b"\x89HDF":
        raise LimnerError("it is a file of Keras or HDF5, which Limner does not read: save the weights with torch")
    if path.suffix.lower() == ".onnx":
        return read_onnx(path)
    if len(head) > 4 and head[0] < 9 and head[1:4] == b"\0\0\0":
        return _of_lua(read_t7(path))
    raise LimnerError(
        "it is no checkpoint that Limner knows: those are of torch (.pth, .pt), pickles, .safetensors, .onnx, .t7, and "
        "TensorFlow's .ckpt and .index"
    )


def _of_lua(tree: Any) -> Any:
    """The arrays of a network by the places of its modules, and these beside them."""
    modules = lua_modules(tree)
    arrays: dict[str, Any] = dict(lua_arrays(modules))
    return arrays | {"lua": modules} if modules else tree


def _safetensors(path: Path) -> dict[str, Stored]:
    try:
        with safe_open(path, framework="pt") as file:
            if "limner" in (file.metadata() or {}):
                raise LimnerError("it is a weight file of Limner already: name it wherever a model is named")
            return {name: _of_safetensors(path, name, file.get_slice(name)) for name in file.keys()}  # noqa: SIM118
    except LimnerError:
        raise
    except (SafetensorError, OSError, ValueError) as error:
        raise LimnerError(f"it is no whole safetensors file ({error})") from None


_SAFE_TYPES = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "F64": torch.float64,
               "I64": torch.int64, "I32": torch.int32, "U8": torch.uint8, "BOOL": torch.bool}  # fmt: skip


def _of_safetensors(path: Path, name: str, part: Any) -> Stored:
    dtype = _SAFE_TYPES.get(part.get_dtype())
    if dtype is None:
        raise LimnerError(f"it holds numbers of a type that Limner does not know ({part.get_dtype()})")

    def read() -> bytes:
        with safe_open(path, framework="pt") as file:
            return bytes(file.get_tensor(name).contiguous().flatten().view(torch.uint8).numpy().tobytes())

    shape = tuple(part.get_shape())
    number = 1
    for side in shape:
        number *= side
    return in_rows(Storage(dtype, number, read), shape)


def _found(tree: Any) -> Iterator[Arrays]:
    """All tables of arrays and all modules in a tree, each once, the outer ones first."""
    waiting: deque[tuple[str, Any]] = deque([("", tree)])
    seen: set[int] = set()
    while waiting:
        place, value = waiting.popleft()
        if id(value) in seen or isinstance(value, Stored) or place.count(".") > _DEEPEST_TABLE:
            continue
        seen.add(id(value))
        if isinstance(value, Stub):
            if one := _of_stub(place, value):
                yield one
                continue
            value = value.state
        if isinstance(value, dict):
            arrays = {key: one for key, one in value.items() if isinstance(key, str) and isinstance(one, Stored)}
            others = {key: one for key, one in value.items() if not isinstance(one, Stored)}
            if len(arrays) > 1:
                yield Arrays(place, arrays, others)
            waiting += [(_joined(place, key), one) for key, one in others.items()]
        elif isinstance(value, list | tuple) and len(value) < 1000:
            waiting += [(_joined(place, key), one) for key, one in enumerate(value)]
        if len(waiting) > _MOST_VALUES:
            raise LimnerError("it holds more values than any checkpoint")


def _joined(place: str, key: Any) -> str:
    word = str(key)[:60] if isinstance(key, str | int) else "?"
    return f"{place}.{word}" if place else word


def _of_stub(place: str, stub: Stub) -> Arrays | None:
    """A module of torch's that was saved whole, or a network of NVIDIA's."""
    if isinstance(stub.state, dict) and isinstance(stub.state.get("_modules"), dict):
        return Arrays(place, dict(_of_module(stub, "", itertools.count())), {"class": stub.name})
    if isinstance(stub.state, dict) and isinstance(stub.state.get("variables"), list):
        return Arrays(place, dict(_of_variables(stub, "", itertools.count())), {"class": stub.name})
    return None


def _of_module(stub: Stub, prefix: str, visits: Iterator[int]) -> Iterator[tuple[str, Stored]]:
    _check_visit(prefix, visits)
    if not isinstance(stub.state, dict):
        return
    for kind in ("_parameters", "_buffers"):
        own = stub.state.get(kind)
        for name, one in own.items() if isinstance(own, dict) else ():
            if isinstance(one, Stored):
                yield f"{prefix}{name}", one
    parts = stub.state.get("_modules")
    for name, part in parts.items() if isinstance(parts, dict) else ():
        if isinstance(part, Stub):
            yield from _of_module(part, f"{prefix}{name}.", visits)


def _check_visit(prefix: str, visits: Iterator[int]) -> None:
    """Modules may hold each other so that a few of them have more paths than can be walked."""
    if prefix.count(".") + prefix.count("/") > _DEEPEST or next(visits) > _MOST_MODULES:
        raise LimnerError("its modules lie deeper in each other than those of any network")


def _of_variables(stub: Stub, prefix: str, visits: Iterator[int]) -> Iterator[tuple[str, Stored]]:
    _check_visit(prefix, visits)
    if not isinstance(stub.state, dict):
        return
    variables = stub.state.get("variables")
    for pair in variables if isinstance(variables, list) else ():
        if isinstance(pair, tuple) and len(pair) == 2 and isinstance(pair[1], Stored):
            yield f"{prefix}{pair[0]}", pair[1]
    parts = stub.state.get("components")
    for name, part in parts.items() if isinstance(parts, dict) else ():
        if isinstance(part, Stub):
            yield from _of_variables(part, f"{prefix}{name}/", visits)


def _without_prefixes(found: Arrays, most: int = _MOST_PREFIXES) -> Iterator[Arrays]:
    """The same, and without what wrappers write before the names."""
    yield found
    for prefix in _PREFIXES:
        inner = {key[len(prefix) :]: one for key, one in found.arrays.items() if key.startswith(prefix)}
        if len(inner) > 1 and most:
            yield from _without_prefixes(Arrays(_joined(found.place, prefix[:-1]), inner, found.extras), most - 1)
