"""The page of `limner models --gallery`: every system of the catalog in one file that needs no network.

What it says comes from the catalog and from the cards of the weights that are here; the pictures are those that
`docs/system_pictures.py` has put into the package.
"""

import base64
import re
import shlex
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from limner.catalog.entry import Entry, PictureEntry
from limner.catalog.models import embedded, tasks_of
from limner.catalog.pulled import all_kept
from limner.cli.printing import mebibytes
from limner.cli.work.embedded import card_of, headline
from limner.errors import LimnerError
from limner.files.weights import read_header
from limner.media.pages import page_of

_PAGE = Path(__file__).with_name("gallery.html")
_PICTURES = Path(__file__).parents[2] / "gallery"
_ARXIV = re.compile(r"(?P<before>.*)arXiv:(?P<number>\d+\.\d+)")
_BY_OPTIMISATION = {
    "texture": ("picture.jpg",),
    "stylize": ("photo.jpg", "--style", "painting.jpg", "--method", "gatys"),
    "stylize-video": ("clip.mp4", "--style", "painting.jpg", "--method", "gatys"),
}
"""What a command takes to do by optimisation what a model would do; the others take what their tasks say."""


def gallery_page(entries: Sequence[Entry | PictureEntry[Any]]) -> str:
    """The page of some systems, in groups by the command that uses them."""
    models = list(_models())
    groups = [
        {"command": command, "systems": [_system(entry, models) for entry in some]}
        for command, some in groupby(sorted(entries, key=_first_use(entries)), key=lambda entry: _command(entry))
    ]
    return page_of(_PAGE, {"groups": groups, "num_systems": len(entries), "num_models": len(models)})


def picture_of_system(name: str) -> Path | None:
    """The picture that shows what a system does, where there is one."""
    path = _PICTURES / f"{name}.webp"
    return path if path.is_file() else None


def commands_of(entry: Entry | PictureEntry[Any]) -> list[str]:
    """How a system is put to use, where no model of it is needed or none is here: lines for the shell."""
    if isinstance(entry, Entry):
        return [f"limner train {entry.name} --data FOLDER"]
    return [
        shlex.join(["limner", *task.command.split(), *_BY_OPTIMISATION.get(task.command, task.arguments)])
        for task in entry.tasks
    ]


def _command(entry: Entry | PictureEntry[Any]) -> str:
    """Without the word that tells kinds of it apart."""
    return entry.tasks[0].command.split()[0]


def _first_use(entries: Sequence[Entry | PictureEntry[Any]]) -> Any:
    """Sorts systems by commands, which come in the order of the catalog."""
    order = list(dict.fromkeys(map(_command, entries)))
    return lambda entry: order.index(_command(entry))


def _system(entry: Entry | PictureEntry[Any], models: Sequence[dict[str, Any]]) -> dict[str, Any]:
    found, picture = _ARXIV.fullmatch(entry.paper), picture_of_system(entry.name)
    own = [model for model in models if model["system"] == entry.name]
    return {
        "name": entry.name,
        "title": entry.title,
        "paper": found["before"].rstrip(", ") if found else entry.paper,
        "arxiv": found["number"] if found else None,
        "picture": _address(picture) if picture else None,
        "commands": [*(model["command"] for model in own), *commands_of(entry)],
        "presets": [(name, preset.summary) for name, preset in entry.presets.items()],
        "models": own,
        "needs_none": isinstance(entry, PictureEntry),
    }


def _models() -> Iterator[dict[str, Any]]:
    """What the page says of each model that is here, and that can be read."""
    paths = {**embedded(), **{name: one.path for name, one in all_kept().items()}}
    for name, path in paths.items():
        try:
            header, card = read_header(path), card_of(path)
        except LimnerError:  # limner models says what is the matter
            continue
        yield {
            "name": name,
            "system": header.system,
            "command": tasks_of(header)[0].hint(name),
            "size": mebibytes(path.stat().st_size),
            "licence": (card.licence if card else header.licence) or "no licence named",
            "figures": headline(card) if card else "",
            "training": f"{card.data}; {card.steps:,} steps, {card.minutes:,.0f} min, {card.hardware}" if card else "",
            "limits": card.known_failures if card else "",
        }


def _address(picture: Path) -> str:
    return f"data:image/webp;base64,{base64.b64encode(picture.read_bytes()).decode()}"
