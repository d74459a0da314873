"""Files that appear whole or not at all."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from limner.errors import LimnerError


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path in the folder of `path`, which takes the place of `path`, or on any failure is removed.

    The temporary name keeps the suffix, for writers that look at it, and starts with a dot, so that globs pass it by.
    The file gets the permissions of a newly made one, or those of the file that it replaces.
    """
    temporary = path.with_name(f".{path.stem}.{secrets.token_hex(4)}{path.suffix}")
    temporary.touch()  # some writers make private files, whatever the user's umask
    mode = (path if path.exists() else temporary).stat().st_mode & 0o777
    try:
        yield temporary
        temporary.chmod(mode)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def check_place(path: Path, *, overwrite: bool) -> None:
    """Refuse a path that no file can be written to.

    Args:
        path: Of the file.
        overwrite: Whether one that is already there may be replaced.

    Raises:
        LimnerError: It is a folder, or is already there, or has no folder to lie in.
    """
    if path.is_dir():
        raise LimnerError(f"{path}: is a folder: name a file in it")
    if path.exists() and not overwrite:
        raise LimnerError(f"{path}: is already there: pass --force to replace, or name another with --output")
    if not path.parent.is_dir():
        raise LimnerError(f"{path}: the folder {path.parent} is not there: make it first")
