import pytest

from limner.data.folder import find_images, pictures_named
from limner.errors import LimnerError


def test_pictures_of_all_subfolders_sorted_and_nothing_else(tmp_path):
    for name in ["b.png", "sub/a.JPG", "a.webp", "notes.txt", ".hidden.png", "sub/deep/c.tiff"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = [str(path.relative_to(tmp_path)) for path in find_images(tmp_path)]
    assert found == ["a.webp", "b.png", "sub/a.JPG", "sub/deep/c.tiff"]


def test_no_pictures_no_folder(tmp_path):
    with pytest.raises(LimnerError, match="holds no pictures"):
        find_images(tmp_path)
    with pytest.raises(LimnerError, match="is not a folder"):
        find_images(tmp_path / "missing")


def test_pictures_of_a_name_are_those_of_that_very_name(tmp_path):
    for name in ("1.png", "1.tif", "1.5.png", "1.txt", "[1].png", ".1.png"):
        (tmp_path / name).touch()
    assert [path.name for path in pictures_named(tmp_path, "1")] == ["1.png", "1.tif"]
    assert [path.name for path in pictures_named(tmp_path, "[1]")] == ["[1].png"]
    assert pictures_named(tmp_path, "2") == []


def names_below(folder):
    return [path.relative_to(folder).as_posix() for path in find_images(folder)]


def test_links_to_folders_are_followed_once_and_never_around_themselves(tmp_path):
    for name in ["data/a/1.png", "elsewhere/2.png"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    data, elsewhere = tmp_path / "data", tmp_path / "elsewhere"
    (data / "b").symlink_to("../elsewhere")
    (data / "a" / "up").symlink_to("..")
    (data / "a" / "far").symlink_to(tmp_path.parent)
    (elsewhere / "back").symlink_to(data / "a")  # and from there: a -> b -> a
    (data / "ring").symlink_to("ring")
    (data / "gone").symlink_to("nowhere")
    assert names_below(data) == ["a/1.png", "b/2.png", "b/back/1.png"]
    assert names_below(data / "b") == ["2.png", "back/1.png"]


def test_pictures_in_hidden_folders_are_none_of_the_data(tmp_path):
    for name in ["1.png", ".thumbnails/1.png", "a/.ipynb_checkpoints/2-checkpoint.png", "a/2.png"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert names_below(tmp_path) == ["1.png", "a/2.png"]
