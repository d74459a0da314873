"""One driver for many files: it reads, works and writes at the same time, in order, and one bad file stops no other.

A worker says what is done with a picture; an observer sees everything that happens. Commands, a server and a
cluster's workers are observers of their own.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from typing import Any, Protocol, TypeAlias

from limner.files.image import (
    MOST_PIXELS,
    ImageInfo,
    Picture,
    check_header,
    check_writable,
    losses,
    read_image,
    write_image,
)
from limner.files.lock import alone_at
from limner.files.video import is_video_path
from limner.files.video_reader import open_video
from limner.media.outputs import Job, make_folders
from limner.media.pipeline import Outcome, run, run_at_once
from limner.runtime.runner import AT_ONCE


@dataclass(frozen=True)
class Written:
    """What has become of one file.

    Attributes:
        job: The file, and where its result lies.
        width: Of the result, in pixels.
        height: Of the result, in pixels.
        seconds: That its stages have taken, without what it waited.
        facts: What else is to be known, by name.
    """

    job: Job
    width: int
    height: int
    seconds: float
    facts: Mapping[str, Any] = field(default_factory=dict)


class Observer(Protocol):
    """Sees what happens, in the thread that called `work_through`."""

    def file_started(self, job: Job) -> None:
        """The work on a file begins."""

    def part_done(self, done: int, total: int) -> None:
        """So many parts, strips or frames of the present file are done, of so many."""

    def file_written(self, written: Written) -> None:
        """The result of a file is there, whole."""

    def file_failed(self, job: Job, error: Exception) -> None:
        """A file has no result; the others go on."""

    def note(self, text: str) -> None:
        """Something that is worth knowing and stops nothing."""


class Worker(ABC):
    """What is done with each file.

    Args of the constructor:
        quality: Of JPEG, WebP and AVIF.
        max_pixels: Of a picture that is read; None for any.
        overwrite: Whether files that are there may be replaced.
        scale: Sides of the results over those of the pictures, for the limits of file formats.
    """

    def __init__(
        self,
        *,
        quality: int | None = None,
        max_pixels: int | None = MOST_PIXELS,
        overwrite: bool = False,
        scale: float = 1,
    ) -> None:
        self.quality, self.max_pixels, self.overwrite, self.scale = quality, max_pixels, overwrite, scale

    @abstractmethod
    def work(self, job: Job, picture: Picture, observer: Observer) -> Picture:
        """The result of a picture that memory holds."""

    def is_alone(self, job: Job) -> bool:
        """Whether a file is worked on from file to file, with no other in memory: a video, or a large picture."""
        return False

    def is_light(self, job: Job) -> bool:
        """Whether `AT_ONCE` such pictures are worked on at the same time, which `work` and `finish` must then stand."""
        return False

    def work_alone(self, job: Job, observer: Observer) -> tuple[int, int, Mapping[str, Any]]:
        """Read, work and write at once; width and height of the result, and what else is to be known.

        It is asked of files alone that `is_alone` names; a worker that names some writes both.
        """
        raise AssertionError(f"{type(self).__name__} takes no file alone")

    def finish(self, job: Job, picture: Picture, result: Picture) -> Mapping[str, Any]:
        """What else is done once the result is written, and what is to be known of it."""
        return {}


def work_through(jobs: Sequence[Job], worker: Worker, observer: Observer) -> None:
    """Do all jobs. Pictures overlap: one is read and one is written while a third is worked on; light ones wholly.

    What a file raises is the observer's to tell, and the others go on; KeyboardInterrupt and its like end the run at
    once, half-written files are removed, and whole ones told.
    """
    make_folders(jobs)
    for do, some in groupby(jobs, key=partial(_way, worker)):
        done, told = list[Written](), list[Written]()
        try:
            with closing(do(list(some), worker, observer, done)) as outcomes:
                for outcome in outcomes:
                    if outcome.error is not None:
                        observer.file_failed(outcome.item, outcome.error)
                    else:
                        told.append(outcome.get())
                        observer.file_written(told[-1])
        except BaseException:  # its threads have ended
            for written in done:
                if not any(written is one for one in told):
                    observer.file_written(written)
            raise


def check_readable(job: Job, max_pixels: int | None) -> ImageInfo | None:
    """Refuse what reading would refuse by what a file says of itself.

    Returns:
        What a picture says; None of a video.

    Raises:
        LimnerError: If there is nothing to read, or it is too large.
    """
    if job.refused:
        raise job.refused
    if is_video_path(job.source):
        open_video(job.source, max_pixels=max_pixels)
        return None
    return check_header(job.source, max_pixels=max_pixels)


def _way(worker: Worker, job: Job) -> "_Way":
    """How a file is worked on."""
    with suppress(Exception):  # whatever is the matter with the file, reading it will say so
        if not job.refused:
            return _alone if worker.is_alone(job) else _at_once if worker.is_light(job) else _side_by_side
    return _side_by_side


@dataclass
class _Underway:
    """A picture between its stages."""

    job: Job
    picture: Picture
    seconds: float
    result: Picture | None = None


def _alone(
    jobs: Sequence[Job], worker: Worker, observer: Observer, done: list[Written]
) -> Generator[Outcome[Job, Written]]:
    def whole(job: Job) -> Written:
        start = time.perf_counter()
        observer.file_started(job)
        with alone_at(job.target, "this file"):
            width, height, facts = worker.work_alone(job, observer)
        done.append(Written(job, width, height, time.perf_counter() - start, facts))
        return done[-1]

    for job in jobs:
        yield Outcome(job, job).then(whole)


def _side_by_side(
    jobs: Sequence[Job], worker: Worker, observer: Observer, done: list[Written]
) -> Generator[Outcome[Job, Written]]:
    stages = _Stages(worker, done)
    return run(jobs, stages.read, partial(stages.work, observer=observer), stages.write)


def _at_once(
    jobs: Sequence[Job], worker: Worker, observer: Observer, done: list[Written]
) -> Generator[Outcome[Job, Written]]:
    """Each file in one of a few threads; the observer hears of it, in this one, once it is done."""
    if len(jobs) == 1:
        yield from _side_by_side(jobs, worker, observer, done)
        return
    stages, heard = _Stages(worker, done), {id(job): _Heard() for job in jobs}

    def whole(job: Job) -> Written:
        return stages.write(stages.work(stages.read(job), heard[id(job)]))

    with closing(run_at_once(jobs, whole, at_once=AT_ONCE)) as outcomes:
        for outcome in outcomes:
            heard[id(outcome.item)].tell(observer)
            yield outcome


_Way: TypeAlias = Callable[[Sequence[Job], Worker, Observer, list[Written]], Generator[Outcome[Job, Written]]]


class _Heard:
    """An observer of one file that keeps what it hears for another one."""

    def __init__(self) -> None:
        self._events: list[Callable[[Observer], None]] = []

    def tell(self, observer: Observer) -> None:
        """All of it, in order."""
        for event in self._events:
            event(observer)

    def file_started(self, job: Job) -> None:
        self._events.append(lambda observer: observer.file_started(job))

    def part_done(self, done: int, total: int) -> None:
        self._events.append(lambda observer: observer.part_done(done, total))

    def file_written(self, written: Written) -> None:
        self._events.append(lambda observer: observer.file_written(written))

    def file_failed(self, job: Job, error: Exception) -> None:
        self._events.append(lambda observer: observer.file_failed(job, error))

    def note(self, text: str) -> None:
        self._events.append(lambda observer: observer.note(text))


@dataclass(frozen=True)
class _Stages:
    """What is done with a picture that memory holds; `done` gets what is written."""

    worker: Worker
    done: list[Written]

    def read(self, job: Job) -> _Underway:
        start = time.perf_counter()
        if job.refused:
            raise job.refused
        picture = read_image(job.source, max_pixels=self.worker.max_pixels)
        check_writable(job.target, picture, scale=self.worker.scale, quality=self.worker.quality)
        return _Underway(job, picture, time.perf_counter() - start)

    def work(self, one: _Underway, observer: Observer) -> _Underway:
        start = time.perf_counter()
        observer.file_started(one.job)
        for note in (*one.picture.notes, *losses(one.job.target, one.picture)):
            observer.note(f"note: {note}")
        one.result = self.worker.work(one.job, one.picture, observer)
        one.seconds += time.perf_counter() - start
        return one

    def write(self, one: _Underway) -> Written:
        start, result = time.perf_counter(), one.result
        assert result is not None
        with alone_at(one.job.target, "this file"):
            write_image(one.job.target, result, quality=self.worker.quality, overwrite=self.worker.overwrite)
            facts = self.worker.finish(one.job, one.picture, result)
        seconds = one.seconds + time.perf_counter() - start
        written = Written(one.job, result.width, result.height, seconds, facts)
        self.done.append(written)
        return written
