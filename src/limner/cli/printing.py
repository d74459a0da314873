"""What is printed on standard output."""

import json
from typing import Any


def print_json(value: Any) -> None:
    """One JSON value on standard output; what JSON cannot hold is written as text."""
    print(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def mebibytes(size: int) -> str:
    """A size in bytes as people read it."""
    return f"{size / 2**20:.1f} MiB"
