"""Jobs that outlive the service: a table of SQLite, and for each a folder of files beside it."""

import json
import re
import secrets
import shutil
import sqlite3
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from limner.studio.places import without_places

State = Literal["waiting", "running", "done", "failed", "cancelled", "interrupted"]

_ID = re.compile(r"[0-9a-f]{16}")
_TABLE = """
CREATE TABLE IF NOT EXISTS jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, verb TEXT NOT NULL, state TEXT NOT NULL,
    error TEXT, options TEXT NOT NULL, inputs TEXT NOT NULL, results TEXT NOT NULL, notes TEXT NOT NULL,
    facts TEXT NOT NULL, made REAL NOT NULL, seconds REAL
)"""
_COLUMNS = ("id", "verb", "state", "error", "options", "inputs", "results", "notes", "facts", "made", "seconds")
_SAID = ("error", "notes", "facts")
_JSON = ("options", "inputs", "results", "notes", "facts")


@dataclass
class Job:
    """What was asked for, and what has become of it.

    Attributes:
        options: As they were given.
        inputs: Files in its folder `inputs`: `name`, `field` of the form, `was`, what its sender called it.
        results: Files in its folder `results`: `name`, `kind`, `width`, `height`.
        facts: What the command says with `--json`.
        made: Seconds since 1970.
        seconds: That the work took.
        done: Share of the work; of a job that is running.
        begun: When the work began, in seconds of `time.monotonic`.
    """

    id: str
    verb: str
    options: dict[str, Any]
    inputs: list[dict[str, Any]] = field(default_factory=list)
    state: State = "waiting"
    error: str | None = None
    results: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    facts: Any = None
    made: float = field(default_factory=time.time)
    seconds: float | None = None
    done: float = 0.0
    begun: float | None = None


def new_id() -> str:
    """Sixteen hexadecimal digits that nobody can guess."""
    return secrets.token_hex(8)


class Store:
    """All jobs of a folder. What was not finished when the last service ended is marked so.

    Args of the constructor:
        folder: Is made.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "jobs").mkdir(parents=True, exist_ok=True)
        self._base = sqlite3.connect(folder / "jobs.sqlite", isolation_level=None, check_same_thread=False)
        self._base.execute("PRAGMA journal_mode=WAL")
        self._base.execute("PRAGMA synchronous=FULL")
        self._base.execute(_TABLE)
        self._base.execute("UPDATE jobs SET state='interrupted' WHERE state IN ('waiting', 'running')")
        self._drop_strays()

    def close(self) -> None:
        """Let go of the table."""
        self._base.close()

    def place(self, job: str) -> Path:
        """The folder of a job's files."""
        return self.folder / "jobs" / job

    def add(self, job: Job) -> None:
        """Keep a new job."""
        marks = ", ".join("?" * len(_COLUMNS))
        self._base.execute(f"INSERT INTO jobs ({', '.join(_COLUMNS)}) VALUES ({marks})", _values(job))

    def save(self, job: Job) -> None:
        """Keep what has become of a job."""
        names = ", ".join(f"{name}=?" for name in _COLUMNS)
        self._base.execute(f"UPDATE jobs SET {names} WHERE id=?", (*_values(job), job.id))

    def get(self, job: str) -> Job | None:
        """A job by its id."""
        return next(self._read("WHERE id=?", job), None)

    def all(self, limit: int, before: str | None = None) -> list[Job]:
        """The newest jobs, the newest first.

        Args:
            limit: At most so many.
            before: The id of a job: those that are older.
        """
        if before is None:
            return list(self._read("ORDER BY number DESC LIMIT ?", limit))
        older = "WHERE number < (SELECT number FROM jobs WHERE id=?) ORDER BY number DESC LIMIT ?"
        return list(self._read(older, before, limit))

    def remove(self, job: str) -> None:
        """Forget a job and its files."""
        shutil.rmtree(self.place(job), ignore_errors=True)  # first, for a full disk has no room to forget it
        self._base.execute("DELETE FROM jobs WHERE id=?", (job,))

    def keep_newest(self, most: int) -> None:
        """Forget the oldest that have ended, of more than `most`."""
        excess = "WHERE state NOT IN ('waiting', 'running') ORDER BY number DESC LIMIT -1 OFFSET ?"
        for job in list(self._read(excess, most)):
            self.remove(job.id)

    def _drop_strays(self) -> None:
        """Folders whose jobs were never kept, for the service ended while they were sent."""
        known = {name for (name,) in self._base.execute("SELECT id FROM jobs")}
        for place in (self.folder / "jobs").iterdir():
            if place.name not in known and _ID.fullmatch(place.name):
                shutil.rmtree(place, ignore_errors=True)

    def _read(self, condition: str, *values: Any) -> Iterator[Job]:
        for row in self._base.execute(f"SELECT {', '.join(_COLUMNS)} FROM jobs {condition}", values):
            facts = dict(zip(_COLUMNS, row, strict=True))
            yield self._said(**{name: json.loads(value) if name in _JSON else value for name, value in facts.items()})

    def _said(self, **kept: Any) -> Job:
        """A job without folders of this machine, which older versions kept in what they said of one."""
        place = self.place(kept["id"])
        known = {str(place): "", str(place.resolve()): ""}  # also where there are spaces in it
        return Job(**kept | {name: without_places(kept[name], known=known) for name in _SAID})


def _values(job: Job) -> Sequence[Any]:
    return [json.dumps(value) if name in _JSON else value for name in _COLUMNS for value in [getattr(job, name)]]
