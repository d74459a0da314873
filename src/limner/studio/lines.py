"""What the service and its processes tell each other, and those who listen: JSON, a line each."""

import json
from typing import Any


def line_of(facts: Any) -> str:
    r"""One line that every reader of JSON takes.

    Numbers that are none become null. Names of files may hold bytes that are no UTF-8: `?` stands for each.

    >>> line_of({"loss": float("nan"), "file": "caf\udce9.png", "steps": 3})
    '{"loss": null, "file": "caf?.png", "steps": 3}'
    """
    try:
        text = json.dumps(facts, default=str, ensure_ascii=False, allow_nan=False)
        text.encode()
    except ValueError:
        known = json.loads(json.dumps(facts, default=str), parse_constant=_none)
        text = json.dumps(known, ensure_ascii=False).encode(errors="replace").decode()
    return text


def read_line(text: str | bytes) -> Any:
    """What a line says; numbers that are none are None.

    >>> read_line('{"loss": NaN}')
    {'loss': None}

    Raises:
        ValueError: It is no JSON, as a line of which half was written.
    """
    return json.loads(text, parse_constant=_none)


def _none(name: str) -> None:
    """For NaN and the infinities."""
