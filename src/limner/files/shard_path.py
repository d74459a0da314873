"""Paths of files in shards: what reads a folder of files reads a folder of shards by them in the same way."""

import fnmatch
import io
import os
import re
import stat
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from limner.errors import LimnerError
from limner.files.shards import Located, Shards, holds_shards, read_shards, state_of

if sys.platform == "win32":
    from pathlib import WindowsPath as _SystemPath
else:
    from pathlib import PosixPath as _SystemPath

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_OPEN: dict[str, Shards] = {}  # by the absolute path of their folder
_LOCK = threading.Lock()


def unpacked(folder: Path) -> Path:
    """The folder that shards stand for, if it is one of shards; any other path as it is.

    Raises:
        LimnerError: If the shards are damaged, compressed or not to be trusted.
    """
    if isinstance(folder, ShardPath) or not holds_shards(folder):
        return folder
    _shards_at(os.path.abspath(folder), again=True)  # noqa: PTH100
    return ShardPath(folder)


def _shards_at(folder: str, *, again: bool = False) -> Shards:
    """The shards of a folder, read once; with `again` once more if they have changed."""
    with _LOCK:
        held = _OPEN.get(folder)
        if held is None or (again and held.state != state_of(Path(folder))):
            held = _OPEN[folder] = read_shards(Path(folder))
        return held


def _located(path: Path) -> tuple[Shards, str]:
    """The shards that a path leads into, and the rest of it."""
    whole = os.path.abspath(path)  # noqa: PTH100
    folder, rest = whole, ""
    while folder not in _OPEN:
        folder, name = os.path.split(folder)
        rest = f"{name}/{rest}" if rest else name
        if not name:
            return _first_located(whole)
    return _OPEN[folder], rest


def _first_located(whole: str) -> tuple[Shards, str]:
    """The same in a process that has not read them yet."""
    for folder in (Path(whole), *Path(whole).parents):
        if folder.is_dir():
            if not holds_shards(folder):
                break
            return _shards_at(str(folder)), "" if folder == Path(whole) else Path(whole).relative_to(folder).as_posix()
    raise LimnerError(f"{whole}: the shards that it lay in are gone: bring them back")


class ShardPath(_SystemPath):
    """A file or a folder in shards, below the folder that holds these; it can be read and not written.

    It holds nothing but its words, so it goes to other processes as any path does. They read the index themselves.
    """

    __slots__ = ()

    def _found(self) -> Located | None:
        shards, rest = _located(self)
        return shards.find(rest)

    def open(  # type: ignore[override]
        self,
        mode: str = "r",
        buffering: int = -1,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
    ) -> io.BufferedReader | io.TextIOWrapper:
        """The file, of which nothing is read before it is asked for."""
        if set(mode) - set("rbt"):
            raise LimnerError(f"{self}: files in shards are read and not written: write into a folder")
        return self._bytes() if "b" in mode else io.TextIOWrapper(self._bytes(), encoding, errors, newline)

    def _bytes(self) -> io.BufferedReader:
        found = self._found()
        if found is None:
            raise FileNotFoundError(2, "no such file in the shards", str(self))
        return io.BufferedReader(_Window(found, str(self)))

    def read_bytes(self) -> bytes:
        """All of the file."""
        with self._bytes() as file:
            return file.read()

    def read_text(self, encoding: str | None = None, errors: str | None = None, newline: str | None = None) -> str:
        """All of the file as text."""
        with io.TextIOWrapper(self._bytes(), encoding, errors, newline) as file:
            return file.read()

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        """Its size, and the time of its tar file."""
        shards, rest = _located(self)
        found = shards.find(rest)
        if found is None and not shards.is_folder(rest):
            raise FileNotFoundError(2, "no such file in the shards", str(self))
        held = (found.tar if found else shards.tars[0]).stat()
        mode = stat.S_IFREG | 0o444 if found else stat.S_IFDIR | 0o555
        return os.stat_result((mode, held.st_ino, held.st_dev, 1, held.st_uid, held.st_gid, found.size if found else 0,
                               int(held.st_atime), int(held.st_mtime), int(held.st_ctime)))  # fmt: skip

    def exists(self, *, follow_symlinks: bool = True) -> bool:
        """Whether it is a file or a folder in the shards."""
        return self.is_file() or self.is_dir()

    def is_file(self, *, follow_symlinks: bool = True) -> bool:
        """Whether it is a file in the shards."""
        return self._found() is not None

    def is_dir(self, *, follow_symlinks: bool = True) -> bool:
        """Whether files of the shards lie below it."""
        shards, rest = _located(self)
        return shards.is_folder(rest)

    def is_symlink(self) -> bool:
        """Never."""
        return False

    def iterdir(self) -> Iterator["ShardPath"]:  # type: ignore[override]
        """What lies right in it."""
        shards, rest = _located(self)
        return (self / name for name in shards.children(rest))

    def glob(self, pattern: str) -> Iterator["ShardPath"]:  # type: ignore[override]
        """Files and folders below it that a pattern fits, as a folder's; `**` stands for folders."""
        shards, rest = _located(self)
        above = f"{rest}/" if rest else ""
        wanted, seen = Path(pattern).parts, set[tuple[str, ...]]()
        for path in shards.beginning(above + re.split(r"[*?[]", pattern)[0]):
            parts = tuple(path.removeprefix(above).split("/"))
            for length in range(len(parts), 0, -1):
                some = parts[:length]
                if some in seen:
                    break
                if length < len(parts):
                    seen.add(some)
                if _fits(some, wanted):
                    yield self.joinpath(*some)

    def rglob(self, pattern: str) -> Iterator["ShardPath"]:  # type: ignore[override]
        """The same at any depth."""
        return self.glob(f"**/{pattern}")


def _fits(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    if not pattern:
        return not parts
    if pattern[0] == "**":
        return any(_fits(parts[first:], pattern[1:]) for first in range(len(parts) + 1))
    return bool(parts) and fnmatch.fnmatchcase(parts[0], pattern[0]) and _fits(parts[1:], pattern[1:])


class _Window(io.RawIOBase):
    """A part of a file as a file."""

    mode = "rb"

    def __init__(self, place: Located, name: str) -> None:
        self.name = name
        self._file, self._place, self._at = place.tar.open("rb", buffering=0), place, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        view = memoryview(buffer).cast("B")[: max(0, self._place.size - self._at)]
        self._file.seek(self._place.offset + self._at)
        got = self._file.readinto(view)
        self._at += got
        return got

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._place.size}[whence]
        if start + offset < 0:
            raise ValueError(f"a place in a file must be at least 0, got {start + offset}")
        self._at = start + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()
