"""Files in buckets and wherever else fsspec reaches, such as `s3://bucket/photos`, as paths that know their address.

Reading and writing go by copies: `fetch` brings a file here, `store` takes one there. What the protocol needs, as
s3fs for `s3://`, is its user's to install.
"""

import os
import re
import secrets
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, cast

from limner.errors import LimnerError

if sys.platform == "win32":
    from pathlib import WindowsPath as _Local
else:
    from pathlib import PosixPath as _Local

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:[/\\]+[^/\\].*", re.DOTALL)
_WHOLE = {"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "oci", "memory"}
"""Where a file appears only once all of it is there; elsewhere it is written beside its place and then moved."""
_ON_DISKS = ("file:", "local:")  # their addresses begin at the root


class BucketPath(_Local):
    """A path below an address; its names are taken apart and put together as those of any path.

    >>> path = BucketPath("s3://bucket/photos/a.jpg")
    >>> str(path.with_suffix(".png")), path.parent.name
    ('s3://bucket/photos/a.png', 'photos')
    """

    def __str__(self) -> str:
        """Its address: paths have one slash where addresses have two or three."""
        text = super().__str__().replace("\\", "/")
        scheme, _, rest = text.partition("/")
        return f"{scheme}//{'/' * (scheme in _ON_DISKS)}{rest}" if scheme.endswith(":") else text

    def exists(self) -> bool:
        """Whether there is such a file, or anything below it."""
        with self._asked() as (system, key):
            return bool(system.exists(key))

    def is_dir(self) -> bool:
        """Whether there is anything below it."""
        with self._asked() as (system, key):
            return bool(system.isdir(key))

    def is_file(self) -> bool:
        """Whether there is such a file."""
        with self._asked() as (system, key):
            return bool(system.isfile(key))

    def is_symlink(self) -> bool:
        """Never."""
        return False

    def stat(self) -> os.stat_result:  # type: ignore[override]
        """Its size, and when it has changed; 0 where that is not known."""
        with self._asked() as (system, key):
            seconds = 0.0
            with suppress(NotImplementedError):
                seconds = system.modified(key).timestamp()
            size = int(system.size(key) or 0)
        times = {"st_mtime_ns": int(seconds * 1e9)}
        return os.stat_result((stat.S_IFREG, 0, 0, 1, 0, 0, size, seconds, seconds, seconds), times)

    def absolute(self) -> "BucketPath":
        """Itself."""
        return self

    def samefile(self, other_path: Any) -> bool:
        """Whether the other has this address, too."""
        return bool(self == other_path)

    def mkdir(self, mode: int = 0o777, parents: bool = False, exist_ok: bool = False) -> None:
        """Nothing: folders are there as soon as something lies in them."""

    def matches(self) -> list["BucketPath"]:
        """What it stands for as a pattern, sorted."""
        with self._asked() as (system, key):
            return sorted(self._beside(name) for name in system.glob(key))

    def contents(self, *, recursive: bool) -> tuple[list["BucketPath"], list["BucketPath"]]:
        """The files and the folders in it, sorted; recursively all files and no folder."""
        with self._asked() as (system, key):
            system.invalidate_cache(key)
            if recursive:
                return sorted(map(self._beside, system.find(key))), []
            found = [(self._beside(one["name"]), one["type"]) for one in system.ls(key, detail=True)]
        inside = [(path, kind) for path, kind in found if path != self]
        files = sorted(path for path, kind in inside if kind == "file")
        return files, sorted(path for path, kind in inside if kind == "directory")

    def fetch(self, copy: Path) -> None:
        """Bring its content here."""
        with self._asked() as (system, key):
            system.get_file(key, str(copy))

    def store(self, file: Path) -> None:
        """Take a file there; it appears whole or not at all."""
        with self._asked() as (system, key):
            if self.parts[0].rstrip(":") in _WHOLE:
                system.put_file(str(file), key)
                return
            folder = key.rpartition("/")[0]
            hidden = f"{folder}/.limner-{secrets.token_hex(8)}{self.suffix}"
            system.makedirs(folder, exist_ok=True)
            try:
                system.put_file(str(file), hidden)
                system.mv(hidden, key)
            except BaseException:
                with suppress(Exception):  # it may not be there yet
                    system.rm(hidden)
                raise

    def stamp(self) -> object | None:
        """As `stamp` below."""
        with self._asked() as (system, key):
            system.invalidate_cache(key.rpartition("/")[0])
            return cast(object, system.ukey(key)) if system.exists(key) else None

    def check_reachable(self) -> None:
        """Refuse an address whose protocol nothing here speaks.

        Raises:
            LimnerError: It is so.
        """
        with self._asked():
            pass

    def _beside(self, name: str) -> "BucketPath":
        """What the file system calls so."""
        return type(self)(f"{self.parts[0]}//{name}")

    @contextmanager
    def _asked(self) -> Iterator[tuple[Any, str]]:
        """Its file system, and what it is called there; what goes wrong is told in one line."""
        from fsspec.core import url_to_fs

        try:
            yield url_to_fs(str(self))
        except (FileNotFoundError, LimnerError):
            raise
        except ImportError as error:
            raise LimnerError(f"{self}: {_one_line(error)}: install that here and on all nodes") from None
        except Exception as error:
            raise UnreachableError(f"{self}: {_one_line(error)}: check its name and your rights") from error


class UnreachableError(LimnerError):
    """What a bucket answers is no file; another try may help."""

    exit_code = 1


def is_address(name: Path) -> bool:
    """Whether a path was an address before `Path` took one of its slashes, and is no folder of such a name.

    >>> is_address(Path("s3://bucket/a.png")), is_address(Path("photos/a.png")), is_address(Path("c:/photos"))
    (True, False, False)
    """
    if isinstance(name, BucketPath):
        return True
    return _ADDRESS.fullmatch(str(name)) is not None and not Path(name.parts[0]).exists()


def stamp(path: Path) -> object | None:
    """What changes whenever a file is written anew; None if it is not there."""
    if isinstance(path, BucketPath):
        return path.stamp()
    try:
        told = path.stat()
    except OSError:
        return None
    return told.st_mtime_ns, told.st_ino, told.st_size


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split()).rstrip(".")
    return text if isinstance(error, ImportError | ValueError) and text else f"{type(error).__name__} {text}".rstrip()
