"""Files that appear whole or not at all."""

import errno
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from limner.arguments import REPLACE
from limner.errors import LimnerError
from limner.files.lock import lock_file, sweep, temporary_name
from limner.files.space import telling_no_space

_LONGEST = 255  # bytes of a name


@contextmanager
def atomic_path(path: Path, *, needs: int | None = None) -> Iterator[Path]:
    """Yield a temporary path in the folder of `path`, which takes the place of `path`, or on any failure is removed.

    The temporary name keeps the suffix, for writers that look at it, and starts with a dot, so that globs pass it by.
    It is short, however long the final one is. The file gets the permissions of a newly made one, or those of the file
    that it replaces. What earlier runs that were killed have left in the folder is removed.

    Args:
        path: Of the file.
        needs: Its bytes, where they are known: a full disk is then told with how many are missing.

    Raises:
        NoSpaceError: The disk is full; what was at `path` is whole.
    """
    sweep(path.parent)
    with telling_no_space(path):
        temporary, held = _made(path)
    mode = (path if path.exists() else temporary).stat().st_mode & 0o777
    try:
        with telling_no_space(path, written=temporary, needs=needs):
            yield temporary
        temporary.chmod(mode)
        temporary.replace(path)
    finally:
        if held is not None:
            os.close(held)
        temporary.unlink(missing_ok=True)


def _made(path: Path) -> tuple[Path, int | None]:
    """A new file, made at once as some writers make private ones, and the lock on it, where the system has locks."""
    held = None
    while held is None:
        temporary = path.with_name(temporary_name(path.suffix or ".tmp", secrets.token_hex(4)))
        try:
            held = lock_file(temporary)
        except OSError as error:
            error.filename = str(path)  # that its user knows
            raise
    if os.name == "posix":
        return temporary, held
    os.close(held)  # elsewhere what is open cannot be renamed
    return temporary, None


def check_place(path: Path, *, overwrite: bool) -> None:
    """Refuse a path that no file can be written to.

    Args:
        path: Of the file.
        overwrite: Whether one that is already there may be replaced.

    Raises:
        LimnerError: It is a folder, or is already there, or has no folder to lie in, or its name is too long.
    """
    check_name(path)
    if path.is_dir():
        raise LimnerError(f"{path}: is a folder: name a file in it")
    if path.exists() and not overwrite:
        raise LimnerError(f"{path}: is already there: {REPLACE}, or name another output")
    if not path.parent.is_dir():
        raise LimnerError(f"{path}: the folder {path.parent} is not there: make it first")


def check_name(path: Path) -> None:
    """Refuse a name that is longer than the file system takes.

    Raises:
        LimnerError: It is.
    """
    try:
        path.exists()
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        length = len(os.fsencode(path.name))
        raise LimnerError(
            f"{path}: the name of the result has {length} bytes, more than the file system takes: name a shorter output"
        ) from None


def beside(path: Path, name: str) -> Path:
    """Where a working file of this name lies beside `path`; its name is another where the file system takes no such."""
    longest = os.pathconf(path.parent, "PC_NAME_MAX") if os.name == "posix" and path.parent.is_dir() else _LONGEST
    encoded = os.fsencode(name)
    if len(encoded) <= longest:
        return path.with_name(name)
    return path.with_name(f".{hashlib.sha256(encoded).hexdigest()[:32]}{Path(name).suffix}")
