import json
import re
import shlex
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from tests.segmenters import bright_parts

import limner as package
from limner.catalog.entry import Entry, PictureEntry
from limner.catalog.models import ENTRIES, embedded
from limner.catalog.optimized import PICTURE_ENTRIES
from limner.cli.work.embedded import headline
from limner.cli.work.gallery import commands_of, picture_of_system
from limner.files.cards import Card, read_card, write_card
from limner.files.weights import read_header, sha256

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


class Page(HTMLParser):
    """What a page refers to, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.identifiers: set[str] = set()
        self.links: list[str] = []
        self.sources: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        for name, value in attributes:
            if name == "id":
                self.identifiers.add(str(value))
            elif name == "src":
                self.sources.append(str(value))
            elif name == "href":
                self.links.append(str(value))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_gallery_shows_every_system_and_model_in_one_file(limner: Callable, place: Path) -> None:
    assert limner("models", "--gallery").out == f"gallery.html  {len(EVERY)} systems\n"
    page = Page(Path("gallery.html").read_text(encoding="utf-8"))
    assert page.identifiers == {entry.name for entry in EVERY}
    for entry in EVERY:
        assert entry.title in page.text and entry.paper.partition(", arXiv")[0] in page.text
        assert all(preset.summary in page.text for preset in entry.presets.values())
    for name, path in embedded().items():
        card = read_card(path.with_suffix(".toml"))
        for shown in (name, card.known_failures, card.licence, headline(card)):
            assert shown in page.text, (name, shown)


def test_the_gallery_needs_no_other_file_and_no_network(limner: Callable, place: Path) -> None:
    limner("models", "--gallery")
    text = Path("gallery.html").read_text(encoding="utf-8")
    page = Page(text)
    assert page.sources and all(source.startswith("data:image/webp;base64,") for source in page.sources)
    assert all(link.startswith(("#", "https://arxiv.org/abs/")) for link in page.links)
    assert {link[1:] for link in page.links if link[0] == "#"} == page.identifiers
    assert not re.search(r"<script|<link|@import|url\(", text)


def test_every_system_that_a_model_here_shows_has_a_picture() -> None:
    named = {entry.name for entry in EVERY if picture_of_system(entry.name)}
    pictures = {path.stem for path in (Path(package.__file__).parent / "gallery").iterdir()}
    assert named == pictures
    with_models = {read_header(path).system for path in embedded().values()}
    assert with_models - named == {"unet"}  # whose photos others may not pass on
    assert {entry.name for entry in PICTURE_ENTRIES} - named == {"video_style"}


def test_every_command_of_the_gallery_can_be_asked(limner: Callable, place: Path, drawn: Callable) -> None:
    for name in ("photo.jpg", "painting.jpg", "picture.jpg", "mask.png"):
        drawn(Path(name), 64, 64)
    for entry in PICTURE_ENTRIES:
        for line in commands_of(entry):
            if "clip.mp4" not in line:
                done = limner(*shlex.split(line)[1:], "--dry-run")
                assert done.code == 0, (line, done.err)


def test_a_gallery_replaces_nothing_unasked(limner: Callable, place: Path) -> None:
    Path("mine.html").write_text("mine")
    assert "mine.html: is already there" in limner("models", "--gallery", "-o", "mine.html").error
    told = json.loads(limner("models", "--gallery", "-o", "mine.html", "--force", "--json").out)
    assert told == {"gallery": "mine.html", "systems": [entry.name for entry in EVERY]}
    assert "ask for one of them" in limner("models", "--gallery", "--palette", "facades").error
