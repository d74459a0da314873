"""A folder that takes no file, and a disk that is full: one answer, whoever notices it."""

import errno
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from limner.errors import LimnerError
from limner.files.bucket import BucketPath

_REASONS = {
    errno.ENOSPC: "there is no space left on the disk",
    errno.EDQUOT: "there is no space left of your share of the disk",
    errno.EFBIG: "files may not be that large here",
}
_WORDS = {"no space left": errno.ENOSPC, "quota exceeded": errno.EDQUOT, "file too large": errno.EFBIG}
_OURS = re.compile(r"\.(limner-.*|[0-9a-f]{32}(\.\w+)*|.+\.state(\.\d+)?)", re.DOTALL)
"""Temporary names, names that were too long for the file system, and states of pictures that were stopped."""
_FULL = 2**16  # bytes; a library that cannot say why it failed has filled the disk but for less


class NoSpaceError(LimnerError):
    """There is no space for a file. What was there before is whole."""

    exit_code = 1


@contextmanager
def telling_no_space(path: Path, *, written: Path | None = None, needs: int | None = None) -> Iterator[None]:
    """Make what libraries raise on a full disk one line that says what, where, and how much is missing.

    Args:
        path: What is written, as its user knows it.
        written: The file that takes the bytes, if it is another one.
        needs: Bytes that it will have in all, where they are known.

    Raises:
        NoSpaceError: There was no space.
    """
    try:
        yield
    except NoSpaceError as error:
        told = str(error)
        if written is None or not told.startswith(f"{_named(written)}: "):
            raise
        told = told.removeprefix(_named(written))  # a writer within names its own file
        raise NoSpaceError(f"{_named(path)}{told}") from error
    except LimnerError:
        raise
    except Exception as error:
        reason = why_no_space(error, written or path)
        if reason is None:
            raise
        raise no_space(path, reason, _size(written or path), needs) from error


def check_folder(folder: Path, *, needs: int = 0, mend: str = "name another place") -> None:
    """Refuse a folder that cannot be made or written to, or that has too little space, before the work.

    Args:
        folder: Whether it is there already or not; nothing is made. Of a bucket only whether it can be asked.
        needs: Bytes that will be written.
        mend: What its user can do.

    Raises:
        LimnerError: It takes no file.
        NoSpaceError: There is less space than `needs`.
    """
    if isinstance(folder, BucketPath):
        folder.check_reachable()
        return
    there = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
    if not there.is_dir():
        raise LimnerError(f"{folder}: no folder can be here ({there} is a file): {mend}")
    try:
        with tempfile.TemporaryFile(dir=there):  # the rights alone do not tell what the file system allows
            pass
    except OSError as error:
        if reason := _REASONS.get(error.errno or 0):
            raise NoSpaceError(f"{folder}: {reason}: free some, or {mend}") from None
        why = (error.strerror or "no file can be made").lower()
        raise LimnerError(f"{folder}: may not be written to ({why}): {mend}") from None
    if (free := _free(there)) < needs:
        raise NoSpaceError(
            f"{folder}: there is too little space on the disk: {readable(needs - free)} are missing of the "
            f"{readable(needs)} that it takes: free some, or {mend}"
        )


def no_space(path: Path, reason: str, written: int, needs: int | None) -> NoSpaceError:
    """The error of a file of which so many bytes are written, and of so many that it needs."""
    folder = path.parent
    free = _free(folder)
    missing = None if needs is None else needs - written - free
    how_much = (
        f"{readable(missing)} are missing of the {readable(needs)} that it takes"
        if missing is not None and needs is not None and missing > 0
        else f"more than the {readable(written)} that were written and the {readable(free)} that are free is needed"
    )
    return NoSpaceError(
        f"{_named(path)}: {reason} at {folder.absolute()}: {how_much}: free some, or name another place"
    )


def _named(path: Path) -> str:
    """A path as its user knows it, who has never heard of those that are hidden by us."""
    return "a working file" if _OURS.fullmatch(path.name) else str(path)


def why_no_space(error: BaseException, written: Path) -> str | None:
    """Whether an error, or what has caused it, comes of a lack of space; the words for it."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError) and seen.errno in _REASONS:
            return _REASONS[seen.errno]
        for words, number in _WORDS.items():
            if words in str(seen).lower():
                return _REASONS[number]
        seen = seen.__cause__ or seen.__context__
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno):
        return None
    if _free(written.parent) < _FULL:
        return _REASONS[errno.ENOSPC]
    return _REASONS[errno.EFBIG] if _size(written) >= _largest_file() else None


def readable(size: int) -> str:
    """Bytes in the unit that suits them."""
    for unit, name in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if size >= unit:
            return f"{size / unit:.1f} {name}"
    return f"{size} bytes"


def _free(folder: Path) -> int:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return 2**63  # nothing is known


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _largest_file() -> int:
    """Of this process; beyond it the system says no, and some libraries do not say why."""
    if os.name != "posix":
        return 2**63
    import resource

    limit = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    return 2**63 if limit == resource.RLIM_INFINITY else limit
