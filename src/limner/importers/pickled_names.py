"""What the names in a stranger's pickle stand for: arrays and tables by functions of this file, all else by stubs."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import torch

from limner.errors import LimnerError
from limner.importers.stored import STORAGES, Storage, of_numpy, stored


class Stub:
    """What a pickle would have made of a class of its own: the name, what it was called with, and its state."""

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name
        self.arguments: tuple[Any, ...] = ()
        self.state: Any = None
        self.items: list[Any] = []


class Named:
    """A name in a pickle, which can be called and does nothing but what Limner does for it.

    Args of the constructor:
        module: As the pickle has it.
        name: Likewise.
        make: What a call gives; None gives a `Stub`.
    """

    __slots__ = ("make", "module", "name")

    def __init__(self, module: str, name: str, make: Callable[..., Any] | None = None) -> None:
        self.module, self.name, self.make = module, name, make

    def called(self, arguments: tuple[Any, ...]) -> Any:
        """What a call gives."""
        if self.make is not None:
            return self.make(*arguments)
        stub = Stub(self.module, self.name)
        stub.arguments = arguments
        return stub


class NumpyType:
    """A type of numpy's numbers."""

    def __init__(self, code: str, order: str = "=") -> None:
        self.code, self.order = code, order

    def with_order(self, state: Any) -> "NumpyType":
        """The same with the order of bytes that a state tells."""
        order = state[1] if isinstance(state, tuple) and len(state) > 1 else "<"
        return NumpyType(self.code, order if isinstance(order, str) and order in tuple("<>=|") else "<")


class NumpyArray:
    """An array of numpy's that has no state yet."""

    def filled(self, state: Any) -> Any:
        """The array, by numpy's state: version, shape, type, order of sides, bytes."""
        if not isinstance(state, tuple) or len(state) != 5:
            raise LimnerError("an array of numpy's is told by values that are none")
        _, shape, kind, columns_first, raw = state
        raw = raw.encode("latin1") if isinstance(raw, str) else raw
        if not isinstance(kind, NumpyType) or not isinstance(raw, bytes) or not isinstance(shape, tuple):
            return []  # of objects or texts
        code = kind.code if kind.code[:1] not in "<>=|" else kind.code[1:]
        order = "<" if kind.order in "=|" else kind.order
        found = of_numpy(raw, f"{order}{code}", shape[::-1] if columns_first else shape)
        if columns_first:
            return stored(found.storage, 0, found.shape[::-1], found.strides[::-1])
        return found


def _numpy_type(code: Any, *_: Any) -> Any:
    return NumpyType(code) if isinstance(code, str) and len(code) < 8 else Stub("numpy", "dtype")


def _encoded(text: Any, encoding: Any = "latin1", *_: Any) -> bytes:
    """How protocol 2 writes bytes."""
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise LimnerError("bytes are told by values that are none")
    return text.encode("latin1")


def _table(*arguments: Any) -> Any:
    """An ordered table, perhaps of a list of pairs."""
    table: dict[Any, Any] = OrderedDict()
    for pair in arguments[0] if arguments and isinstance(arguments[0], list) else ():
        if not isinstance(pair, tuple | list) or len(pair) != 2 or not isinstance(pair[0], str | int):
            raise LimnerError("a table is told by values that are none")
        table[pair[0]] = pair[1]
    return table


def _of_parameter(data: Any = None, *_: Any) -> Any:
    return data


def _instance(what: Any, *_: Any) -> Any:
    if not isinstance(what, Named):
        raise LimnerError("it calls what is no function")
    return what.called(())


def _of_class(what: Any, *arguments: Any) -> Any:
    if not isinstance(what, Named):
        raise LimnerError("it calls what is no function")
    return what.called(arguments)


def _tensor(storage: Any, offset: Any, shape: Any, strides: Any, *_: Any) -> Any:
    return stored(storage, offset, shape, strides)


def _size(shape: Any = (), *_: Any) -> Any:
    return tuple(shape) if isinstance(shape, list | tuple) else ()


def no_numbers(*_: Any) -> Any:
    """Refuse to make a storage by a call."""
    raise LimnerError("it holds numbers outside its storages")


_NUMPY = [(f"numpy.{core}.multiarray", "_reconstruct") for core in ("core", "_core")]
KNOWN: dict[tuple[str, str], Callable[..., Any]] = {
    ("collections", "OrderedDict"): _table,
    ("torch._utils", "_rebuild_tensor"): _tensor,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch._utils", "_rebuild_tensor_v3"): _tensor,
    ("torch._utils", "_rebuild_parameter"): _of_parameter,
    ("torch.nn.parameter", "Parameter"): _of_parameter,
    ("torch.autograd.variable", "Variable"): _of_parameter,
    ("torch", "Size"): _size,
    ("copyreg", "_reconstructor"): _instance,
    ("copy_reg", "_reconstructor"): _instance,
    ("copyreg", "__newobj__"): _of_class,
    ("copy_reg", "__newobj__"): _of_class,
    ("torch._tensor", "_rebuild_from_type_v2"): lambda what, _, arguments, *__: _of_class(what, *arguments),
    ("numpy", "dtype"): _numpy_type,
    ("_codecs", "encode"): _encoded,
    **dict.fromkeys(_NUMPY, lambda *_: NumpyArray()),
}


def storage_type(named: Any) -> torch.dtype:
    """Of the name of a storage's class.

    Raises:
        LimnerError: If there is no such type.
    """
    word = named.name.removesuffix("Storage") if isinstance(named, Named) else ""
    if word not in STORAGES:
        raise LimnerError(f"it holds numbers of a type that Limner does not know ({word[:40] or 'none'})")
    return STORAGES[word]


def storage_of(dtype: torch.dtype, number: Any, read: Callable[[], bytes]) -> Storage:
    """A row of numbers that a pickle tells.

    Raises:
        LimnerError: If it has no sensible length.
    """
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < 2**62:
        raise LimnerError("a row of numbers has no sensible length")
    return Storage(dtype, number, read)
