"""Many files looked at by several processes; what was found is kept, so that a second look takes what is new alone."""

import contextlib
import dataclasses
import hashlib
import json
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_all_start_methods, get_context
from pathlib import Path
from typing import NamedTuple

import pooch

from limner.inspection.seen import Seen, look_at
from limner.types import OnProgress

_VERSION = 3  # of what is kept: another number forgets it
_CHUNK = 32  # files that a process is given at once
_FEW = 64  # files that are looked at here: processes take seconds to begin
_DIED = "ends the process that reads it"


class Asked(NamedTuple):
    """A file to be looked at, and whether as a mask."""

    path: Path
    is_mask: bool = False


class Kept:
    """What earlier looks at a data set have found, by path, size and time of change; a file of SQLite.

    A file that cannot be used is begun anew, and where none can be written nothing is kept.
    """

    def __init__(self, path: Path | None) -> None:
        self._base = None if path is None else _opened(path)

    def get(self, asked: Asked) -> Seen | None:
        """What is known of a file as it is now."""
        if self._base is None:
            return None
        row = self._base.execute(
            "SELECT found, copy FROM seen WHERE path = ? AND mask = ? AND state = ?", _key(asked)
        ).fetchone()
        return None if row is None else _from_text(asked.path, *row)

    def put(self, found: Mapping[Asked, Seen]) -> None:
        """Keep what has been found; what is kept stays if the process is ended now."""
        if self._base is None:
            return
        with contextlib.suppress(sqlite3.Error), self._base:  # a full disk ends no look
            self._base.executemany(
                "INSERT OR REPLACE INTO seen (path, mask, state, found, copy) VALUES (?, ?, ?, ?, ?)",
                [(*_key(asked), *_as_text(seen)) for asked, seen in found.items()],
            )

    def close(self) -> None:
        """Close the file."""
        if self._base is not None:
            self._base.close()


def kept_at(place: Path) -> Path:
    """Where what was found in a data set is kept: in the user's cache, by the set's own path."""
    name = hashlib.sha256(os.fsencode(place.resolve())).hexdigest()[:16]
    return Path(pooch.os_cache("limner")) / "check" / f"{name}.sqlite"


def look_at_all(
    files: Sequence[Asked],
    *,
    keep: Path | None = None,
    num_workers: int = 0,
    on_progress: OnProgress = lambda done, total: None,
) -> list[Seen]:
    """Look at files, those that are known and unchanged excepted.

    Args:
        files: In any order.
        keep: Where what is found is kept; None keeps nothing.
        num_workers: Processes that read; 0 reads here. A script that asks for any needs the usual
            `if __name__ == "__main__":`, for they import it.
        on_progress: Called after some files.
    """
    kept = Kept(keep)
    try:
        found = {one: seen for one in files if (seen := kept.get(one)) is not None}
        wanted = [one for one in dict.fromkeys(files) if one not in found]
        chunks = [wanted[at : at + _CHUNK] for at in range(0, len(wanted), _CHUNK)]
        apart = num_workers > 0 and len(wanted) > _FEW
        for chunk in _by_processes(chunks, num_workers) if apart else map(_chunk, chunks):
            found |= chunk
            kept.put(chunk)
            on_progress(len(found), len(files))
    finally:
        kept.close()
    return [found[one] for one in files]


def _chunk(files: Sequence[Asked]) -> dict[Asked, Seen]:
    return {one: look_at(one.path, is_mask=one.is_mask) for one in files}


def _by_processes(chunks: Sequence[Sequence[Asked]], num_workers: int) -> Iterator[dict[Asked, Seen]]:
    """Chunks as they are done; where a decoder ends its process, the files of that chunk are tried one by one."""
    left = {tuple(chunk) for chunk in chunks}
    with contextlib.suppress(BrokenProcessPool), _pool(num_workers) as pool:
        tasks: dict[Future[dict[Asked, Seen]], tuple[Asked, ...]] = {pool.submit(_chunk, one): one for one in left}
        for task in as_completed(tasks):
            found = task.result()
            left.discard(tasks[task])
            yield found
    for chunk in left:
        yield {one: _alone(one) for one in chunk}


def _alone(asked: Asked) -> Seen:
    """A file looked at by a process of its own."""
    try:
        with _pool(1) as pool:
            return pool.submit(_chunk, (asked,)).result()[asked]
    except BrokenProcessPool:
        return Seen(asked.path, fault="damaged", reason=_DIED)


def _pool(num_workers: int) -> ProcessPoolExecutor:
    """Processes that share the imports of one, where the system can."""
    if "forkserver" not in get_all_start_methods():
        return ProcessPoolExecutor(num_workers, mp_context=get_context("spawn"))
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return ProcessPoolExecutor(num_workers, mp_context=context)


def _opened(path: Path) -> sqlite3.Connection | None:
    for _ in range(2):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            base = sqlite3.connect(path, timeout=10)
            if base.execute("PRAGMA user_version").fetchone()[0] != _VERSION:
                base.execute("DROP TABLE IF EXISTS seen")
                base.execute(f"PRAGMA user_version = {_VERSION}")
            base.execute(
                "CREATE TABLE IF NOT EXISTS seen"
                " (path BLOB, mask INTEGER, state TEXT, found TEXT, copy BLOB, PRIMARY KEY (path, mask))"
            )
            return base
        except (OSError, sqlite3.Error):
            with contextlib.suppress(OSError):
                path.unlink()
    return None


def _key(asked: Asked) -> tuple[bytes, int, str]:
    try:
        state = asked.path.stat()
        now = f"{state.st_size} {state.st_mtime_ns}"
    except OSError:
        now = "none"
    return os.fsencode(asked.path), int(asked.is_mask), now


def _as_text(seen: Seen) -> tuple[str, bytes]:
    fields = {one.name: getattr(seen, one.name) for one in dataclasses.fields(seen)}
    fields["values"] = list(seen.values.items())
    return json.dumps({name: value for name, value in fields.items() if name not in ("path", "copy")}), seen.copy


def _from_text(path: Path, text: str, copy: bytes) -> Seen | None:
    try:
        fields = json.loads(text)
        return Seen(path, copy=bytes(copy), **{**fields, "values": {int(one): int(n) for one, n in fields["values"]}})
    except (ValueError, TypeError, KeyError):
        return None
