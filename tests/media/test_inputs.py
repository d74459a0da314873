from collections.abc import Callable
from pathlib import Path

import pytest

from limner.errors import LimnerError
from limner.media.inputs import find_pictures


@pytest.fixture
def folder(place: Path, drawn: Callable) -> Path:
    for name in ["b.png", "a.jpg", "sub/c.png", "sub/deep/d.webp", ".hidden.png", ".cache/e.png"]:
        drawn(place / "in" / name)
    (place / "in" / "notes.txt").write_text("no picture")
    return Path("in")


def names(*arguments: object, recursive: bool = False) -> list[str]:
    return [str(found.path) for found in find_pictures([Path(str(a)) for a in arguments], recursive=recursive)]


def test_a_file_is_taken_whatever_it_is_called(folder: Path) -> None:
    assert names("in/notes.txt") == ["in/notes.txt"]


def test_a_pattern_that_no_shell_has_expanded(folder: Path) -> None:
    assert names("in/*.png") == ["in/b.png"]
    assert names("in/**/*.png") == ["in/b.png", "in/sub/c.png"]


def test_a_file_whose_name_looks_like_a_pattern(place: Path, drawn: Callable) -> None:
    drawn(place / "a[1].png")
    assert names("a[1].png") == ["a[1].png"]


def test_a_folder_gives_its_pictures_and_says_what_it_passes_by(
    folder: Path,
) -> None:
    notes: list[str] = []
    assert [str(one.path) for one in find_pictures([folder], on_note=notes.append)] == ["in/a.jpg", "in/b.png"]
    note, other = notes
    assert note == "in: passed by notes.txt, no pictures by their names"
    assert "passed by 1 subfolders" in other


def test_videos_of_a_folder_are_passed_by_unless_they_are_named(
    folder: Path,
) -> None:
    notes: list[str] = []
    for name in ("x.MOV", "y.mp4"):
        (folder / name).touch()
    assert [str(one.path) for one in find_pictures([folder], on_note=notes.append)] == ["in/a.jpg", "in/b.png"]
    assert "in: passed by the videos x.MOV, y.mp4: name them, as in 'in/*.MOV', to take them too" in notes
    assert names("in/*.mp4") == ["in/y.mp4"]


def test_a_folder_with_its_subfolders(folder: Path) -> None:
    assert names(folder, recursive=True) == ["in/a.jpg", "in/b.png", "in/sub/c.png", "in/sub/deep/d.webp"]
    below = [str(found.below) for found in find_pictures([folder], recursive=True)]
    assert below == ["a.jpg", "b.png", "sub/c.png", "sub/deep/d.webp"]


def test_the_same_file_is_taken_once(folder: Path) -> None:
    assert names("in/a.jpg", folder, Path("in").resolve() / "b.png") == ["in/a.jpg", "in/b.png"]


def test_one_of_many_may_be_missing(folder: Path) -> None:
    assert names("in/a.jpg", "in/none.png") == ["in/a.jpg", "in/none.png"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none.png", "there is no such file"),
        ("*.tif", "the pattern matches no file"),
        ("empty", "holds no pictures: name a folder"),
        ("outer", "holds no pictures: pass --recursive"),
        ("clips", r"holds no pictures: name them, as in 'clips/\*.mkv' for videos"),
    ],
)
def test_nothing_found_is_refused(place: Path, drawn: Callable, name: str, message: str) -> None:
    (place / "empty").mkdir()
    drawn(place / "outer" / "inner" / "a.png")
    (place / "clips").mkdir()
    (place / "clips" / "a.mkv").touch()
    with pytest.raises(LimnerError, match=message):
        find_pictures([Path(name)])


def test_names_that_give_nothing_hold_up_no_others(folder: Path) -> None:
    (folder.parent / "empty").mkdir()
    given = ["in/a.jpg", "none.png", "*.tif", "empty"]
    found = find_pictures([Path(name) for name in given])
    assert [str(one.path) for one in found] == given
    assert [one.refused and str(one.refused).rpartition(": ")[0] for one in found] == [
        None,
        "none.png: there is no such file",
        "*.tif: the pattern matches no file",
        "empty: the folder holds no pictures",
    ]
