"""Every link of the documents leads somewhere, in the repository and on the site."""

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import generate
import pytest
import site_links
import site_search
import staging
from tests.documented import PAGES, ROOT

import limner
from limner.catalog.entry import Entry, PictureEntry
from limner.catalog.models import ENTRIES, embedded
from limner.catalog.optimized import PICTURE_ENTRIES
from limner.cli.work.gallery import picture_of_system
from limner.files.cards import read_card

GALLERY = ROOT / "docs" / "gallery.md"


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CHANGELOG.md"], ids=lambda page: page.name)
def test_every_link_leads_to_a_file(page: Path) -> None:
    for link in staging.links(page.read_text(encoding="utf-8")):
        if not (page.parent / link).resolve().is_dir():  # a folder is a link for the repository alone
            staging.linked(page, link)


def test_a_link_to_nothing_is_refused() -> None:
    assert list(staging.links("[a](b.md#c) ![d](e.png)\n```sh\n[f](g.md)\n```\n[h](https://i) [j](#k)")) == [
        "b.md", "e.png",
    ]  # fmt: skip
    with pytest.raises(FileNotFoundError, match=r"docs/gallery.md: nothing is at images/none.jpg"):
        staging.linked(GALLERY, "images/none.jpg")


def test_links_out_of_the_folder_lead_to_pages_of_the_site() -> None:
    text = "[a](../CHANGELOG.md#x) [b](../examples/train_and_use.py) ![c](images/demo.png) [d](style.md)"
    assert staging.relinked(GALLERY, text) == (
        "[a](changelog.md#x) [b](source/examples/train_and_use.py.md) ![c](images/demo.png) [d](style.md)"
    )
    assert staging.relinked(ROOT / "CONTRIBUTING.md", "[a](docs/style.md)") == "[a](style.md)"
    assert staging.source_link("reference/limner.load.md", ROOT / "src/limner/errors.py", 7) == (
        "../source/src/limner/errors.py.md#__codelineno-0-7"
    )


def test_every_picture_is_in_the_gallery() -> None:
    shown = {ROOT / "docs" / link for link in staging.links(GALLERY.read_text(encoding="utf-8"))}
    pictures = {path for path in (ROOT / "docs" / "images").iterdir() if path.suffix != ".csv"}
    assert not pictures - shown


def test_every_kind_of_picture_comes_to_the_site_as_it_is() -> None:
    assert {path.suffix for path in (ROOT / "docs" / "images").iterdir()} <= staging.PICTURES


def test_every_picture_of_the_gallery_has_a_text_a_command_and_a_page() -> None:
    for section in re.split(r"\n## ", GALLERY.read_text(encoding="utf-8"))[1:]:
        parts = re.split(r"\n```sh\n(?:.+\n)+```\n", section)
        assert not parts.pop().strip(), "what follows the last command has none"
        for part in parts:
            assert "![" in part
            assert re.search(r"[^!]\[[^]]*\]\([a-z-]+\.md", part), part
            assert len(re.sub(r"!?\[[^]]*\]\([^)]*\)", "", part).split()) > 8, part


def test_the_reference_is_of_public_names_alone() -> None:
    names = [one.name for one in generate.public_names()]
    assert names == [f"limner.{name}" for name in limner.__all__ if name != "__version__"]
    everything = [*generate.public_names(), *generate.part_names()]
    assert not [one.name for one in everything if "._" in one.name]
    golden = (ROOT / "tests" / "public_names.txt").read_text().split()
    for one in everything:
        assert f"{one.home}.{one.short}" in golden
        line = one.file.read_text(encoding="utf-8").splitlines()[one.definition.lineno - 1]
        assert re.match(rf"(def|class) {one.short}\b", line)


@pytest.mark.parametrize("entry", [*ENTRIES, *PICTURE_ENTRIES], ids=lambda entry: entry.name)
def test_every_system_has_a_page_with_paper_picture_commands_figures_and_limits(
    entry: Entry | PictureEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    staged: list[Path] = []
    monkeypatch.setattr(generate, "stage", staged.extend)
    page = "\n".join(generate.system_page(entry))
    assert page.startswith(f"# {entry.title}\n") and entry.paper in page
    assert any(path.suffix == ".webp" for path in staged) == ("![" in page) == bool(picture_of_system(entry.name))
    assert "\n```sh\nlimner " in page
    for name, path in embedded().items():
        card = read_card(path.with_suffix(".toml"))
        if card.system == entry.name:
            assert f"--model {name}\n" in page and f"## Weights {name}" in page
            assert generate.escaped(card.known_failures) in page
            assert all(generate.escaped(protocol) in page for protocol in card.metrics)


def test_what_is_broken_on_the_site_is_found(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b.html").write_text('<p id="there"><img src="../none.png"><a href="https://elsewhere">')
    (tmp_path / "index.html").write_text(
        '<a href="a/b.html#there"><a href="a/b.html#gone"><a href="a/"><a href="/a/b.html"><a href="#h"><i id="h">'
    )
    assert sorted(site_links.broken(tmp_path)) == [
        "a/b.html: ../none.png", "index.html: /a/b.html", "index.html: a/", "index.html: a/b.html#gone",
    ]  # fmt: skip


def test_each_page_loads_what_searches_files_before_all_that_searches() -> None:
    page = '<p>a</p><script src="../assets/javascripts/bundle.1.min.js"></script>'
    assert site_search.with_script(page) == (
        '<p>a</p><script src="../assets/javascripts/search-of-files.js"></script>'
        '<script src="../assets/javascripts/bundle.1.min.js"></script>'
    )
    with pytest.raises(ValueError, match="loads no bundle"):
        site_search.with_script("<p>a</p>")


@pytest.mark.slow
@pytest.mark.skipif(not (find_spec("zensical") and find_spec("mkdocstrings")), reason="needs the extra docs")
def test_the_site_is_built_without_a_warning() -> None:
    built = ["-m", "zensical", "build", "--clean", "--strict"]
    for words in (["docs/generate.py"], built, ["docs/site_search.py"], ["docs/site_links.py"]):
        done = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    assert (ROOT / "site" / "search.js").read_text(encoding="utf-8").startswith("var __index = {")
