"""Locks that go with the process that holds them, however it ends, and what killed processes have left behind."""

import contextlib
import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from limner.errors import LimnerError

_OURS = re.compile(r"\.limner-(?:([0-9a-f]+)-)?[0-9a-f]{8}(\.[^.]*)?")
_OLD_FILES = "before*"  # what an interrupted move has taken away from its place
_swept: set[Path] = set()


class BusyError(LimnerError):
    """Another run, or another part of this one, is at work on a file."""


def lock_file(path: Path) -> int | None:
    """Open a file, made where it is not there, and hold it for this process alone, where the system can.

    Returns:
        A descriptor, which holds the file until it is closed or the process ends; None if another one holds it.
    """
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        if not hold(file):
            os.close(file)
            return None
        if _is_at(path, file):
            return file
        os.close(file)  # whoever held it before has removed it


@contextmanager
def alone_at(path: Path, what: str) -> Iterator[None]:
    """Be the only one who makes a file or a folder; a hidden file beside it says so while this lasts.

    Args:
        path: Of what is made.
        what: That another run is at work on, such as `this picture`.

    Raises:
        BusyError: Another run, or another part of this one, is at work on it.
    """
    # `.` and `..` have no name beside which a file could lie; where links lead does not matter
    whole = Path(os.path.abspath(path))  # noqa: PTH100
    sweep(whole.parent)
    place = whole.parent / f".limner-{hashlib.sha256(os.fsencode(whole.name)).hexdigest()[:8]}.lock"
    try:
        file = lock_file(place)
    except OSError as error:
        error.filename = str(path)  # that its user knows
        raise
    if file is None:
        raise BusyError(f"{path}: another run is at work on {what}: wait for it, or stop it")
    try:
        yield
    finally:
        place.unlink(missing_ok=True)  # before others can hold it
        os.close(file)


def temporary_name(suffix: str, token: str) -> str:
    """A hidden name that tells which process has made a file, short whatever the final name is."""
    kept = suffix if len(os.fsencode(suffix)) <= 32 else ".tmp"
    return f".limner-{os.getpid():x}-{token}{kept}"


def sweep(folder: Path, *, again: bool = False) -> None:
    """Remove what killed processes have left in a folder, once in this process.

    Args:
        folder: Its files and folders with a `temporary_name` whose process is no more, and unheld locks.
        again: Also where this process has done so before.
    """
    place = folder.absolute()
    if place in _swept and not again:
        return
    _swept.add(place)
    with contextlib.suppress(OSError), os.scandir(place) as entries:
        left = [Path(entry.path) for entry in entries if _is_left(entry.name)]
        for path in left:
            with contextlib.suppress(OSError):
                _remove(path)


def _is_left(name: str) -> bool:
    found = _OURS.fullmatch(name)
    return found is not None and not (found[1] and _is_alive(int(found[1], 16)))


def _remove(path: Path) -> None:
    if path.is_dir():
        if not any(path.glob(_OLD_FILES)):
            shutil.rmtree(path)
        return
    if (file := lock_file(path)) is not None:
        path.unlink()
        os.close(file)


def _is_alive(process: int) -> bool:
    if os.name != "posix":
        return True  # asking would end it
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def hold(file: int) -> bool:
    """Hold an open file for this process alone until it is closed, where the system can; whether nobody else does."""
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True  # a file system without locks
    return True


def _is_at(path: Path, file: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file))
    except FileNotFoundError:
        return False
