"""Jobs that wait, one that is done, and all who want to know how far it is."""

import asyncio
import sqlite3
import time
import traceback
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from limner.errors import LimnerError
from limner.studio.device import Device
from limner.studio.guard import BUG
from limner.studio.results import found_in
from limner.studio.settings import Settings
from limner.studio.store import Job, Store
from limner.studio.uploads import by_field
from limner.studio.verbs import find_verb

ENDED = ("done", "failed", "cancelled", "interrupted")


class FullError(LimnerError):
    """Too many jobs wait already."""


class Queue:
    """Does jobs in the order in which they came.

    Args of the constructor:
        settings: Of the service.
        store: Where jobs are kept.
    """

    def __init__(self, settings: Settings, store: Store) -> None:
        self.settings, self.store = settings, store
        self.device = Device(settings, self._tell)
        self.live: dict[str, Job] = {}
        self._changed = asyncio.Condition()
        self._news: asyncio.Queue[str] = asyncio.Queue()
        self._versions: dict[str, int] = {}
        self._task = asyncio.create_task(self._work())
        self._unkept: dict[str, Job] = {}
        self._telling: set[asyncio.Task[None]] = set()

    def check_room(self) -> None:
        """Refuse a job that is one too many.

        Raises:
            FullError: If it is.
        """
        if len(self.live) >= self.settings.max_waiting:
            raise FullError(
                f"{len(self.live)} jobs wait already, at most {self.settings.max_waiting} may: try again later"
            )

    def add(self, job: Job) -> None:
        """Let a job wait for its turn.

        Raises:
            FullError: If too many wait already.
        """
        self.check_room()
        self.store.add(job)
        self.live[job.id] = job
        self._news.put_nowait(job.id)
        self.store.keep_newest(self.settings.max_jobs)

    def get(self, job: str) -> Job | None:
        """A job as it is now."""
        return self.live.get(job) or self._unkept.get(job) or self.store.get(job)

    def newest(self, limit: int, before: str | None) -> list[Job]:
        """The newest jobs as they are now; `before`: those that are older than that one."""
        return [self.live.get(one.id) or self._unkept.get(one.id) or one for one in self.store.all(limit, before)]

    def remove(self, job: str) -> None:
        """Forget a job that has ended, and its files."""
        self.store.remove(job)
        self._unkept.pop(job, None)

    async def cancel(self, job: str) -> None:
        """Let a job not be done, or not to its end."""
        found = self.live.get(job)
        if found is None:
            return
        if found.state == "waiting":
            found.state = "cancelled"
            self._end(found)
        else:
            await self.device.cancel(job)

    async def changes(self, job: str) -> AsyncIterator[Job]:
        """The job as it is, and again whenever it has changed, up to its end."""
        seen = -1
        while found := self.get(job):
            version = self._versions.get(job, 0)
            if version != seen:
                seen = version
                yield found
                if found.state in ENDED:
                    return
                continue
            async with self._changed:
                await self._changed.wait_for(lambda: self._versions.get(job, 0) != seen)  # noqa: B023

    async def ended(self, job: str, seconds: float) -> Job | None:
        """The job when it has ended, or as it is after so many seconds."""

        async def last() -> None:
            async for _ in self.changes(job):
                pass

        with suppress(TimeoutError):
            await asyncio.wait_for(last(), seconds)
        return self.get(job)

    async def close(self) -> None:
        """End the work; what was not done is marked so when the next service begins."""
        self._task.cancel()
        await self.device.close()

    def _save(self, job: Job) -> None:
        """Keep what has become of a job; on a full disk, until there is room or the service ends."""
        self._unkept[job.id] = job
        with suppress(sqlite3.OperationalError):
            for one in list(self._unkept.values()):
                self.store.save(one)
                del self._unkept[one.id]

    def _end(self, job: Job) -> None:
        self._save(job)
        self.live.pop(job.id, None)
        self._told(job.id)
        self._versions.pop(job.id)

    def _told(self, job: str) -> None:
        self._versions[job] = self._versions.get(job, 0) + 1
        task = asyncio.create_task(self._wake())
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _wake(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    def _tell(self, job: str, said: dict[str, Any]) -> None:
        if (found := self.live.get(job)) and "done" in said:
            found.done = said["done"]
            self._told(job)

    async def _work(self) -> None:
        while True:
            job = self.live.get(await self._news.get())
            if job is not None:  # else it was cancelled while it waited
                await self._done(job)

    async def _done(self, job: Job) -> None:
        """Do a job; what goes wrong is its own matter, and others are done."""
        try:
            await self._do(job)
        except Exception as error:
            traceback.print_exception(error)
            job.state, job.error = "failed", BUG
            self._end(job)

    async def _do(self, job: Job) -> None:
        job.state, job.begun = "running", time.monotonic()
        self._save(job)
        self._told(job.id)
        try:
            ended = await self.device.work(job.id, await self._order(job), self.settings.max_seconds)
        except LimnerError as error:
            ended = {"state": "failed", "error": str(error)}
        if job.verb == "learn-style" or any(one["field"] == "style" for one in job.inputs):
            (await self.device.known)["stale"] = True  # a style may have been learnt
        job.seconds = round(time.monotonic() - job.begun, 3)
        job.state = ended["state"]
        job.error = None if job.state == "cancelled" else ended.get("error")
        job.notes, job.facts = ended.get("notes", []), ended.get("facts")
        job.results = found_in(self.store.place(job.id) / "results")
        if job.state == "failed" and job.results and job.notes:
            job.error = (
                "; ".join(line.removeprefix("error: ") for line in job.notes if line.startswith("error:")) or job.error
            )
        self._end(job)

    async def _order(self, job: Job) -> dict[str, Any]:
        verb, known = find_verb(job.verb), await self.device.known
        options = {name: value for name, value in job.options.items() if name != "styles"}
        paths = {one["name"]: one["path"] for one in known["models"] if one["own"]}
        model = options.get("model")
        machine = {"device": self.settings.device, "threads": self.settings.threads}
        return {
            "verb": job.verb,
            "folder": str(Path(self.store.place(job.id)).resolve()),
            "options": options,
            "models": {"model": paths[model]} if model in paths else {},
            "files": by_field(verb, job.inputs, job.options.get("styles", [])),
            "machine": {**machine, "max_pixels": str(self.settings.max_pixels)},
        }
