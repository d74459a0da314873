"""The page of a run: curves, samples over time, and what was seen."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from PIL import Image as PillowImage

from limner.catalog.models import find
from limner.errors import LimnerError
from limner.files.atomic import atomic_path
from limner.files.image import read_image
from limner.media.line_chart import line_chart
from limner.media.pages import data_address, page_of
from limner.training.board import Board, State

_TEMPLATE = Path(__file__).with_name("board.html")
_SHEETS, _SIDE = 24, 1000  # on the page, and pixels of each
_HEAD = 4096  # bytes of a page, of which the title is one
_TITLE = f": (?:{'|'.join(get_args(State))})</title>"
_REFRESH = 30  # seconds, while a run is at work
_LEVELS: dict[State, str] = {"running": "well", "finished": "well", "stopped": "warning", "begun": "note"}


def write_page(board: Board, path: Path) -> None:
    """Write the page of a run, in the place of an older one.

    Raises:
        LimnerError: If it cannot be written there, or something else is there.
    """
    if path.exists() and not _is_page(path):
        raise LimnerError(f"{path}: is already there, and no page of limner watch: name another output")
    if not path.parent.is_dir():
        raise LimnerError(f"{path}: the folder {path.parent} is not there: make it first")
    with atomic_path(path) as temporary:
        temporary.write_text(page(board), encoding="utf-8", errors="replace")


def _is_page(path: Path) -> bool:
    """Whether a file is the page of some run."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        head = file.read(_HEAD).decode("utf-8", errors="replace")
    return '<meta name="generator" content="Limner">' in head and bool(re.search(_TITLE, head))


def page(board: Board) -> str:
    """The page as text."""
    return page_of(
        _TEMPLATE,
        {
            "name": board.run.resolve().name,
            "run": str(board.run.resolve()),
            "title": _title(board),
            "state": board.state,
            "state_text": state_text(board),
            "state_level": _LEVELS[board.state],
            "percent": round(100 * board.share, 1),
            "refresh": _REFRESH if board.state in ("running", "begun") else 0,
            "facts": list(_facts(board)),
            "notes": [{"text": line, "level": _level(line)} for line in board.notes],
            "has_log": bool(board.losses),
            "sheets": list(_sheets(board)),
            "sections": list(_sections(board)),
            "plan": list(_plan(board)),
        },
    )


def state_text(board: Board) -> str:
    """How it is, in words."""
    match board.state:
        case "finished":
            return "finished"
        case "stopped":
            return f"stopped {duration(board.silent)} ago; limner train {board.plan.system} --resume goes on"
        case "begun":
            return "begun: nothing is logged yet"
    left = f", about {duration(board.left)} left" if board.left is not None else ""
    return f"running{left}"


def duration(seconds: float) -> str:
    """A time for people.

    >>> duration(42), duration(600), duration(7200), duration(200000)
    ('42 s', '10 min', '2.0 h', '2.3 d')
    """
    for size, unit, until in ((1, "s", 120), (60, "min", 5400), (3600, "h", 172800)):
        if seconds < until:
            return f"{seconds / size:.1f} {unit}" if unit == "h" else f"{seconds / size:.0f} {unit}"
    return f"{seconds / 86400:.1f} d"


def _title(board: Board) -> str:
    try:
        return find(board.plan.system).title
    except LimnerError:
        return board.plan.system


def _facts(board: Board) -> Iterator[tuple[str, str]]:
    yield f"{board.step:,}", f"steps of {board.plan.fit.steps:,}"
    yield f"{board.share:.0%}", "done"
    yield duration(board.seconds), "trained" + (f" of {board.plan.minutes:g} min" if board.plan.minutes else "")
    if board.step and board.seconds:
        yield f"{board.seconds / board.step:.2g} s", "a step"
    for player, rate in board.rates.items():
        yield f"{rate:.3g}", f"learning rate of {player}"


def _level(line: str) -> str:
    return "error" if line.startswith("diverged") else "warning"


def _sheets(board: Board) -> Iterator[dict[str, Any]]:
    """Evenly over the run, the first and the last among them."""
    steps = sorted(board.samples)
    number = min(_SHEETS, len(steps))
    chosen = {steps[round(place * (len(steps) - 1) / max(1, number - 1))] for place in range(number)}
    for step in sorted(chosen):
        try:
            picture = read_image(board.samples[step]).as_8_bit()
        except LimnerError:  # it is just being written
            continue
        yield {"step": step, "image": data_address(PillowImage.fromarray(picture.pixels.squeeze()), _SIDE)}


def _sections(board: Board) -> Iterator[tuple[str, list[dict[str, str]]]]:
    if board.measured:
        yield (
            "On pictures kept from training",
            [
                {
                    "name": name,
                    "now": f"{curve[-1][1]:.4g}; {against} {baseline:.4g}",
                    "svg": line_chart(curve, level=baseline, marks=board.marks, smooth=False),
                }
                for name, (curve, baseline, against) in board.measured.items()
            ],
        )
    if board.losses:
        yield (
            "Losses",
            [
                {"name": name, "now": f"{curve[-1][1]:.4g}", "svg": line_chart(curve, marks=board.marks)}
                for name, curve in board.losses.items()
            ],
        )


def _plan(board: Board) -> Iterator[tuple[str, str]]:
    plan = board.plan
    yield "system", plan.system
    yield "data", plan.folder
    yield "batch size", str(plan.fit.batch_size)
    yield "optimiser", f"{plan.fit.optimizer.kind}, {plan.fit.optimizer.learning_rate:g}"
    yield "seed", str(plan.fit.seed)
    if plan.start_from:
        yield "begins with", ", ".join(plan.start_from)
    yield "network", ", ".join(f"{name} {json.dumps(value)}" for name, value in plan.config.items() if _is_short(value))
    yield "page made", time.strftime("%Y-%m-%d %H:%M:%S")


def _is_short(value: Any) -> bool:
    return value is not None and len(json.dumps(value)) < 40
