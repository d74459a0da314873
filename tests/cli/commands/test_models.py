import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.segmenters import bright_parts

from limner.catalog.entry import Entry, PictureEntry
from limner.catalog.models import ENTRIES, embedded
from limner.catalog.optimized import PICTURE_ENTRIES
from limner.cli.work.embedded import headline
from limner.files.cards import Card, write_card
from limner.files.weights import sha256

EVERY: tuple[Entry | PictureEntry[Any], ...] = (*ENTRIES, *PICTURE_ENTRIES)


def make_card(weights: Path, **changes: object) -> Card:
    figures = {"psnr": 37.5, "ssim": 0.958, "bicubic_psnr": 33.66, "paper_psnr": 37.53}
    values = {
        "model": weights.stem,
        "system": "vdsr",
        "paper": "Kim",
        "config": {},
        "data": "pictures",
        "data_licence": "CC0",
        "licence": "Apache-2.0",
        "recipe": "recipes/vdsr.py",
        "recipe_sha256": "0",
        "weights_sha256": sha256(weights),
        "steps": 5,
        "minutes": 1.0,
        "samples_seen": 5,
        "hardware": "a CPU",
        "torch": "2",
        "seed": 0,
        "fit": {},
        "known_failures": "none",
        "metrics": {"sr-y-shave": {"Set14 x2": figures, "Set5 x2": figures}},
    }
    return Card.parse(values | changes)


@pytest.fixture
def shipped(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make the folder of the tiny weights the one of the embedded weights, with a card."""
    monkeypatch.setattr("limner.catalog.models.WEIGHTS", tiny.parent)
    write_card(tiny.with_suffix(".toml"), make_card(tiny))
    return tiny


def test_every_system_and_every_embedded_file_is_listed(limner: Callable) -> None:
    told = {system["name"]: system for system in json.loads(limner("models", "--json").out)}
    assert list(told) == [entry.name for entry in EVERY]
    assert {model["name"] for system in told.values() for model in system["weights"] or []} == set(embedded())
    assert all(set(told[entry.name]["presets"]) == set(entry.presets) for entry in EVERY)


def test_each_task_of_a_system_is_a_command(limner: Callable) -> None:
    tasks = {task for entry in EVERY for task in entry.tasks}
    for task in tasks:
        assert limner(*task.command.split(), "--help").code == 0
        assert task.evaluation is None or limner("evaluate", task.evaluation, "--help").code == 0


def test_weights_are_listed_with_size_licence_and_figures(limner: Callable, shipped: Path) -> None:
    shown = limner("models", "--long").out
    assert "vdsr: VDSR, Kim, Lee, Lee 2016, arXiv:1511.04587\n" in shown
    assert "  weights   tiny: 0.0 MiB, Apache-2.0\n            Set5 x2 37.50 dB (bicubic 33.66)" in shown
    assert "none built in: limner train srresnet --data FOLDER" in shown


def test_without_long_a_model_has_one_line(limner: Callable, shipped: Path) -> None:
    first, *rest = limner("models").out.splitlines()
    assert first == "tiny  limner upscale  Set5 x2 37.50 dB (bicubic 33.66)"
    assert len(rest) == 3
    assert len(limner("models", "--long").out.splitlines()) > 10


def test_a_card_without_figures_has_no_headline(shipped: Path) -> None:
    assert headline(make_card(shipped, metrics={})) == ""
    translated = {"translation-rgb": {"9 pictures at 64": {"psnr": 12.5, "source_psnr": 6.25}}}
    assert headline(make_card(shipped, metrics=translated)) == "psnr 12.5, source_psnr 6.25; protocol translation-rgb"
    other = {"rgb": {"Mine x3": {"psnr": 30.0, "bicubic_psnr": 29.0}}}
    assert headline(make_card(shipped, metrics=other)) == "Mine x3 30.00 dB (bicubic 29.00); protocol rgb"


def test_figures_that_are_no_decibels_are_told_as_means(shipped: Path) -> None:
    losses = {"losses": {"wave": {"style": 0.1, "content": 1.0}, "mosaic": {"style": 0.2, "content": 2.5}}}
    assert headline(make_card(shipped, metrics=losses)) == "style 0.15, content 1.75; protocol losses"


def test_a_palette_for_paint_programs(limner: Callable, place: Path) -> None:
    bright_parts(place / "b.safetensors")
    assert limner("models", "--palette", "b.safetensors", "-o", "p.gpl").out == "p.gpl  2 colours\n"
    lines = Path("p.gpl").read_text().splitlines()
    assert lines == ["GIMP Palette", "Name: b", "Columns: 2", "#", "  0   0   0\tground", "250 120  10\tbright"]
    assert limner("models", "--palette", "b.safetensors").out.splitlines() == lines
    assert "already there" in limner("models", "--palette", "b.safetensors", "-o", "p.gpl").error
    assert limner("models", "--palette", "b.safetensors", "-o", "p.gpl", "--force").code == 0
    assert "vdsr knows no classes, and so has no palette" in limner("models", "--palette", "vdsr").error
    assert "--output is for --palette" in limner("models", "-o", "p.gpl").error
    assert json.loads(limner("info", "b.safetensors", "--json").out)["palette"] == {
        "ground": "#000000", "bright": "#fa780a",
    }  # fmt: skip
