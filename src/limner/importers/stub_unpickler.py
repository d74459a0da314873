"""Pickles of strangers, read without running anything of theirs.

A pickle is a program that names functions and calls them. Here the few names that arrays are made of stand for
functions of this file, and every other name for an inert class, whose calls and states are kept and nothing else.
"""

import pickle
from collections import OrderedDict
from collections.abc import Callable
from io import BufferedIOBase
from typing import Any, ClassVar

from limner.errors import LimnerError
from limner.importers.pickled_names import KNOWN, Named, NumpyArray, NumpyType, Stub, no_numbers
from limner.importers.stored import Stored

MOST_STEPS = 1_000_000
"""Reads of one pickle: a checkpoint of a thousand tensors takes some tens of thousands."""


class StubUnpickler(pickle._Unpickler):
    """Reads one pickle; the steps of Python's own reader that call, set or hash are replaced.

    Args of the constructor:
        file: Positioned at the pickle; is read no further than it.
        persistent: Gives what persistent ids stand for; without one they are refused.
    """

    def __init__(self, file: "Bounded", persistent: Callable[[Any], Any] | None = None) -> None:
        super().__init__(file, encoding="latin1")
        self._persistent = persistent

    def persistent_load(self, pid: Any) -> Any:
        """Arrays outside the pickle."""
        if self._persistent is None:
            raise LimnerError("it names parts outside itself")
        return self._persistent(pid)

    def find_class(self, module: Any, name: Any) -> Any:
        """What a name stands for: never the thing itself."""
        if not isinstance(module, str) or not isinstance(name, str):
            raise LimnerError("a name is no text")
        if module == "torch" and name.endswith("Storage"):
            return Named(module, name, no_numbers)
        return Named(module, name, KNOWN.get((module, name)))

    def _call(self, what: Any, arguments: Any) -> Any:
        if not isinstance(what, Named) or not isinstance(arguments, tuple):
            raise LimnerError("it calls what is no function")
        return what.called(arguments)

    def load_reduce(self) -> None:
        """A call."""
        arguments = self.stack.pop()
        self.stack[-1] = self._call(self.stack[-1], arguments)

    def load_newobj(self) -> None:
        """A new object of a class."""
        self.load_reduce()

    def load_newobj_ex(self) -> None:
        """The same with named arguments, which are left out."""
        self.stack.pop()
        self.load_reduce()

    def load_build(self) -> None:
        """A state: kept by stubs, of no matter for arrays and tables."""
        state = self.stack.pop()
        made = self.stack[-1]
        if isinstance(made, NumpyArray):
            self.stack[-1] = made.filled(state)
        elif isinstance(made, NumpyType):
            self.stack[-1] = made.with_order(state)
        elif isinstance(made, Stub):
            made.state = state
        elif not isinstance(made, Stored | OrderedDict):
            raise LimnerError("it gives a state to what has none")

    def load_setitem(self) -> None:
        """One pair of a table."""
        value, key = self.stack.pop(), self.stack.pop()
        self._set([key, value])

    def load_setitems(self) -> None:
        """Pairs of a table."""
        self._set(self.pop_mark())

    def load_dict(self) -> None:
        """A table."""
        items = self.pop_mark()
        self.append({})
        self._set(items)

    def _set(self, items: list[Any]) -> None:
        """Keys are plain: the hash of nested tuples can take for ever."""
        table = self.stack[-1]
        for key, value in zip(items[::2], items[1::2], strict=True):
            if isinstance(table, Stub):
                table.items.append((key, value))
            elif not isinstance(table, dict):
                raise LimnerError("it writes into what is no table")
            elif isinstance(key, str | int | float | bool | None):
                table[key] = value
            else:
                table[f"<{type(key).__name__} {len(table)}>"] = value

    def load_append(self) -> None:
        """One value of a list."""
        value = self.stack.pop()
        self._extend([value])

    def load_appends(self) -> None:
        """Values of a list."""
        self._extend(self.pop_mark())

    def _extend(self, values: list[Any]) -> None:
        made = self.stack[-1]
        if not isinstance(made, list | Stub):
            raise LimnerError("it appends to what is no list")
        (made if isinstance(made, list) else made.items).extend(values)

    def load_set(self) -> None:
        """A set, which is kept as a list: its values need no hash."""
        self.append([])

    def load_frozenset(self) -> None:
        """Likewise."""
        self.append(self.pop_mark())

    def load_instance(self) -> None:
        """An instance by a class on the stack, as protocol 1 has it."""
        what, *arguments = self.pop_mark()
        self.append(self._call(what, tuple(arguments)))

    def load_instance_by_name(self) -> None:
        """An instance by the name of its class, as protocol 0 has it."""
        module, name = (self.readline()[:-1].decode("ascii") for _ in range(2))
        self.append(self._call(self.find_class(module, name), tuple(self.pop_mark())))

    def load_refused(self) -> None:
        """What no checkpoint has: buffers outside, and lengths without bytes."""
        raise LimnerError("it has parts that no checkpoint has")

    dispatch: ClassVar[dict[int, Callable[[Any], None]]] = {
        **pickle._Unpickler.dispatch,
        pickle.REDUCE[0]: load_reduce,
        pickle.NEWOBJ[0]: load_newobj,
        pickle.NEWOBJ_EX[0]: load_newobj_ex,
        pickle.BUILD[0]: load_build,
        pickle.SETITEM[0]: load_setitem,
        pickle.SETITEMS[0]: load_setitems,
        pickle.DICT[0]: load_dict,
        pickle.APPEND[0]: load_append,
        pickle.APPENDS[0]: load_appends,
        pickle.EMPTY_SET[0]: load_set,
        pickle.ADDITEMS[0]: load_appends,
        pickle.FROZENSET[0]: load_frozenset,
        pickle.OBJ[0]: load_instance,
        pickle.INST[0]: load_instance_by_name,
        **dict.fromkeys(
            (pickle.BYTEARRAY8[0], pickle.NEXT_BUFFER[0], pickle.READONLY_BUFFER[0], pickle.EXT1[0], pickle.EXT2[0],
             pickle.EXT4[0]), load_refused,
        ),
    }  # fmt: skip


