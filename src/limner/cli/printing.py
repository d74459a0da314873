"""What is printed on standard output."""

import codecs
import io
import json
import re
import sys
from typing import Any

_LONE = re.compile(r"[\ud800-\udfff]")  # what Python makes of a byte of a file's name that is no UTF-8
_ACTING = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")  # what terminals act upon, or turns text round
_BYTES = "limner-bytes"


def print_line(text: str) -> None:
    """One line on standard output, at once, whatever the names of files in it hold."""
    print(one_line(text), flush=True)


def one_line(text: str) -> str:
    r"""Text as a terminal shows it without acting upon it.

    >>> one_line("a\nb\x1b[31m")
    'a\\nb\\x1b[31m'
    """
    return _ACTING.sub(lambda found: repr(found[0])[1:-1], text)


def print_json(value: Any) -> None:
    r"""One JSON value on standard output; what JSON cannot hold is written as text.

    Bytes of a file's name that are no UTF-8 are written as Python's `json` reads them back: as `\\udcff`.
    """
    text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
    print(_LONE.sub(lambda lone: f"\\u{ord(lone[0]):04x}", text))


def print_any_name() -> None:
    """Let standard output print the names of files as the bytes that they are, whatever its encoding."""
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors=_BYTES)


def _as_bytes(error: UnicodeError) -> tuple[str | bytes, int]:
    try:
        return codecs.lookup_error("surrogateescape")(error)
    except UnicodeError:
        return codecs.lookup_error("backslashreplace")(error)


codecs.register_error(_BYTES, _as_bytes)


def mebibytes(size: int) -> str:
    """A size in bytes as people read it."""
    return f"{size / 2**20:.1f} MiB"
