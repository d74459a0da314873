"""What is said without the folders of this machine, which are nobody's matter: files by their names alone."""

import re
from collections.abc import Mapping
from typing import Any

_FOLDERS = r"(?:[A-Za-z]:)?[/\\](?:[^\s/\\:;,'\"()]+[/\\])+"
_A_FOLDER = "/-/-"  # without spaces
_BEFORE = r"(?<![\w.:/\\~-])"


def without_places(said: Any, *, known: Mapping[str, str] | None = None, but: str = "") -> Any:
    """Texts, and lists and objects of such, where absolute paths have become the names of their files.

    Args:
        said: Plain values, as JSON has them.
        known: What folders and files are to be called, by their paths; folders that are called nothing are left out.
        but: A folder that its user has named, and that stays; empty for none.

    >>> without_places("/home/me/a.png: no space at /home/me/x: free some")
    'a.png: no space: free some'
    >>> without_places({"styles": {"/my cache/1f.safetensors": 1.0}}, known={"/my cache/1f.safetensors": "garden"})
    {'styles': {'garden': 1.0}}
    >>> without_places("/data/cats/a.png: see https://limner.org/docs/a and 3/4", but="/data")
    '/data/cats/a.png: see https://limner.org/docs/a and 3/4'
    """
    if isinstance(said, dict):
        return {
            without_places(name, known=known, but=but): without_places(one, known=known, but=but)
            for name, one in said.items()
        }
    if isinstance(said, list | tuple):
        return [without_places(one, known=known, but=but) for one in said]
    return _without(said, known or {}, but) if isinstance(said, str) else said


def _without(text: str, known: Mapping[str, str], but: str) -> str:
    for path in sorted(known, key=len, reverse=True):  # also those with spaces in them
        text = text.replace(path, known[path] or _A_FOLDER)
    kept = rf"(?!{re.escape(but)}(?:[/\\:\s'\",;)]|$))" if but else ""
    text = re.sub(rf" at {kept}{_FOLDERS}[^\s:]*(?=:|$)", "", text)
    return re.sub(rf"{_BEFORE}{kept}{_FOLDERS}", "", text)
