"""A run as its folder tells of it: how far it is, its losses, what was measured and what was noted."""

import csv
import os
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from limner.errors import LimnerError
from limner.files.weights import MODEL_FILE
from limner.loops.fit import STATE_FILE
from limner.training.notes import NOTES_FILE
from limner.training.overfitting import learning_loss, overfitting
from limner.training.train import PLAN_FILE, Plan, read_plan
from limner.training.validation import VALIDATION_FILE, read_validation

LOG_FILE = "log.csv"

State: TypeAlias = Literal["running", "finished", "stopped", "begun"]
Curve: TypeAlias = list[tuple[int, float]]
"""Steps, and a value at each."""

_PATIENCE, _ROWS = 90.0, 4  # seconds, and rows of the log, without one of which a run is taken as stopped
_RATES = "/learning_rate"
_GROWING = (PLAN_FILE, LOG_FILE, VALIDATION_FILE, STATE_FILE)  # one of which a run at work has written lately


@dataclass(frozen=True)
class Board:
    """A run.

    Attributes:
        run: Its folder.
        plan: What it is.
        state: Finished where its model is written; running where it has written lately.
        step: That it has come to.
        share: Of the whole, in [0, 1].
        seconds: That it has trained.
        left: Seconds until its end at the pace of the last steps; None where that is not known.
        silent: Seconds since it has last written.
        losses: Curves by name.
        rates: The learning rate of each player now.
        measured: Curves of what is measured on pictures kept from training, each with its baseline and what that is.
        notes: Lines.
        samples: Sheets, by step.
    """

    run: Path
    plan: Plan
    state: State
    step: int
    share: float
    seconds: float
    left: float | None
    silent: float
    losses: dict[str, Curve]
    rates: dict[str, float]
    measured: dict[str, tuple[Curve, float, str]]
    notes: list[str]
    samples: dict[int, Path]

    @property
    def marks(self) -> list[int]:
        """The steps that notes speak of."""
        found = (re.search(r"\bstep (\d+)", line) for line in self.notes)
        return sorted({int(one[1]) for one in found if one and int(one[1]) <= self.step})

    def as_json(self) -> dict[str, Any]:
        """What is known now, without the curves."""
        return {
            "run": str(self.run),
            "system": self.plan.system,
            "state": self.state,
            "step": self.step,
            "share": round(self.share, 4),
            "seconds": self.seconds,
            "seconds_left": self.left,
            "losses": {name: curve[-1][1] for name, curve in self.losses.items() if curve},
            "learning_rates": self.rates,
            "measured": {name: curve[-1][1] for name, (curve, _, _) in self.measured.items()},
            "notes": self.notes,
            "last_samples": str(self.samples[max(self.samples)]) if self.samples else None,
        }


def board_of(run: Path, *, now: float | None = None) -> Board:
    """Read the folder of a run, which may be at work.

    Args:
        run: The folder.
        now: The time, in seconds of the epoch.

    Raises:
        LimnerError: If it holds no run.
    """
    if not run.is_dir():
        raise LimnerError(f"{run} is not a folder: name that of a run, as limner train has written it")
    plan, rows = read_plan(run), _rows(run / LOG_FILE)
    losses, rates = _curves(rows)
    step, seconds = (rows[-1]["step"], rows[-1]["seconds"]) if rows else (0, 0.0)
    share = _share(plan, int(step), seconds)
    silent = (time.time() if now is None else now) - max(_changed(run / name) for name in _GROWING)
    return Board(
        run=run,
        plan=plan,
        state=_state(run, rows, share, silent),
        step=int(step),
        share=share,
        seconds=seconds,
        left=seconds * (1 / share - 1) if share else None,
        silent=max(0.0, silent),
        losses=losses,
        rates=rates,
        measured=_measured(run),
        notes=_notes(run, losses),
        samples=_samples(run),
    )


def _rows(path: Path) -> list[dict[str, float]]:
    """The whole rows of a log; the last may be half written, and a loss may be empty, or no number."""
    try:
        with path.open(newline="", encoding="utf-8", errors="replace") as file:
            found = [row for row in csv.DictReader(file) if None not in row and None not in row.values()]
    except (OSError, csv.Error):
        return []
    rows = []
    for row in found:
        values = {name: _number(text) for name, text in row.items()}
        kept = {name: value for name, value in values.items() if value is not None}
        if {"step", "seconds"} <= kept.keys():
            rows.append(kept)
    return rows


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _curves(rows: Sequence[dict[str, float]]) -> tuple[dict[str, Curve], dict[str, float]]:
    names = dict.fromkeys(name for row in rows for name in row if name not in ("step", "seconds"))
    losses = {
        name: [(int(row["step"]), row[name]) for row in rows if name in row]
        for name in names
        if not name.endswith(_RATES)
    }
    rates = {name.removesuffix(_RATES): row[name] for row in rows[-1:] for name in row if name.endswith(_RATES)}
    return losses, rates


def _share(plan: Plan, step: int, seconds: float) -> float:
    by_time = seconds / (60 * plan.minutes) if plan.minutes else 0.0
    return min(1.0, max(step / plan.fit.steps, by_time))


def _changed(path: Path) -> float:
    try:
        return os.stat(path).st_mtime  # noqa: PTH116  # of a link too
    except OSError:
        return 0.0


def _state(run: Path, rows: Sequence[dict[str, float]], share: float, silent: float) -> State:
    model = run / MODEL_FILE
    if model.is_file() and _changed(model) >= _changed(run / LOG_FILE):
        return "finished"
    pause = rows[-1]["seconds"] - rows[-2]["seconds"] if len(rows) > 1 else 0.0
    if silent > max(_PATIENCE, _ROWS * pause):
        return "stopped"
    return "running" if rows else "begun"


def _measured(run: Path) -> dict[str, tuple[Curve, float, str]]:
    found: dict[str, tuple[Curve, float, str]] = {}
    for row in _validation(run):
        for figure in row["figures"]:
            curve = found.setdefault(figure.name, ([], figure.baseline, figure.against))[0]
            curve.append((row["step"], figure.value))
    return found


def _validation(run: Path) -> list[dict[str, Any]]:
    try:
        return read_validation(run)
    except (OSError, ValueError, KeyError, TypeError, csv.Error):  # half written
        return []


def _notes(run: Path, losses: dict[str, Curve]) -> list[str]:
    """What the run has noted, and what its log shows that an older one has not."""
    try:
        lines = (run / NOTES_FILE).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    by_step: dict[int, dict[str, float]] = {}
    for name, curve in losses.items():
        for step, value in curve:
            by_step.setdefault(step, {})[name] = value
    learnt = {step: learning_loss(values) for step, values in by_step.items()}
    late = overfitting(_validation(run), learnt)
    known = any("pictures kept from training is" in line for line in lines)
    return [*dict.fromkeys(filter(None, lines)), *([late] if late and not known else [])]


def _samples(run: Path) -> dict[int, Path]:
    found = {}
    for path in sorted((run / "samples").glob("step-*.png")):
        if name := re.fullmatch(r"step-(\d+)", path.stem):
            found[int(name[1])] = path
    return found
