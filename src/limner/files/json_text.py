"""JSON of files that anybody may have written."""

import json
from collections.abc import Iterable
from typing import Any

MOST_BYTES = 2**24
"""Of a text that is read: no journal, plan or header of ours comes near."""

_DEEPEST = 64


def parse_json(text: str | bytes, *, most: int = MOST_BYTES) -> Any:
    """The value that a text of at most so many bytes holds.

    Raises:
        ValueError: If it is no JSON, is nested deeper than any of ours, or is too long.

    >>> parse_json('{"a": [1, 2]}')
    {'a': [1, 2]}
    """
    if len(text) > most:
        raise ValueError(f"it is longer than {most} bytes")
    try:
        value = json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    level = [value]
    for _ in range(_DEEPEST):
        level = [inner for one in level for inner in _inside(one)]
        if not level:
            return value
    raise ValueError("it is nested too deeply")


def _inside(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
