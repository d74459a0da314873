"""The 1000 classes of the ImageNet challenge (ILSVRC-2012) by name, as the synsets of WordNet name them."""

import difflib
from functools import cache
from pathlib import Path

from limner.errors import LimnerError

_NAMES = Path(__file__).with_suffix(".txt")  # a class a line, its names with commas between
_NEAR = 5  # names that are offered in place of one that is not there


@cache
def class_names() -> tuple[str, ...]:
    """The first name of each class, by number.

    >>> class_names()[281]
    'tabby'
    """
    return tuple(names[0] for names in _synonyms())


def find_class(name: str) -> int:
    """The number of a class from one of its names, in small letters or capital ones, or from the number itself.

    A name that comes first in one class and later in another means the first.

    >>> find_class("Tabby cat"), find_class("281")
    (281, 281)

    Raises:
        LimnerError: If there is no such class, or the name stands for two.
    """
    wanted = " ".join(name.lower().replace("_", " ").split())
    if wanted.isdecimal():
        if int(wanted) < len(_synonyms()):
            return int(wanted)
        raise LimnerError(f"classes have numbers from 0 to {len(_synonyms()) - 1}, got {name}")
    found = [number for number, names in enumerate(_lower()) if wanted == names[0]]
    found = found or [number for number, names in enumerate(_lower()) if wanted in names]
    if len(found) == 1:
        return found[0]
    if found:
        both = " or ".join(f"{number} ({', '.join(_synonyms()[number])})" for number in found)
        raise LimnerError(f"{name!r} stands for more than one class: give the number, {both}")
    near = nearest_classes(wanted)
    raise LimnerError(
        f"no class of ImageNet is called {name!r}: "
        + (f"did you mean {', '.join(near)}?" if near else "look for another name of it, or give a number, 0 to 999")
    )


def nearest_classes(name: str) -> list[str]:
    """Names of classes that hold all words of `name`, then those that are spelled like it; at most five."""
    wanted = name.lower()
    words = set(wanted.split())
    names = [one for names in _lower() for one in names]
    holding = [one for one in names if words <= set(one.replace("-", " ").split())]
    spelled = difflib.get_close_matches(wanted, names, n=_NEAR, cutoff=0.7)
    return list(dict.fromkeys([*holding, *spelled]))[:_NEAR]


@cache
def _synonyms() -> tuple[tuple[str, ...], ...]:
    lines = _NAMES.read_text(encoding="utf-8").splitlines()
    return tuple(tuple(name.strip() for name in line.split(",")) for line in lines)


@cache
def _lower() -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(name.lower() for name in names) for names in _synonyms())
