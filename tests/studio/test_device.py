"""The worker's process as the service sees it: what takes too long is ended, and all else goes on."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

pytest.importorskip("fastapi")

from limner.errors import LimnerError
from limner.studio import device as studio_device
from limner.studio.device import Device
from limner.studio.settings import Settings

Made = TypeVar("Made")
_LONG = 60.0


@pytest.fixture(autouse=True)
def _slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(studio_device, "WORKER", "tests.studio.slow_worker")


class Watched(Device):
    """Keeps what the worker told of jobs."""

    def __init__(self, settings: Settings) -> None:
        self.told: list[dict[str, Any]] = []
        super().__init__(settings, lambda job, said: self.told.append(said))


def with_device(place: Path, does: Callable[[Watched], Awaitable[Made]], **settings: Any) -> Made:
    """What is made with a device, which is closed then."""

    async def done() -> Made:
        device = Watched(Settings(folder=place, **settings))
        try:
            return await asyncio.wait_for(does(device), _LONG)
        finally:
            await device.close()

    return asyncio.run(done())


def job(steps: int, seconds: float) -> dict[str, Any]:
    return {"verb": "restore-denoise", "folder": "", "steps": steps, "seconds": seconds}


async def job_began(device: Watched) -> None:
    """Wait until a job is being done."""
    while not device.told:
        await asyncio.sleep(0.05)


async def began(device: Watched) -> None:
    """Wait until a picture is being made at once."""
    while device._late is None:
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("limit", [{"max_seconds": 1.0}, {"max_live_seconds": 1.0}], ids=str)
def test_a_picture_at_once_that_takes_too_long_is_ended_and_the_next_is_made(tmp_path: Path, limit: dict) -> None:
    async def ask(device: Watched) -> dict[str, Any]:
        with pytest.raises(LimnerError) as error:
            await device.ask("wait", seconds=_LONG)
        line = "it took longer than the 1 seconds that a picture made at once may: ask for less, as a smaller picture"
        assert str(error.value) == line
        return await device.ask("wait", seconds=0)

    begun = time.monotonic()
    assert with_device(tmp_path, ask, **limit) == {"waited": 0}
    assert time.monotonic() - begun < _LONG / 2


def test_to_wait_for_ones_turn_does_not_count(tmp_path: Path) -> None:
    async def ask(device: Watched) -> list[dict[str, Any]]:
        return await asyncio.gather(*(device.ask("wait", seconds=seconds) for seconds in (0.9, 0.8, 0.7)))

    expected = [{"waited": seconds} for seconds in (0.9, 0.8, 0.7)]
    assert with_device(tmp_path, ask, max_live_seconds=2.0) == expected


def test_a_job_beside_which_a_picture_took_too_long_says_so(tmp_path: Path) -> None:
    async def ask(device: Watched) -> tuple[Any, ...]:
        work = asyncio.create_task(device.work("job", job(200, 0.1), _LONG))
        asked = [asyncio.create_task(device.ask("wait", seconds=seconds)) for seconds in (_LONG, 0)]
        return (await work, *await asyncio.gather(*asked, return_exceptions=True))

    ended, late, other = with_device(tmp_path, ask, max_live_seconds=1.0)
    beside = "it was ended with another's picture, which took too long: try again"
    assert (ended["state"], ended["error"]) == ("failed", beside)
    assert "longer than the 1 seconds" in str(late)
    assert str(other) == beside or other == {"waited": 0}, "it is asked for after the one that takes long"


def test_a_picture_at_once_is_made_though_the_job_beside_it_is_cancelled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(studio_device, "_GRACE", _LONG)  # it stops by itself

    async def ask(device: Watched) -> tuple[Any, ...]:
        work = asyncio.create_task(device.work("job", job(200, 0.1), _LONG))
        await job_began(device)
        asked = asyncio.create_task(device.ask("wait", seconds=1.0))
        await began(device)
        await device.cancel("job")
        return await work, await asked

    ended, made = with_device(tmp_path, ask, max_live_seconds=20.0)
    assert ended["state"] == "cancelled", ended
    assert made == {"waited": 1.0}


def test_a_job_that_is_cancelled_before_it_begins_never_begins(tmp_path: Path) -> None:
    async def ask(device: Watched) -> tuple[Any, ...]:
        asked = asyncio.create_task(device.ask("wait", seconds=2.0))
        await began(device)
        work = asyncio.create_task(device.work("job", job(200, 0.1), _LONG))
        await asyncio.sleep(0)
        await device.cancel("job")
        return (await work)["state"], asked.done(), await asked, device.told

    assert with_device(tmp_path, ask) == ("cancelled", False, {"waited": 2.0}, [])


def test_a_job_that_does_not_stop_is_cancelled_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(studio_device, "_GRACE", 0.0)

    async def ask(device: Watched) -> tuple[Any, ...]:
        work = asyncio.create_task(device.work("job", job(1, _LONG), _LONG))
        await job_began(device)
        asked = asyncio.create_task(device.ask("wait", seconds=0))
        await asyncio.sleep(0)  # it is asked for now, and waits for the job's only step
        await device.cancel("job")
        ended, other = await work, await asyncio.gather(asked, return_exceptions=True)
        return ended["state"], str(other[0]), await device.ask("wait", seconds=0)

    beside = "it was ended with a job that did not stop by itself: try again"
    assert with_device(tmp_path, ask) == ("cancelled", beside, {"waited": 0})
