import pytest

from limner.data.folder import find_images
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
