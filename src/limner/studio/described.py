"""The models, styles and presets that there are, as plain values for the service; it takes torch to read them."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from limner.catalog.models import ENTRIES, check_task, embedded, find, skeleton, tasks_of
from limner.catalog.optimized import PICTURE_ENTRIES
from limner.cli.work import generate, translate
from limner.cli.work.embedded import card_of, headline
from limner.data.label_colors import palette_of
from limner.errors import LimnerError
from limner.files.weights import MODEL_FILE, Header, read_header
from limner.ports import Ported
from limner.studio.titles import title_of_value
from limner.tasks.generate import GENERATE
from limner.tasks.task import Task
from limner.tasks.translate import TRANSLATE, TwoWay
from limner.verbs.learnt_styles import learnt_names
from limner.verbs.listing import styles

_FACTS = ("derived", "class_names", "styles", "scale", "scales", "names", "num_classes", "style")
"""Of configurations, what a page has use for."""


def described(places: Sequence[Path]) -> dict[str, Any]:
    """All that the service tells of Limner.

    Args:
        places: Weight files, folders of weight files, and folders of runs, beside what comes with the package.
    """
    own = dict(own_models(places))
    return {
        "models": [_model(name, path, is_own=name in own) for name, path in {**embedded(), **own}.items()],
        "styles": _styles(),
        "presets": _presets(),
        "systems": [
            {
                "name": entry.name,
                "title": entry.title,
                "paper": entry.paper,
                "verbs": [task.command.replace(" ", "-") for task in entry.tasks],
                "presets": {name: one.summary for name, one in entry.presets.items()},
                "titles": {name: title_of_value(name) for name in entry.presets},
                "steps": {name: one.fit.steps for name, one in entry.presets.items()},
            }
            for entry in ENTRIES
        ],
    }


def own_models(places: Sequence[Path]) -> Iterator[tuple[str, Path]]:
    """Names and weight files of one's own models; what is no model of ours, or makes nothing, is passed by."""
    for place in places:
        for path in _weight_files(place):
            try:
                check_task(path, read_header(path))
                find(read_header(path).system)
            except LimnerError:
                continue
            yield (path.parent.name if path.name == MODEL_FILE else path.stem), path


def _weight_files(place: Path) -> list[Path]:
    if place.is_dir():
        return [*sorted(place.glob("*.safetensors")), *sorted(place.glob(f"*/{MODEL_FILE}"))]
    return [place] if place.suffix == ".safetensors" and place.is_file() else []


def _model(name: str, path: Path, *, is_own: bool) -> dict[str, Any]:
    header = read_header(path)
    card = None if is_own else card_of(path)  # what stands beside one's own may be anything
    entry = find(header.system)
    return {
        "name": name,
        "verb": tasks_of(header)[0].command.replace(" ", "-"),
        "verbs": list(dict.fromkeys(task.command.replace(" ", "-") for task in tasks_of(header))),
        "system": header.system,
        "title": entry.title,
        "paper": entry.paper,
        "description": headline(card) if card else header.provenance,
        "licence": card.licence if card else header.licence,
        "size": path.stat().st_size,
        "own": is_own,
        "path": str(path),
        "palette": _palette(header),
        **_ports(header, tasks_of(header)),
        "facts": {key: header.config[key] for key in _FACTS if key in header.config},
    }


def _palette(header: Header) -> list[dict[str, str]] | None:
    found = palette_of(header.config)
    return [{"name": one.name, "color": "#{:02x}{:02x}{:02x}".format(*one.color)} for one in found] or None


def _ports(header: Header, tasks: Sequence[Task]) -> dict[str, Any]:
    try:
        system = skeleton(header)
    except LimnerError:
        return {"inputs": [], "outputs": [], "directions": None, "unused": []}
    unused = _unused(system, header, tasks)
    if isinstance(system, TwoWay):
        first, second = system.domains
        one = next(iter(system.directions.values()))
        kinds = {"AB": second, "BA": first}
        return {
            **_both(one),
            "directions": [{"name": name, "to": kinds[name]} for name in system.directions],
            "unused": unused,
        }
    return {**_both(system), "directions": None, "unused": unused}


def _unused(system: Any, header: Header, tasks: Sequence[Task]) -> list[str]:
    if GENERATE in tasks and isinstance(system, Ported):
        return generate.unused_options(system)
    return translate.unused_options(system, header.config) if TRANSLATE in tasks else []


def _both(system: Any) -> dict[str, Any]:
    if not isinstance(system, Ported):
        return {"inputs": [], "outputs": []}
    return {
        key: [{"name": one.name, "kind": one.kind, "channels": one.channels, "multiple": one.multiple} for one in ports]
        for key, ports in (("inputs", system.inputs), ("outputs", system.outputs))
    }


def _styles() -> list[dict[str, Any]]:
    own = [{"name": name, "learnt": True} for name in dict.fromkeys(learnt_names().values())]
    named = [{"name": name, "learnt": False} for name in styles()]
    return named + [one for one in own if one["name"] not in {other["name"] for other in named}]


def _presets() -> dict[str, dict[str, str]]:
    """Of each verb whose systems optimise a picture."""
    found: dict[str, dict[str, str]] = {}
    for entry in PICTURE_ENTRIES:
        by_task: Mapping[Any, Mapping[str, Any]] = entry.presets_by_task
        for task, presets in by_task.items():
            found[task.command.replace(" ", "-")] = {name: one.summary for name, one in presets.items()}
    return found
