"""The work of `limner info`: facts about a file."""

import glob
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer

from limner.catalog.models import embedded, weights_path
from limner.catalog.pulled import kept_by_name
from limner.cli.commands.info import Options
from limner.cli.errors import describe, say
from limner.cli.printing import one_line, print_json
from limner.cli.work.embedded import card_of
from limner.data.label_colors import palette_of
from limner.errors import LimnerError
from limner.files.image import read_header as read_image_header
from limner.files.weights import MODEL_FILE, read_shapes, sha256
from limner.loops.checkpoint import load_state
from limner.loops.fit import STATE_FILE
from limner.media.inputs import Found, find_pictures
from limner.runtime.exported import EXPORTED_SUFFIXES, read_exported_header
from limner.training.train import PLAN_FILE, Plan, read_plan


def run(options: Options) -> None:
    """Print what files say of themselves.

    Raises:
        LimnerError: If the only one is neither a picture, nor weights, nor an exported network, nor the folder of
            a run or of pictures.
        typer.Exit: With 1, if one of many is none.
    """
    told, failed, places = list[dict[str, Any]](), list[LimnerError](), list[Found]()
    for file in options.files:
        places += _meant_by(file)
    for place in places:
        try:
            if place.refused:
                raise place.refused
            told.append(facts_of(place.path))
        except LimnerError as error:
            if len(places) == 1:
                raise
            failed.append(error)
    if options.as_json:
        print_json(told[0] if len(places) == 1 else told)
    elif told:
        print("\n\n".join("\n".join(map(one_line, lines(facts))) for facts in told))
    for one in failed:
        say(f"error: {describe(one)}")
    if failed:
        raise typer.Exit(1)


def _meant_by(path: Path) -> list[Found]:
    """A model by its name, a file or a run, or all pictures of a folder or a pattern."""
    try:
        if not path.exists() and (str(path) in embedded() or kept_by_name(str(path))):
            return [Found(weights_path(path), path, False)]
        if (path.is_dir() and not (path / PLAN_FILE).is_file()) or (not path.exists() and glob.has_magic(str(path))):
            return find_pictures([path])
        if not path.exists() and not path.suffix:
            weights_path(str(path))  # says which models there are
        return [Found(path, path, False)]
    except LimnerError as error:
        return [Found(path, path, False, error)]


def lines(facts: dict[str, Any], indent: str = "") -> list[str]:
    """Facts as a person reads them, one a line.

    >>> lines({"size": 3, "alpha": False, "card": {"steps": 5}})
    ['size: 3', 'alpha: no', 'card:', '  steps: 5']
    """
    result = []
    for name, value in facts.items():
        if isinstance(value, dict) and value:
            result += [f"{indent}{name}:", *lines(value, indent + "  ")]
        else:
            text = {True: "yes", False: "no"}[value] if isinstance(value, bool) else value
            result.append(f"{indent}{name}: {text}")
    return result


def facts_of(path: Path) -> dict[str, Any]:
    """What a picture, a weight file, an exported network or the folder of a run says of itself.

    Raises:
        LimnerError: If it is none of these.
    """
    if path.is_dir():
        return _run(path)
    if path.suffix == ".safetensors":
        return _weights(path)
    if path.suffix.lower() in EXPORTED_SUFFIXES and path.is_file():
        return _exported(path)
    return {"kind": "picture", "file": str(path), **asdict(read_image_header(path)), "bytes": path.stat().st_size}


def _weights(path: Path) -> dict[str, Any]:
    header, shapes = read_shapes(path)
    card = card_of(path)
    facts = {
        "kind": "weights",
        "file": str(path),
        **header.model_dump(),
        "num_parameters": sum(map(math.prod, shapes.values())),
        "bytes": path.stat().st_size,
        "sha256": sha256(path),
    }
    if classes := palette_of(header.config):
        facts["palette"] = {one.name: "#{:02x}{:02x}{:02x}".format(*one.color) for one in classes}
    return facts | ({"card": card.model_dump()} if card else {})


def _exported(path: Path) -> dict[str, Any]:
    header = read_exported_header(path)
    said: dict[str, Any] = {"system": "of another program"} if header is None else header.model_dump()
    for key in ("inputs", "outputs"):
        said[key] = [f"{one['name']}: {one['kind']}" for one in said.get(key, ())]
    known = {key: one for key, one in said.items() if one not in (None, [])}
    facts = {"kind": "exported network", "file": str(path), **known}
    return {**facts, "bytes": path.stat().st_size, "sha256": sha256(path)}


def _run(path: Path) -> dict[str, Any]:
    plan, state = read_plan(path), path / STATE_FILE
    facts = {"kind": "run", "folder": str(path), "plan": plan.model_dump(exclude_none=True)}
    if state.is_file():
        facts["progress"] = _progress(plan, load_state(state))
    facts["model"] = str(path / MODEL_FILE) if (path / MODEL_FILE).is_file() else "none yet"
    return facts


def _progress(plan: Plan, state: dict[str, Any]) -> dict[str, Any]:
    step, seconds = state.get("step"), state.get("seconds")
    if not isinstance(step, int) or not isinstance(seconds, int | float):
        raise LimnerError(f"{STATE_FILE} does not say how far the run is: it is damaged, start a new run")
    minutes = seconds / 60
    done = max(step / plan.fit.steps, minutes / plan.minutes if plan.minutes else 0.0)
    return {"steps": step, "minutes": round(minutes, 2), "percent": round(100 * min(1.0, done), 1)}
