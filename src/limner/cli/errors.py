"""What goes wrong, as one line on standard error and an exit code."""

import errno
import re
import sys
from typing import Any

import typer

from limner.cli.printing import one_line
from limner.errors import LimnerError, did_you_mean

STOPPED = "stopped; finished files are whole"

_LITTLE = "there is not enough memory for this"
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Numbers of errors of the system that say that there is no room."""
UsageError: type[Exception] = typer.BadParameter.__base__  # type: ignore[assignment]  # typer's own, or click's in older ones
"""What typer raises for a wrong command line; takes a message and a context."""
_POSSIBLE = re.compile(r"(?P<option>-\S+) \(Possible options: (?P<options>[^)]*)\)")
_CHOICES = re.compile(r" is not one of (?P<choices>[^.]*)")
_BOUNDS = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
_KINDS = {"int_parsing": "a whole number", "float_parsing": "a number"}
_NO_MEMORY = ("can't allocate memory", "out of memory")  # torch says it with a RuntimeError


def describe(error: BaseException) -> str | None:
    """The line for an error that is a user's to mend; None for one that is a bug of ours."""
    if isinstance(error, LimnerError):
        return " ".join(str(error).split())
    if isinstance(error, UsageError):
        return _usage(error)
    if isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and _says_no_memory(error)):
        return f"{_LITTLE}: ask for less, as a smaller picture, or by --size, --tile or --batch-size"
    if isinstance(error, OSError) and error.errno in FULL:
        return f"{error.filename or 'the disk'}: there is no space left: free some, or name another place"
    if isinstance(error, PermissionError):
        return f"{error.filename or 'a file'}: permission denied: ask for it, or name another place"
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {(error.strerror or 'cannot be used').lower()}: name another place"
    return None


def exit_code(error: BaseException) -> int:
    """2 for what was asked wrongly, 1 for what went wrong on the way."""
    asked_wrongly = isinstance(error, OSError) and error.errno not in FULL
    return int(getattr(error, "exit_code", 2 if asked_wrongly else 1))


def say(line: str) -> None:
    """One line on standard error."""
    print(one_line(line), file=sys.stderr, flush=True)


def note(text: str) -> None:
    """What is worth knowing and stops nothing."""
    say(f"note: {text}")


def _says_no_memory(error: Exception) -> bool:
    return any(words in str(error).lower() for words in _NO_MEMORY)


def _possible(found: re.Match[str]) -> str:
    """What was meant, instead of all that begins alike."""
    options = found["options"].split(", ")
    return f"{found['option']}: {did_you_mean(found['option'], options, f'did you mean {options[0]}?')}"


def _unfit(error: Any) -> str:
    """What must hold of an option's value, which newer versions of typer have pydantic check, and what came."""
    first = error.errors()[0]
    facts = first.get("ctx", {})
    holds = [f"{words} {facts[name]}" for name, words in _BOUNDS.items() if name in facts]
    if choices := _CHOICES.search(first["msg"]):
        holds = [f"one of {choices['choices'].replace(chr(39), '')}"]
    needed = " and ".join(holds) or _KINDS.get(first["type"]) or first["msg"].removeprefix("Input should be ")
    return f"must be {needed}, got {first['input']!r}"


def _usage(error: Exception) -> str:
    """Typer's message without its box, and where the help is."""
    message: str = error.format_message()  # type: ignore[attr-defined]
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "limner"
    message = _POSSIBLE.sub(_possible, " ".join(message.split()).rstrip("."))
    if hasattr(error.__cause__, "errors"):  # pydantic's, which is not loaded where typer does without it
        message = f"{message.partition(': ')[0]}: {_unfit(error.__cause__)}"
    return f"{message[:1].lower()}{message[1:]} (see {command} --help)"
