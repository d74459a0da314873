"""`limner check`: what it says, its page, its clean copy and its exit codes."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.inspection.planted import halves, marked, photos, save, scene


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_clean_data(place: Path, limner: Callable) -> None:
    photos(place / "data")
    done = limner("check", "data", "--workers", 0)
    assert (done.code, done.out) == (0, "20 files: nothing is wrong\n")


def test_faults_a_page_and_a_copy(place: Path, limner: Callable) -> None:
    marked(place / "data")
    (place / "data" / "images" / "03.png").write_bytes(b"")
    done = limner("check", "data", "-o", "page.html", "--fix", "clean", "--workers", 0)
    assert done.code == 1
    assert done.out.splitlines() == [
        "error: 1 file is empty: get it once more, or take it away", "    images/03.png", "40 files: 1 error",
    ]  # fmt: skip
    assert (place / "page.html").read_text().startswith("<!doctype html>")
    assert len(list((place / "clean").rglob("*.png"))) == 38
    assert "is already there" in limner("check", "data", "-o", "page.html").error
    assert "is already there" in limner("check", "data", "--fix", "clean").error
    told = json.loads(limner("check", "data", "--json", "--workers", 0).out)
    assert [one["kind"] for one in told["findings"]] == ["empty"]


def test_what_training_will_do_is_told(place: Path, limner: Callable) -> None:
    halves(place / "data")
    small = ["base_channels=2", "num_downs=4", "data.resize=32", "data.patch=32", "fit.batch_size=2"]
    words = [word for one in small for word in ("--set", one)]
    done = limner("check", "data", "--for", "pix2pix", *words, "--workers", 0)
    assert done.code == 0
    assert "learns from: 18 samples, 2 pictures are kept for measuring" in done.out
    assert "one sample: 3 x 32 x 32 and 3 x 32 x 32" in done.out
    assert "a step: 2 samples in " in done.out
    assert "memory: " in done.out
    assert "each sample comes " in done.out


def test_what_training_refuses_is_told_in_its_words(place: Path, limner: Callable) -> None:
    marked(place / "data")
    (place / "data" / "masks" / "03.png").unlink()
    done = limner("check", "data", "--for", "unet", "--workers", 0)
    assert done.code == 1
    assert "error: limner train unet says: " in done.out
    assert "has no mask" in done.out


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["none"], "is not a folder"),
        (["data", "--for", "pix2pics"], "did you mean pix2pix?"),
        (["data", "--set", "data.patch=3"], "name one with --for"),
        (["data", "-o", "page.pdf"], "name it .html"),
        (["data", "--fix", "data/clean"], "neither in the data nor around them"),
    ],
)
def test_what_is_asked_wrongly_is_refused(place: Path, limner: Callable, words: list[str], error: str) -> None:
    photos(place / "data")
    done = limner("check", *words)
    assert done.code == 2
    assert error in done.error


def test_odd_folders(place: Path, limner: Callable) -> None:
    """Empty, one file, nested, links in a ring, names with newlines and bytes that are no text."""
    (place / "empty").mkdir()
    done = limner("check", "empty", "-o", "empty.html")
    assert (done.code, done.out.splitlines()[-1]) == (1, "0 files: 1 error")
    root = place / "odd"
    save(root / "a" / "b" / "c" / "deep.png", scene(1))
    save(root / "new\nline.png", scene(2))
    (root / "ring").symlink_to(root)
    (root / "self.png").symlink_to("self.png")
    (root / "folder.png").mkdir()
    os.mkfifo(root / "pipe.png")
    save(Path(os.fsdecode(os.fsencode(root) + b"/\xff.png")), scene(3))
    done = limner("check", "odd", "-o", "odd.html", "--fix", "copy", "--workers", 0)
    assert done.code == 1
    told = limner("check", "odd", "--json", "--workers", 0).out
    assert json.dumps(json.loads(told)["findings"]).count("pipe.png") == 1
    assert len([path for path in (place / "copy").rglob("*") if path.is_file()]) == 3


def test_folders_laid_out_for_another_system_are_told_once(place: Path, limner: Callable) -> None:
    marked(place / "data")
    done = limner("check", "data/images", "--for", "cyclegan", "--workers", 0)
    assert done.code == 1
    errors = [line for line in done.out.splitlines() if line.startswith("error")]
    assert len(errors) == 1 and "must hold two folders of pictures" in errors[0]


@pytest.mark.parametrize("system", ["vdsr", "cyclegan", "unet", "acgan", "chairs", "deep-warp"])
@pytest.mark.parametrize("folders", [[], ["trainA", "trainB"], ["images", "masks"]])
def test_a_folder_without_pictures_is_unfit_for_every_system(
    place: Path, limner: Callable, system: str, folders: list[str]
) -> None:
    for name in ["data", *(f"data/{one}" for one in folders)]:
        (place / name).mkdir()
    done = limner("check", "data", "--for", system, "--no-trial", "--workers", 0)
    assert done.code == 1
    assert "nothing is wrong" not in done.out


@pytest.mark.parametrize("system", ["", "unet"])
def test_linked_folders_are_read_as_training_reads_them(place: Path, limner: Callable, system: str) -> None:
    marked(place / "far")
    (place / "far" / "masks" / "03.png").unlink()
    (place / "data").mkdir()
    for name in ("images", "masks"):
        (place / "data" / name).symlink_to(place / "far" / name)
    words = ["--for", system, "--no-trial"] if system else []
    done = limner("check", "data", *words, "--fix", "clean", "--workers", 0)
    assert done.out.splitlines()[-1].startswith("39 files: ")
    assert "images/03.png" in done.out
    assert len(list((place / "clean").rglob("*.png"))) == 38
    assert not (place / "clean" / "images").is_symlink()
