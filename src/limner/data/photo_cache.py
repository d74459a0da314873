"""Training pictures that memory need not hold: checked before the first step, read when they are drawn."""

import hashlib
import os
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Generic, TypeVar

from torch import Tensor

from limner.errors import LimnerError
from limner.files.image import is_image_path, read_image

USUAL_BYTES = 2**29
"""That a cache holds where nothing else is asked for."""

_MOST_NAMED = 20  # files in one error
_MOST_THREADS = 4
_HASH_DIGITS = 32

Key = TypeVar("Key")
Prepared = TypeVar("Prepared", Tensor, tuple[Tensor, ...])


class PhotoCache(Generic[Key, Prepared]):
    """What pictures are made of for training, as long as that fits; what was not drawn for the longest goes first.

    What it gives never depends on what it holds. A process that it is sent to begins with an empty one.

    Args of the constructor:
        prepare: From what names a picture to its tensor or tensors; a function of a module, or a method.
        most_bytes: Of all tensors that are held; None takes `USUAL_BYTES`.
    """

    def __init__(self, prepare: Callable[[Key], Prepared], most_bytes: int | None = None) -> None:
        self._prepare: Callable[[Key], Prepared] = prepare
        self.most_bytes = USUAL_BYTES if most_bytes is None else most_bytes
        self._held: OrderedDict[Key, Prepared] = OrderedDict()
        self.held_bytes = 0

    def __call__(self, key: Key) -> Prepared:
        """The tensors of a picture, which are not to be changed."""
        if key in self._held:
            self._held.move_to_end(key)
            return self._held[key]
        prepared = self._prepare(key)
        self._held[key] = prepared
        self.held_bytes += _num_bytes(prepared)
        while self.held_bytes > self.most_bytes:
            self.held_bytes -= _num_bytes(self._held.popitem(last=False)[1])
        return prepared

    def __getstate__(self) -> dict[str, Any]:
        """All but what is held."""
        return {**vars(self), "_held": OrderedDict(), "held_bytes": 0}


def _num_bytes(prepared: Tensor | tuple[Tensor, ...]) -> int:
    return prepared.nbytes if isinstance(prepared, Tensor) else sum(tensor.nbytes for tensor in prepared)


def check_files(files: Sequence[Path], known: Mapping[str, str] | None = None) -> dict[str, str]:
    """Read all files that training will read, and give each a hash of what is in it.

    Args:
        files: Pictures are decoded, so that one that is cut short is found now and not in the middle of the night.
        known: Hashes of an earlier call: a picture that has its hash still is not decoded again.

    Returns:
        From the absolute path of each file to its hash.

    Raises:
        LimnerError: Some cannot be read; the message names them all, or the first ones of very many.
    """
    places = list(dict.fromkeys(file.absolute() for file in files))
    with ThreadPoolExecutor(min(_MOST_THREADS, os.cpu_count() or 1)) as pool:
        found = list(pool.map(lambda place: _checked(place, known or {}), places))
    bad = [one for one in found if isinstance(one, Exception)]
    if len(bad) == 1:
        raise LimnerError(str(bad[0]))
    if bad:
        more = f"; and {len(bad) - _MOST_NAMED} more" if len(bad) > _MOST_NAMED else ""
        raise LimnerError(
            f"{len(bad)} of {len(found)} files of the training data cannot be read: "
            f"{'; '.join(map(str, bad[:_MOST_NAMED]))}{more}: mend them, or take them away"
        )
    return {str(place): one for place, one in zip(places, found, strict=True) if isinstance(one, str)}


def _checked(place: Path, known: Mapping[str, str]) -> str | LimnerError:
    """The hash of a file, or why it cannot be read."""
    try:
        with place.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()[:_HASH_DIGITS]
        if known.get(str(place)) != found and is_image_path(place):
            read_image(place)
    except LimnerError as error:
        return error
    except Exception as error:
        return LimnerError(f"{place}: cannot be read ({' '.join(str(error).split())[:200] or type(error).__name__})")
    return found


def differences(before: Mapping[str, str], now: Mapping[str, str]) -> str | None:
    """What has changed between two lists of files and hashes, in words; None if nothing has."""
    changed = [file for file in now if file in before and before[file] != now[file]]
    gone, new = [file for file in before if file not in now], [file for file in now if file not in before]
    parts = {"changed": changed, "gone": gone, "new": new}
    told = [f"{len(files)} {what} ({_named(files)})" for what, files in parts.items() if files]
    return ", ".join(told) or None


def _named(files: Iterable[str]) -> str:
    names = [Path(file).name for file in files]
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
