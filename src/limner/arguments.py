"""What public functions are given, refused in one line where it cannot be meant, before the work."""

import math
from collections.abc import Iterable
from numbers import Integral, Real
from os import PathLike
from typing import Any, TypeGuard

from limner.errors import LimnerError, did_you_mean

LEAST_TILE = 16
"""Of the side of a tile, in pixels: what smaller ones look at beyond their borders is most of the work."""

MOST_THREADS = 1024
"""Of one process: where OpenMP cannot make as many threads as are asked for, it ends the process without a word."""

REPLACE = "pass --force (overwrite=True in Python) to replace"
"""The mend where a result is already there."""

_MOST_SEED = 2**63 - 1  # of torch's generators
_MOST_DIGITS = 18
_MOST_NUMBERS = 10_000


def check_word(what: str, given: object, known: Iterable[str]) -> None:
    """Refuse a word that is none of some.

    >>> check_word("precision", "exat", ["fast", "exact"])
    Traceback (most recent call last):
    limner.errors.LimnerError: precision must be one of fast, exact, got 'exat': did you mean exact?

    Raises:
        LimnerError: It is none of them.
    """
    words = list(known)
    if not isinstance(given, str) or given not in words:
        mend = did_you_mean(given, words) if isinstance(given, str) else "name one of them"
        raise LimnerError(f"{what} must be one of {', '.join(words)}, got {shown(given)}: {mend}")


def check_whole(what: str, given: object, least: int, mend: str, most: int | None = None) -> None:
    """Refuse what is no whole number from `least` to `most`; None means that there is no choice.

    Raises:
        LimnerError: It is none.
    """
    if given is None or (_is_whole(given) and least <= given and (most is None or given <= most)):
        return
    span = f"of at least {least}" if most is None else f"from {least} to {most}"
    raise LimnerError(f"{what} must be a whole number {span}, got {shown(given)}: {mend}")


def whole_numbers(what: str, text: str) -> list[int]:
    """Numbers and spans of them with commas between.

    >>> whole_numbers("classes", "0-2,7")
    [0, 1, 2, 7]

    Raises:
        LimnerError: It is something else.
    """
    found: list[int] = []
    for part in text.split(","):
        first, dash, last = (word.strip() for word in part.partition("-"))
        are_numbers = first.isdecimal() and (last.isdecimal() or not dash)
        if not are_numbers or max(len(first), len(last)) > _MOST_DIGITS or int(last or first) < int(first):
            raise LimnerError(f"{what} must be whole numbers as 0-3,7, got {shown(text)}: put commas between them")
        span = range(int(first), int(last or first) + 1)
        if len(found) + len(span) > _MOST_NUMBERS:
            raise LimnerError(f"{what} may be at most {_MOST_NUMBERS} numbers, got {shown(text)}: name fewer")
        found += span
    return found


def check_number(what: str, given: object, mend: str) -> None:
    """Refuse what is no number; of which size and sign is for others to say.

    Raises:
        LimnerError: It is none.
    """
    if not isinstance(given, Real):
        raise LimnerError(f"{what} must be a number, got {shown(given)}: {mend}")


def check_finite(what: str, given: object, mend: str) -> None:
    """Refuse what is no number, and what is none in spite of its type: NaN, and the infinities.

    Raises:
        LimnerError: It is none.
    """
    check_number(what, given, mend)
    if not math.isfinite(float(given)):  # type: ignore[arg-type]  # it is a number
        raise LimnerError(f"{what} must be finite, got {shown(given)}: {mend}")


def check_seed(seed: object) -> None:
    """Refuse what is no seed.

    Raises:
        LimnerError: It is no whole number of at least 0, or above 2**63 - 1.
    """
    if not _is_whole(seed) or not 0 <= seed <= _MOST_SEED:
        raise LimnerError(f"seed must be a whole number from 0 to 2**63 - 1, got {shown(seed)}: 0 is the usual one")


def check_steps(steps: object) -> None:
    """Refuse what is no number of steps; None means the usual one.

    Raises:
        LimnerError: It is no whole number of at least 1.
    """
    check_whole("steps", steps, 1, "None takes the usual number")


def check_size(size: object) -> None:
    """Refuse what is no side in pixels, and no height and width; None means that there is no choice.

    Raises:
        LimnerError: It is none.
    """
    sides = size if isinstance(size, tuple | list) else [size]
    if isinstance(size, tuple | list) and (len(size) != 2 or None in size):
        raise LimnerError(f"size must be one side or (height, width), got {shown(size)}: give pixels")
    for side in sides:
        check_whole("size", side, 1, "give pixels")


def check_path(what: str, given: object) -> None:
    """Refuse what names no file.

    Raises:
        LimnerError: It is neither text nor a path, or is empty.
    """
    if not isinstance(given, str | PathLike) or not str(given):
        raise LimnerError(f"{what} must be a path, got {shown(given)}: give it as text or a Path")


def model_text(model: object) -> str:
    """The name of a model, or the path to it, as text.

    Raises:
        LimnerError: It is neither text nor a path.
    """
    if not isinstance(model, str | PathLike) or not str(model):
        raise LimnerError(f"a model must be a name or a path, got {shown(model)}: limner.models() names those built in")
    return str(model)


def shown(given: Any) -> str:
    """A value in few words, on one line."""
    text = repr(given) if isinstance(given, str | int | float | tuple | None) else f"a {type(given).__name__}"
    return text if len(text) <= 80 else f"{text[:77]}..."


def _is_whole(given: object) -> TypeGuard[int]:
    """Also of numpy; True and False are none."""
    return isinstance(given, Integral) and not isinstance(given, bool)
