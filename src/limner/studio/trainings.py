"""Runs of training, each a process of its own, and what they have written."""

import asyncio
import contextlib
import itertools
import json
import os
import re
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from limner.cli.commands import train
from limner.errors import LimnerError
from limner.files.atomic import atomic_path
from limner.studio.lines import line_of, read_line
from limner.studio.places import without_places
from limner.studio.queue import FullError
from limner.studio.settings import Settings
from limner.studio.verbs import Verb

TRAIN = Verb(
    "train", train.Options, without=("name", "data", "accept_changes", "tensorboard", "workers", "save_every"),
    beside=("data", "resume"), shown=("assignments",), title="Train",
)  # fmt: skip
_ABOUT, _PROGRESS = "studio.json", "progress.jsonl"
_LONGEST = 4096  # characters of a path
_POINTS = 400  # of the curves
_PATIENCE = 120.0  # seconds that a run has to save when it is stopped
_CHECK_SECONDS = 300.0
_MOST_CHECKS = 4  # at once: one is done, others wait


class Trainings:
    """All runs of a folder; one at a time is trained.

    Args of the constructor:
        settings: Of the service.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._process: asyncio.subprocess.Process | None = None
        self._task: asyncio.Task[None] | None = None
        self._run, self._is_stopping = "", False
        self._versions: dict[str, int] = {}
        self._changed = asyncio.Condition()
        self._look, self._checking = asyncio.Lock(), 0
        settings.runs.mkdir(parents=True, exist_ok=True)
        for run in self._all():
            if (about := self._about(run))["state"] == "running":
                self._write(run, {**about, "state": "interrupted"})

    def options(self, system: str, data: str, given: dict[str, Any]) -> dict[str, Any]:
        """What the command is given.

        Raises:
            LimnerError: If an option does not fit, or the folder may not be named.
        """
        folder = _folder_of(data)
        allowed = self._settings.train_in
        if allowed is not None and not any(folder.resolve().is_relative_to(one.resolve()) for one in allowed):
            mend = "ask who runs it" if allowed else "none was: start it with --train-in FOLDER"
            raise LimnerError(f"data for training must lie in a folder that the service was given: {mend}")
        values = TRAIN.parse(given)
        device = {"device": self._settings.device}
        return {**values, **device, "name": system, "data": str(folder)}

    async def check(self, options: dict[str, Any]) -> dict[str, Any]:
        """What the folder holds, and how it would be trained on.

        Raises:
            LimnerError: If it does not fit.
            FullError: If too many folders are looked at.
        """
        if self._checking >= _MOST_CHECKS:
            raise FullError(f"{_MOST_CHECKS} folders are looked at already: try again in a minute")
        self._checking += 1
        try:
            async with self._look:
                out = await self._looked({"do": "check", "options": options})
        finally:
            self._checking -= 1
        said = self._without_places(read_line((out.splitlines() or [b"{}"])[-1]), options["data"])
        if "answer" not in said:
            raise LimnerError(said.get("error", "the check ended without an answer: try again"))
        return dict(said["answer"])

    async def _looked(self, order: dict[str, Any]) -> bytes:
        process = await self._begun(order)
        try:
            out, _ = await asyncio.wait_for(process.communicate(), _CHECK_SECONDS)
        except TimeoutError:
            raise LimnerError(f"looking at the folder takes longer than {_CHECK_SECONDS:g} seconds") from None
        finally:
            if process.returncode is None:  # too late, or nobody waits any longer
                process.kill()
        return out

    async def begin(self, options: dict[str, Any], asked: dict[str, Any]) -> str:
        """Start a run; its id.

        Raises:
            FullError: If another is being trained.
        """
        self._check_free()
        run = self._name(asked["system"], asked["data"])
        place = self._place(run)
        with self._taken_by(run):
            place.mkdir()
            self._write(run, {"id": run, "made": time.time(), "state": "running", "error": None, **asked})
            await self._go(run, {**options, "output": str(place)})
        return run

    async def resume(self, run: str, given: dict[str, Any]) -> None:
        """Go on with a run, also for more minutes or steps.

        Raises:
            LimnerError: If there is nothing to go on with.
            FullError: If another is being trained.
        """
        about = self._about(self._known(run))
        if about["state"] == "running":
            raise LimnerError("it is being trained already")
        self._check_free()
        begun = (self._place(run) / "plan.json").is_file()
        own = {"resume": True} if begun else self.options(about["system"], about["data"], about["options"])
        options = {**own, **TRAIN.parse(given), "device": self._settings.device, "name": about["system"]}
        with self._taken_by(run):
            self._write(run, {**about, "state": "running", "error": None})
            await self._go(run, {**options, "output": str(self._place(run))})

    async def stop(self, run: str) -> None:
        """Let a run save all and end."""
        self._known(run)
        if self._process is None or self._run != run:
            return
        self._is_stopping = True
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGINT)
        with contextlib.suppress(TimeoutError):
            if self._task:
                await asyncio.wait_for(asyncio.shield(self._task), _PATIENCE)

    def all(self) -> list[dict[str, Any]]:
        """The newest run first, without its curves."""
        return sorted((self._about(run) for run in self._all()), key=lambda one: -one["made"])

    def told(self, run: str) -> dict[str, Any]:
        """A run as it is now.

        Raises:
            KeyError: If there is none.
        """
        place, about = self._place(self._known(run)), self._about(run)
        points, notes = self._progress(run)
        samples = sorted((place / "samples").glob("step-*.png"))
        last = points[-1] if points else {"step": 0, "share": 0.0, "train_seconds": 0.0}
        share, seconds = last["share"], last["train_seconds"]
        names = dict.fromkeys(name for point in points for name in point["losses"])
        thin = points[:: max(1, len(points) // _POINTS)]
        return {
            **about,
            "step": last["step"],
            "done": round(share, 4),
            "seconds": seconds,
            "left_seconds": round(seconds / share * (1 - share), 1)
            if share > 0 and about["state"] == "running"
            else None,
            "losses": {
                "step": [point["step"] for point in thin],
                **{name: [point["losses"].get(name) for point in thin] for name in names},
            },
            "samples": [
                {"step": int(path.stem.rpartition("-")[2]), "url": f"/v1/train/{run}/samples/{path.name}"}
                for path in samples
            ],
            "notes": notes,
            "model": run if (place / "model.safetensors").is_file() else None,
        }

    def sample(self, run: str, name: str) -> Path | None:
        """The file of a sample sheet."""
        path = self._place(self._known(run)) / "samples" / name
        return path if path in set((self._place(run) / "samples").glob("step-*.png")) else None

    async def changes(self, run: str) -> AsyncIterator[dict[str, Any]]:
        """The run as it is, and again whenever it has changed, up to its end."""
        seen = -1
        while True:
            seen = self._versions.get(run, 0)
            found = self.told(run)
            yield found
            if found["state"] != "running":
                return
            async with self._changed:
                await self._changed.wait_for(lambda: self._versions.get(run, 0) != seen)  # noqa: B023

    async def close(self) -> None:
        """Stop what is being trained, with all saved."""
        if self._run:
            await self.stop(self._run)

    def _name(self, system: str, data: str) -> str:
        """What its model is called, too: by the system and the data, with a number where there is one already."""
        words = re.sub(r"[^A-Za-z0-9-]+", "-", f"{system}-{Path(data).name}").strip("-")[:60]
        names = itertools.chain([words], (f"{words}-{number}" for number in itertools.count(2)))
        return next(name for name in names if not self._place(name).exists())

    def _check_free(self) -> None:
        if self._run:  # its process may still be begun
            raise FullError("another run is being trained: stop it, or wait for its end")

    @contextlib.contextmanager
    def _taken_by(self, run: str) -> Iterator[None]:
        """No other run begins from here on, if this one does."""
        self._run = run
        try:
            yield
        except BaseException:
            self._run = ""
            raise

    async def _begun(self, order: dict[str, Any]) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "limner.studio.training_process", stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE, start_new_session=True, limit=2**24, cwd=self._settings.runs,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
        assert process.stdin is not None
        with contextlib.suppress(ConnectionError):  # that it has died is said where its end is waited for
            process.stdin.write(json.dumps(order).encode())
            await process.stdin.drain()
        process.stdin.close()
        return process

    async def _go(self, run: str, options: dict[str, Any]) -> None:
        self._process = await self._begun({"do": "train", "options": options})
        self._task = asyncio.create_task(self._follow(run, self._process))

    async def _follow(self, run: str, process: asyncio.subprocess.Process) -> None:
        ended: dict[str, Any] = {}
        try:
            data = str(_folder_of(self._about(run)["data"]))
            async for said in self._said_by(process, self._place(run) / _PROGRESS, data):
                ended = said if "state" in said else ended
                await self._tell(run)
            await process.wait()
            own = "stopped" if self._is_stopping else "interrupted"  # also while it still loaded what it needs
            self._write(run, {**self._about(run), "state": own, "error": None, **ended})
        finally:  # also where the disk is full
            self._process, self._run, self._is_stopping = None, "", False
            await self._tell(run)

    async def _said_by(
        self, process: asyncio.subprocess.Process, log: Path, data: str
    ) -> AsyncIterator[dict[str, Any]]:
        """What the process says, of which all but its end is kept."""
        assert process.stdout is not None
        with log.open("a", encoding="utf-8") as file:
            async for line in process.stdout:
                try:
                    said = self._without_places(read_line(line), data)
                except ValueError:  # what a library prints
                    continue
                if "state" not in said:
                    file.write(line_of(said) + "\n")
                    file.flush()
                yield said

    def _without_places(self, said: Any, data: str) -> Any:
        return without_places(said, known={str(self._settings.runs.resolve()): ""}, but=data)

    async def _tell(self, run: str) -> None:
        self._versions[run] = self._versions.get(run, 0) + 1
        async with self._changed:
            self._changed.notify_all()

    def _progress(self, run: str) -> tuple[list[dict[str, Any]], list[str]]:
        points, notes = list[dict[str, Any]](), list[str]()
        path = self._place(run) / _PROGRESS
        for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else []:
            with contextlib.suppress(ValueError):  # half a line, of a service that was killed
                said = read_line(line)
                if "note" in said:
                    notes.append(said["note"])
                elif "step" in said:
                    while points and points[-1]["step"] >= said["step"]:  # made again by a run that went on
                        points.pop()
                    points.append(said)
        return points, notes

    def _all(self) -> list[str]:
        return [path.parent.name for path in self._settings.runs.glob(f"*/{_ABOUT}")]

    def _known(self, run: str) -> str:
        if run not in self._all():
            raise KeyError(run)
        return run

    def _place(self, run: str) -> Path:
        return self._settings.runs / run

    def _about(self, run: str) -> dict[str, Any]:
        return dict(json.loads((self._place(run) / _ABOUT).read_text(encoding="utf-8")))

    def _write(self, run: str, about: dict[str, Any]) -> None:
        with atomic_path(self._place(run) / _ABOUT) as temporary:
            temporary.write_text(json.dumps(about), encoding="utf-8")


def _folder_of(data: str) -> Path:
    """The folder that a request names.

    Raises:
        LimnerError: If it names none with its whole path.
    """
    try:
        folder = Path(data).expanduser()
    except RuntimeError:  # the home of somebody who is not known
        folder = Path()
    if not folder.is_absolute() or "\0" in data or len(data) > _LONGEST:
        raise LimnerError(f"data must be a folder with its whole path, got {data[:200]!r}")
    return folder
