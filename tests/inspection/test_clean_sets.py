"""Data sets that people have cleaned: nothing is said of them but what is so."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

import limner

pytestmark = pytest.mark.slow

SETS: dict[str, tuple[str | None, list[str]]] = {
    "facades": ("pix2pix", ["data.source=right"]),
    "maps_sat_relief": ("pix2pix", ["data.source=right"]),
    "camvid_256x192": (None, []),
    "nuclei_dsb2018": ("unet", ["data.meaning=instances"]),
    "drive_vessels": ("unet", ["data.masks=vessels"]),
    "isbi2012_membrane": ("unet", []),
    "sr_train": ("vdsr", []),
}
TRUE = {"sr_train": {("t36.webp", "t65.webp")}}
"""What is there twice indeed, pixel by pixel."""


@pytest.mark.parametrize("name", SETS)
def test_nothing_is_wrong(shared_data: Callable[[str], Path], name: str) -> None:
    system, assignments = SETS[name]
    found = limner.check(shared_data(name), system, assignments=assignments, keep=False)
    told = [one for one in found.findings if one.level != "note"]
    twins = {tuple(path.name for path in group) for one in told if one.kind == "duplicates" for group in one.groups}
    assert twins == TRUE.get(name, set())
    assert [one.line for one in told if one.kind != "duplicates"] == []


@pytest.mark.parametrize(("name", "twins"), [("emoji_64", 16), ("avatars_64", 11)])
def test_drawn_sets_have_the_pictures_twice_that_they_have(
    shared_data: Callable[[str], Path], tmp_path: Path, name: str, twins: int
) -> None:
    zipfile.ZipFile(shared_data(name) / f"{name}.zip").extractall(tmp_path)
    found = limner.check(tmp_path, keep=False)
    told = [one for one in found.findings if one.level != "note"]
    assert [(one.kind, len(one.groups)) for one in told] == [("duplicates", twins)]