class Bounded:
    """A file of which nothing can be read that is not there, nor in more than so many steps.

    Args of the constructor:
        file: Positioned at its beginning.
        end: The place of its last byte, and one.
    """

    def __init__(self, file: BufferedIOBase, end: int) -> None:
        self._file, self._end, self._left = file, end, MOST_STEPS

    def read(self, number: int) -> bytes:
        """So many bytes."""
        self._left -= 1
        if self._left < 0:
            raise LimnerError("its pickle takes more steps than that of any checkpoint")
        if not 0 <= number <= self._end - self._file.tell():
            raise LimnerError("it ends before its pickle does")
        return self._file.read(number)

    def readline(self) -> bytes:
        """Up to the end of a line."""
        self._left -= 1
        line = self._file.readline(min(2**16, self._end - self._file.tell()))
        if not line.endswith(b"\n"):
            raise LimnerError("it ends before its pickle does")
        return line

    def readinto(self, buffer: Any) -> int:
        """As many bytes as a buffer takes."""
        found = self.read(len(buffer))
        buffer[:] = found
        return len(found)


def unpickled(file: BufferedIOBase, end: int, persistent: Callable[[Any], Any] | None = None) -> Any:
    """What a pickle holds: plain values, arrays as `Stored`, and `Stub`s.

    Args:
        file: At the beginning of the pickle, and behind it when this returns.
        end: Of what may be read.
        persistent: Gives what persistent ids stand for.

    Raises:
        LimnerError: If it is no whole pickle, or holds what no checkpoint does.
    """
    try:
        return StubUnpickler(Bounded(file, end), persistent).load()
    except LimnerError:
        raise
    except Exception as error:  # a reader of damaged bytes may raise anything
        raise LimnerError(f"its pickle is damaged ({type(error).__name__})") from None
