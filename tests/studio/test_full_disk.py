"""A disk without room: it is said, and what goes on goes on."""

import asyncio
import errno
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi")

from limner.studio import queue as studio_queue
from limner.studio.guard import BUG
from limner.studio.queue import Queue
from limner.studio.service import _no_room
from limner.studio.settings import Settings
from limner.studio.store import Job, Store, new_id

FULL = sqlite3.OperationalError("database or disk is full")


class Idle:
    """A device that has done everything already."""

    def __init__(self, settings: Settings, tell: Any) -> None:
        self.known = asyncio.get_running_loop().create_future()
        self.known.set_result({"models": []})

    async def work(self, job: str, order: dict[str, Any], seconds: float) -> dict[str, Any]:
        """All is well, but for what says that it is not."""
        if order["verb"] == "imagine":
            raise RuntimeError("a bug")
        return {"state": "done"}

    async def close(self) -> None:
        """Nothing is open."""


def test_jobs_are_done_though_none_can_be_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(studio_queue, "Device", Idle)
    store, has_room = Store(tmp_path), False
    save = store.save

    def full(job: Job) -> None:
        if not has_room:
            raise FULL
        save(job)

    monkeypatch.setattr(store, "save", full)

    async def ask() -> list[tuple[str, str | None]]:
        nonlocal has_room
        queue, ended = Queue(Settings(folder=tmp_path), store), list[tuple[str, str | None]]()
        for verb in ("upscale", "imagine", "upscale"):
            job = Job(new_id(), verb, {})
            queue.add(job)
            now = await queue.ended(job.id, 10)
            assert now and now.state == queue.newest(1, None)[0].state
            ended.append((now.state, now.error))
            has_room = verb == "imagine"
        await queue.close()
        return ended

    assert asyncio.run(ask()) == [("done", None), ("failed", BUG), ("done", None)]
    assert [job.state for job in store.all(9)] == ["done", "failed", "done"], "kept as soon as there was room"


def test_what_finds_no_room_is_told_so() -> None:
    for error in (OSError(errno.ENOSPC, "full"), FULL):
        found = asyncio.run(_no_room(None, error))  # type: ignore[arg-type]  # it is not looked at
        assert found.status_code == 507 and "no space left" in json.loads(bytes(found.body))["error"]
    for error in (OSError(errno.EACCES, "denied"), sqlite3.OperationalError("no such table")):
        with pytest.raises(type(error)):
            asyncio.run(_no_room(None, error))  # type: ignore[arg-type]


def test_a_job_is_forgotten_where_there_is_no_room(tmp_path: Path) -> None:
    """Its files go first, and make the room that forgetting it takes."""
    store = Store(tmp_path)
    job = Job(new_id(), "upscale", {})
    store.add(job)
    store.place(job.id).mkdir(parents=True)
    store.close()
    with pytest.raises(sqlite3.ProgrammingError):
        store.remove(job.id)
    assert not store.place(job.id).exists()
