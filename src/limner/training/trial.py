"""One or two steps of a run, made in a process of their own: what a step takes on this machine, in time and memory."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from limner.catalog.models import build
from limner.data.sampler import batches
from limner.errors import LimnerError
from limner.files.json_text import parse_json
from limner.files.shard_path import unpacked
from limner.inspection.finding import counted
from limner.loops.checkpoint import seed_everything
from limner.loops.fit import Fit
from limner.memory import peak_bytes
from limner.runtime.allocator import keep_freed_memory
from limner.runtime.memory import format_bytes
from limner.training.small_samples import telling_of_small_samples
from limner.training.train import Plan, data_of, held_out_pictures

_STEPS, _ENOUGH = 4, 20.0  # that are made at most, and seconds after which no other is begun
_PATIENCE = 600.0  # seconds


class Trial(NamedTuple):
    """What a step takes.

    Attributes:
        samples: How many sources samples are drawn from.
        held_out: Pictures that are kept for measuring.
        shapes: Of one sample: what goes in and what should come out.
        batch: Samples of one step.
        steps: Of the whole run.
        seconds: Of one step, the first excepted where there are more.
        drawing: Seconds of these that drawing the samples takes.
        peak: Bytes that the process has held at most.
    """

    samples: int
    held_out: int
    shapes: list[list[int]]
    batch: int
    steps: int
    seconds: float
    drawing: float
    peak: int

    def told(self, minutes: float | None = None) -> dict[str, str]:
        """The same in words.

        Args:
            minutes: How long the run will be; None: its steps count.
        """
        total = self.seconds * self.steps
        steps = self.steps if minutes is None else min(self.steps, max(1, round(60 * minutes / self.seconds)))
        epochs = steps * self.batch / self.samples
        kept = f", {counted(self.held_out, 'picture is', 'pictures are')} kept for measuring" if self.held_out else ""
        shapes = (" x ".join(map(str, shape)) or "one number" for shape in self.shapes)
        length = _time(min(total, 60 * minutes) if minutes else total)
        return {
            "learns_from": counted(self.samples, "sample", "samples") + kept,
            "one_sample": " and ".join(shapes),
            "a_step": f"{self.batch} samples in {self.seconds:.2g} s here, of which {self.drawing:.2g} s to draw them",
            "memory": f"{format_bytes(self.peak)} at most",
            "the_whole_run": f"{steps:,} steps, about {length}: each sample comes {epochs:,.1f} times",
        }


def _time(seconds: float) -> str:
    """A time as people say it.

    >>> _time(90), _time(9000), _time(400000)
    ('2 minutes', '2.5 hours', '4.6 days')
    """
    for unit, size, until in (("minutes", 60, 5400), ("hours", 3600, 172800)):
        if seconds < until:
            return f"{seconds / size:.0f} {unit}" if unit == "minutes" else f"{seconds / size:.1f} {unit}"
    return f"{seconds / 86400:.1f} days"


def trial_of(plan: Plan) -> Trial:
    """Make a few steps of a plan, in a process of their own; nothing is kept.

    Raises:
        LimnerError: If training would refuse, or ends its process.
    """
    command = [sys.executable, "-m", __name__]
    try:
        done = subprocess.run(
            command, input=plan.model_dump_json(), capture_output=True, text=True, timeout=_PATIENCE, check=False,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise LimnerError(
            f"a step of {plan.system} takes more than {_PATIENCE:.0f} s here: take smaller samples"
        ) from None
    found = _found(done.stdout)
    if "error" in found:
        raise LimnerError(str(found["error"]))
    if not found:
        reason = "is not enough memory" if done.returncode < 0 else " ".join(done.stderr.split())[-200:]
        raise LimnerError(f"a step of {plan.system} cannot be made here ({reason}): take smaller samples or batches")
    return Trial(**found)


def _found(text: str) -> dict[str, Any]:
    """The last line that a trial has written; nothing if it has written none."""
    lines = text.strip().splitlines()
    try:
        found = parse_json(lines[-1].encode()) if lines else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _tried(plan: Plan) -> Trial:
    """Make the steps here."""
    keep_freed_memory()
    samples = data_of(plan).load(unpacked(Path(plan.folder)))
    seed_everything(plan.fit.seed)
    training = Fit(build(plan.system, plan.config), plan.fit)
    stream = batches(samples, plan.fit.batch_size, plan.fit.seed)
    times = list(_times(training, stream))
    drawing, seconds = min(times[1:] or times, key=sum)
    one = next(stream)
    return Trial(
        samples=len(samples),
        held_out=len(held_out_pictures(plan)),
        shapes=[list(part.shape[1:]) for part in one],
        batch=plan.fit.batch_size * plan.fit.accumulation,
        steps=plan.fit.steps,
        seconds=drawing + seconds,
        drawing=drawing,
        peak=peak_bytes(),
    )


def _times(training: Fit, stream: Iterator[Any]) -> Iterator[tuple[float, float]]:
    """Seconds to draw and to make each step."""
    begun = time.perf_counter()
    for _ in range(_STEPS):
        started = time.perf_counter()
        drawn = [next(stream) for _ in range(training.config.accumulation)]
        ready = time.perf_counter()
        with telling_of_small_samples():
            training.step(drawn)
        yield ready - started, time.perf_counter() - ready
        if time.perf_counter() - begun > _ENOUGH:
            return


def _answer(text: str) -> Mapping[str, Any]:
    try:
        return _tried(Plan.model_validate_json(text))._asdict()
    except LimnerError as error:
        return {"error": str(error)}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_answer(sys.stdin.read())) + "\n")
