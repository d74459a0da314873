"""The worker's process as the service sees it: orders in, answers out, and one that has died is started anew."""

import asyncio
import contextlib
import itertools
import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any, Literal

import psutil

from limner.errors import LimnerError
from limner.studio.settings import Settings

WORKER = "limner.studio.worker"  # what the process runs
_LONGEST_LINE = 512 * 2**20  # bytes: a picture in base64
_GRACE = 15.0  # seconds that a job has to stop by itself
_MOST_STILLBORN = 3  # workers that die before they answer
_OFTEN = 0.25  # seconds between two looks at the memory that it takes
_PAUSE = 1.0  # seconds before a worker that died is started anew
_ASKED = "ask "  # before numbers of what is made at once; ids of jobs are hexadecimal digits
_SMALLER = "ask for less, as a smaller picture"

Cause = Literal["memory", "late", "stuck"]
"""Why the process is ended: it takes too much, what is made at once takes too long, or a job does not stop."""


class NotReadyError(LimnerError):
    """There is nothing that could work."""


class Device:
    """One process that does one thing at a time.

    Args of the constructor:
        settings: Of the service.
        tell: Called with what the worker says of a job: its id and facts.
    """

    def __init__(self, settings: Settings, tell: Callable[[str, dict[str, Any]], None]) -> None:
        self._settings, self._tell = settings, tell
        self._process: asyncio.subprocess.Process | None = None
        self._numbers = itertools.count(1)
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._job: asyncio.Future[dict[str, Any]] | None = None
        self._job_id = ""
        self._closing = self._is_doomed = False
        self._late: asyncio.TimerHandle | None = None
        self._ready = asyncio.Event()
        self._stillborn = 0
        self.known: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._live())

    @property
    def resident(self) -> int:
        """Bytes that the process holds."""
        return int(psutil.Process(self._process.pid).memory_info().rss) if self._process else 0

    async def ask(self, do: str, **order: Any) -> dict[str, Any]:
        """Have something done at once: between two steps of what is being done.

        Raises:
            LimnerError: As the worker says, if it took longer than it may, or if the worker ended.
        """
        number = f"{_ASKED}{next(self._numbers)}"
        future = self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            await self._send(do=do, id=number, **order)
            return await future
        finally:
            self._waiting.pop(number, None)

    async def work(self, job: str, order: dict[str, Any], seconds: float) -> dict[str, Any]:
        """Do a job to its end: `state`, `error`, `notes` and `facts`.

        Args:
            job: Its id.
            order: As `worker.run` takes it.
            seconds: After which it is stopped.
        """
        self._job, self._job_id = asyncio.get_running_loop().create_future(), job
        await self._send(do="job", id=job, **order)
        try:
            return await asyncio.wait_for(asyncio.shield(self._job), seconds)
        except TimeoutError:
            await self.cancel(job)
            ended = await self._job
            return {**ended, "state": "failed", "error": f"it took longer than the {seconds:g} seconds that a job may"}
        finally:
            self._job = None

    async def cancel(self, job: str) -> None:
        """Stop a job, by force if it does not stop by itself."""
        if self._job is None or self._job_id != job:
            return
        await self._send(do="cancel", id=job)
        running = self._job
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(running), _GRACE)
            return
        if self._job is running:
            self._kill("stuck")

    async def close(self) -> None:
        """End the process."""
        self._closing = True
        self._task.cancel()
        if self._process and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def _send(self, **order: Any) -> None:
        await self.known
        await self._ready.wait()
        assert self._process and self._process.stdin
        with contextlib.suppress(ConnectionError):
            self._process.stdin.write((json.dumps(order) + "\n").encode())
            await self._process.stdin.drain()

    async def _live(self) -> None:
        while not self._closing:
            settings = json.dumps(self._settings.of_the_worker())
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", WORKER, settings, stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE, limit=_LONGEST_LINE, start_new_session=True,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )  # fmt: skip
            assert self._process.stdout is not None
            watch = asyncio.create_task(self._watch(self._process))
            async for line in self._process.stdout:
                if not self._is_doomed:
                    self._take(json.loads(line))
            self._ended(await self._process.wait())
            watch.cancel()
            await asyncio.sleep(_PAUSE)

    async def _watch(self, process: asyncio.subprocess.Process) -> None:
        """End a process that takes more memory than it may, before the system ends one that it chooses."""
        with contextlib.suppress(psutil.Error):
            seen = psutil.Process(process.pid)
            while process.returncode is None:
                await asyncio.sleep(_OFTEN)
                if seen.memory_info().rss > self._settings.max_memory:
                    self._kill("memory")

    def _take(self, said: dict[str, Any]) -> None:
        number = said.pop("id")
        if number == "hello":
            self._ready.set()
            self._stillborn = 0
            if not self.known.done():
                self.known.set_result(said["answer"])
        elif number.startswith(_ASKED):
            self._take_of_asked(number, said)
        elif number == self._job_id and self._job and not self._job.done():
            if said.get("state", "running") == "running":
                self._tell(number, said)
            else:
                self._job.set_result(said)

    def _take_of_asked(self, number: str, said: dict[str, Any]) -> None:
        """Of what is made at once: that it is begun, from when on its time counts, or what it has become."""
        if self._late:
            self._late.cancel()
        if "begun" in said:  # also where nobody waits for it any longer
            seconds = min(self._settings.max_live_seconds, self._settings.max_seconds)
            self._late = asyncio.get_running_loop().call_later(seconds, self._end_late, number, seconds)
        elif (future := self._waiting.get(number)) and not future.done():
            if "error" in said:
                future.set_exception(LimnerError(said["error"]))
            else:
                future.set_result(said["answer"])

    def _end_late(self, number: str, seconds: float) -> None:
        if (future := self._waiting.get(number)) and not future.done():
            line = f"it took longer than the {seconds:g} seconds that a picture made at once may: {_SMALLER}"
            future.set_exception(LimnerError(line))
        self._kill("late")

    def _kill(self, cause: Cause) -> None:
        """End the process; what it had is told so at once, and what is asked for from now on waits for the next."""
        if self._process and self._process.returncode is None and not self._is_doomed:
            self._is_doomed = True
            self._process.kill()
            self._give_up(self._line_of(cause), "cancelled" if cause == "stuck" else "failed")

    def _line_of(self, cause: Cause) -> str:
        if cause == "memory":
            most = self._settings.max_memory / 2**30
            return f"this takes more than the {most:.1f} GiB of memory that it may: {_SMALLER}"
        if cause == "late":
            return "it was ended with another's picture, which took too long: try again"
        return "it was ended with a job that did not stop by itself: try again"

    def _ended(self, code: int) -> None:
        """Tell all who wait that the process has died; one that never answers is not waited for."""
        self._stillborn += 1
        if self._stillborn == _MOST_STILLBORN and not self.known.done():
            self.known.set_exception(NotReadyError("the worker does not start: where limner was started it says why"))
        if not self._is_doomed:
            reason = f"the worker was ended ({signal.Signals(-code).name})" if code < 0 else "the worker ended"
            self._give_up(f"{reason}, perhaps for want of memory: {_SMALLER}, or try again", "failed")
        self._process, self._is_doomed = None, False

    def _give_up(self, line: str, state: str) -> None:
        self._ready.clear()
        if self._late:
            self._late.cancel()
        if self._job and not self._job.done():
            self._job.set_result({"state": state, "error": line, "notes": [], "facts": None})
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(LimnerError(line))
