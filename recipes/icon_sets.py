"""The icons of emoji_64.zip as recipes learn from them: two sets apart or as pairs, or all of them with their kinds."""

import csv
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from limner.data.unpaired import read_over
from limner.files.image import write_image
from limner.files.picture import Picture, from_tensor

STYLES = ("twemoji", "fluent-emoji-flat")
WHITE = (255, 255, 255)
LIST = "icons.csv"
_PLAIN = Picture(np.zeros((1, 1, 3), np.uint8))  # of colours, without transparency
_EACH = 10  # one of so many icons that both sets draw is held out


def apart(data: Path, run: Path) -> Path:
    """Unpack both sets into the run's folder: those that are learnt from, which are told, and those that are not."""

    def unpack(archive: zipfile.ZipFile, place: Path) -> None:
        names = archive.namelist()
        held_out = set(_common(names)[::_EACH])
        for name in names:
            style, _, icon = name.partition("/")
            if style in STYLES:
                archive.extract(name, place / ("held-out" if icon in held_out else "training"))

    return _laid(data, run / "icons", unpack) / "training"


def as_pairs(data: Path, run: Path) -> Path:
    """Write what both sets draw, on white, into the run's folder: the folders A and B."""

    def unpack(archive: zipfile.ZipFile, place: Path) -> None:
        for icon in _common(archive.namelist()):
            for style, side in zip(STYLES, "AB", strict=True):
                path = Path(archive.extract(f"{style}/{icon}", place))
                (place / side).mkdir(exist_ok=True)
                write_image(place / side / f"{path.stem}.png", from_tensor(read_over(path, WHITE), like=_PLAIN))
        for style in STYLES:
            shutil.rmtree(place / style)

    return _laid(data, run / "pairs", unpack)


def with_kinds(data: Path, run: Path) -> Path:
    """Unpack all sets into the run's folder, with a list of which kind each icon is of."""

    def unpack(archive: zipfile.ZipFile, place: Path) -> None:
        archive.extractall(place, [name for name in archive.namelist() if name.endswith(".webp")])
        with (place / LIST).open("w", newline="", encoding="utf-8") as file:
            listed = csv.writer(file)
            listed.writerow(["file", "category"])
            for style, point, _, category in json.loads(archive.read("meta.json"))["rows"]:
                listed.writerow([f"{style}/{point}.webp", category])

    return _laid(data, run / "kinds", unpack)


def _common(names: list[str]) -> list[str]:
    """What both styles draw, in order."""
    drawn = [{name.partition("/")[2] for name in names if name.startswith(f"{style}/")} for style in STYLES]
    return sorted(drawn[0] & drawn[1] - {""})


def _laid(data: Path, place: Path, unpack: Callable[[zipfile.ZipFile, Path], None]) -> Path:
    """What is unpacked once, whole or not at all."""
    if not place.is_dir():
        begun = place.with_suffix(".part")
        shutil.rmtree(begun, ignore_errors=True)
        begun.mkdir(parents=True)
        with zipfile.ZipFile(data / "emoji_64.zip") as archive:
            unpack(archive, begun)
        begun.rename(place)
    return place
