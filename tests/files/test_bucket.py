import pickle
import sys
from pathlib import Path

import fsspec
import pytest

from limner.errors import LimnerError
from limner.files.bucket import BucketPath, UnreachableError, is_address, stamp
from limner.files.space import check_folder


@pytest.fixture
def bucket() -> BucketPath:
    """An empty one, in the memory of this process."""
    fsspec.filesystem("memory").store.clear()
    return BucketPath("memory://bucket")


@pytest.fixture(params=["memory", "file"])
def folder(request: pytest.FixtureRequest, tmp_path: Path, bucket: BucketPath) -> BucketPath:
    """One where files appear whole, and one where they are moved to their places."""
    return bucket / "photos" if request.param == "memory" else BucketPath(f"file://{tmp_path}/photos")


def file(tmp_path: Path, text: str = "content") -> Path:
    path = tmp_path / "a file"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("s3://bucket/a.png", "s3://bucket/a.png"),
        ("s3://bucket/folder/", "s3://bucket/folder"),
        ("file:///home/me/a.png", "file:///home/me/a.png"),
        ("memory://bucket", "memory://bucket"),
    ],
)
def test_an_address_is_shown_as_it_was_typed(typed: str, shown: str) -> None:
    assert str(BucketPath(typed)) == str(BucketPath(Path(typed))) == shown  # whose slashes are gone
    assert BucketPath(typed).absolute() == BucketPath(typed).expanduser() == BucketPath(BucketPath(typed))


def test_it_is_taken_apart_and_put_together_as_any_path() -> None:
    path = BucketPath("s3://bucket/photos/a.jpg")
    assert str(path.with_name("b.png")) == "s3://bucket/photos/b.png"
    assert str(path.parent / "c" / "d.tif") == "s3://bucket/photos/c/d.tif"
    assert (path.stem, path.suffix, path.parent.name) == ("a", ".jpg", "photos")
    assert path.relative_to(path.parent).parts == ("a.jpg",)
    assert pickle.loads(pickle.dumps(path)) == path
    assert {path: 1}[BucketPath("s3://bucket/photos/a.jpg")] == 1


def test_an_address_is_told_from_a_path(place: Path) -> None:
    assert [is_address(Path(name)) for name in ("s3://a/b", "memory://a", "a/b", "c:/photos", "/a", "a:b")] == [
        True,
        True,
        *[False] * 4,
    ]
    Path("s3:").mkdir()
    assert not is_address(Path("s3://a/b"))


def test_files_are_stored_and_fetched(folder: BucketPath, tmp_path: Path) -> None:
    path = folder / "deep" / "a.txt"
    assert not path.exists()
    path.store(file(tmp_path))
    assert path.exists() and path.is_file() and not path.is_dir() and path.parent.is_dir()
    path.fetch(tmp_path / "copy")
    assert (tmp_path / "copy").read_text() == "content"
    assert path.stat().st_size == 7 and path.stat().st_mtime_ns > 1.7e18


def test_what_is_in_a_folder_is_found(folder: BucketPath, tmp_path: Path) -> None:
    for name in ("b.png", "a.png", "deep/c.png"):
        (folder / name).store(file(tmp_path))
    assert folder.contents(recursive=False) == ([folder / "a.png", folder / "b.png"], [folder / "deep"])
    assert folder.contents(recursive=True) == ([folder / name for name in ("a.png", "b.png", "deep/c.png")], [])
    assert (folder / "*" / "*.png").matches() == [folder / "deep" / "c.png"]


def test_a_file_appears_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bucket: BucketPath
) -> None:
    place = BucketPath(f"file://{tmp_path}/out/a.txt")
    place.store(file(tmp_path, "before"))

    def half(self: object, here: str, there: str, **_: object) -> None:
        Path(there).write_text("ha")
        raise OSError("the line is cut")

    monkeypatch.setattr(type(fsspec.filesystem("file")), "put_file", half)
    with pytest.raises(UnreachableError, match=r"out/a.txt: OSError the line is cut: check its name and your rights"):
        place.store(file(tmp_path, "after"))
    assert [path.read_text() for path in (tmp_path / "out").iterdir()] == ["before"]


@pytest.mark.parametrize("where", ["bucket", "disk"])
def test_a_stamp_changes_with_each_writing(folder: BucketPath, tmp_path: Path, where: str) -> None:
    path = folder / "a.txt" if where == "bucket" else tmp_path / "a.txt"
    stamps = [stamp(path)]
    for _ in range(2):
        if isinstance(path, BucketPath):
            path.store(file(tmp_path))
        else:
            file(tmp_path).replace(path)
        stamps.append(stamp(path))
        assert stamp(path) == stamps[-1]
    assert stamps[0] is None and len(set(stamps)) == 3


def test_what_nothing_here_speaks_is_refused_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)  # as if it were not installed
    for name, words in (
        ("s3://b/x", "Install s3fs to access S3: install that here and on all nodes"),
        ("nothing://b/x", "Protocol not known: nothing: check its name"),
    ):
        with pytest.raises(LimnerError, match=words):
            check_folder(BucketPath(name))
