"""What one process of a cluster does: some files at a time by `media.many_files`, those of buckets by copies.

A file that is tried again may have been finished, whole or in part, by a process that died before it could say so.
What that one has written is then counted and not written a second time.
"""

import os
import pickle
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from limner.arguments import REPLACE
from limner.errors import LimnerError
from limner.files.bucket import BucketPath, stamp
from limner.files.image import read_header
from limner.files.lock import BusyError
from limner.files.video import is_video_path
from limner.files.video_reader import open_video
from limner.media.many_files import Worker, Written, work_through
from limner.media.outputs import Job
from limner.media.pipeline import Outcome

_COPIES = 8  # that are under way at the same time
_PATIENCE = 60.0  # seconds for a process that is about to die to let go of a file


class Task(NamedTuple):
    """A job, as a cluster is given it.

    Attributes:
        job: What is to be done.
        places: All that it writes, and what was there before the run, as `stamp` tells it.
        tries: How many processes have had it before; with any it is the only task of a call.
    """

    job: Job
    places: Mapping[Path, object | None]
    tries: int = 0


@dataclass
class Done:
    """What has become of some files; as an observer it keeps what it sees.

    Attributes:
        written: The files that have results.
        failed: Those that have none.
        notes: On any of them.
        seconds: That the work on all took, without copies.
    """

    written: list[Written] = field(default_factory=list)
    failed: list[tuple[Job, Exception]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def file_started(self, job: Job) -> None:
        """Not kept."""

    def part_done(self, done: int, total: int) -> None:
        """Not kept."""

    def file_written(self, written: Written) -> None:
        """Keep it."""
        self.written.append(written)

    def file_failed(self, job: Job, error: Exception) -> None:
        """Keep it, as something that can be sent."""
        self.failed.append((job, sendable(error)))

    def note(self, text: str) -> None:
        """Keep it."""
        self.notes.append(text)


class NodeWork:
    """A worker that stays in its process.

    Args of the constructor:
        make: Makes the worker.
        facts: What is to be known of it.
        folder: That relative paths begin at.
    """

    def __init__(self, make: Callable[[], Worker], facts: Callable[[Any], dict[str, Any]], folder: Path) -> None:
        self._make, self._facts, self._folder, self._alone = make, facts, folder, threading.Lock()
        self._worker: Worker

    def begin(self) -> dict[str, Any] | Exception:
        """Make the worker; what is to be known of it, or why it cannot be made."""
        try:
            if self._folder.is_dir():
                os.chdir(self._folder)
            self._worker = self._make()
            return self._facts(self._worker)
        except Exception as error:
            return sendable(error)

    def do(self, tasks: Sequence[Task]) -> Done:
        """Read, work and write. While one call works on its files, another may copy its own."""
        return self._once_more(tasks[0]) if tasks[0].tries else self._do(tasks, self._worker.overwrite)

    def _once_more(self, task: Task) -> Done:
        last, latest = None, time.monotonic() + _PATIENCE
        while True:
            made = [place for place, before in task.places.items() if stamp(place) not in (None, before)]
            if len(made) == len(task.places):
                width, height = _size(task.job.target)
                return Done([Written(task.job, width, height, 0.0)])
            if last is not None and (time.monotonic() > latest or not _is_busy(last)):
                return last
            if last is not None:
                time.sleep(0.5)
            last = self._do([task], self._worker.overwrite or bool(made))
            if not last.failed:
                return last

    def _do(self, tasks: Sequence[Task], overwrite: bool) -> Done:
        done, made = Done(), Done()
        with TemporaryDirectory(prefix="limner-") as folder, ThreadPoolExecutor(_COPIES) as copiers:
            copies = [_Copy(task.job, Path(folder) / str(number)) for number, task in enumerate(tasks)]
            fetched = list(copiers.map(lambda one: Outcome(one, one).then(_Copy.fetch), copies))
            for outcome in fetched:
                if outcome.error:
                    done.file_failed(outcome.item.original, outcome.error)
            ready = {one.item.job: one.item for one in fetched if not one.error}
            with self._alone:
                self._work(list(ready), made, overwrite)
            told = [Outcome(ready[one.job], one) for one in made.written]
            for stored in copiers.map(lambda one: one.then(lambda written: one.item.store(written, overwrite)), told):
                if stored.error:
                    done.file_failed(stored.item.original, stored.error)
                else:
                    done.file_written(stored.get())
            for job, error in made.failed:
                done.file_failed(ready[job].original, ready[job].renamed(error))
        done.notes = [_named(note, copies) for note in made.notes]
        done.seconds = made.seconds
        return done

    def _work(self, jobs: Sequence[Job], made: Done, overwrite: bool) -> None:
        begun, usual = time.perf_counter(), self._worker.overwrite
        self._worker.overwrite = overwrite
        try:
            work_through(jobs, self._worker, made)
        finally:
            self._worker.overwrite = usual
        made.seconds = time.perf_counter() - begun


class _Copy:
    """A job on files of this machine, which in place of those of buckets lie in a folder.

    Attributes:
        original: The job.
        job: The same on the copies.
    """

    def __init__(self, job: Job, folder: Path) -> None:
        self.original, self._given, self._made = job, folder / "given", folder / "made"
        source = self._given / job.source.name if isinstance(job.source, BucketPath) else job.source
        self.job = Job(source, self._here(job.target), job.comparison and self._here(job.comparison), job.refused)

    def _here(self, place: Path) -> Path:
        return self._made / place.name if isinstance(place, BucketPath) else place

    def fetch(self) -> "_Copy":
        """Bring the source here."""
        if isinstance(self.original.source, BucketPath):
            self._given.mkdir(parents=True)
            try:
                self.original.source.fetch(self.job.source)
            except FileNotFoundError:
                raise LimnerError(f"{self.original.source}: there is no such file: check the name") from None
        return self

    def store(self, written: Written, overwrite: bool) -> Written:
        """Take all results to their places, the one that says that all are there last."""
        target = self.original.target
        if isinstance(target, BucketPath):
            results = sorted(path for path in self._made.rglob("*") if path.is_file() and path != self.job.target)
            for result in (*results, self.job.target):
                place = target.parent / result.relative_to(self._made)
                if not overwrite and place.exists():
                    raise LimnerError(f"{place}: is already there: {REPLACE}, or name another output")
                place.store(result)
        facts = {name: self.told(value) if isinstance(value, str) else value for name, value in written.facts.items()}
        return replace(written, job=self.original, facts=facts)

    def told(self, text: str) -> str:
        """A text with the places of the originals."""
        text = text.replace(str(self._given), str(self.original.source.parent))
        return text.replace(str(self._made), str(self.original.target.parent))

    def renamed(self, error: Exception) -> Exception:
        """The error, told of the originals."""
        error.args = tuple(self.told(one) if isinstance(one, str) else one for one in error.args)
        return error


def sendable(error: Exception) -> Exception:
    """The error, or what it says where it cannot be sent to another process."""
    try:
        pickle.loads(pickle.dumps(error))  # our own
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


def _named(note: str, copies: Sequence[_Copy]) -> str:
    for copy in copies:
        note = copy.told(note)
    return note


def _is_busy(done: Done) -> bool:
    return any(isinstance(error, BusyError) for _, error in done.failed)


def _size(path: Path) -> tuple[int, int]:
    """Width and height of a result that is there, in pixels."""
    with TemporaryDirectory(prefix="limner-") as folder:
        here = path
        if isinstance(path, BucketPath):
            here = Path(folder) / path.name
            path.fetch(here)
        told = open_video(here, max_pixels=None) if is_video_path(here) else read_header(here)
        return told.width, told.height
