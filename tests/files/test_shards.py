"""Tar files as folders: what is found in them, and what is refused."""

import io
import json
import pickle
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from limner.data.folder import find_images
from limner.errors import LimnerError
from limner.files.image import read_image
from limner.files.shard_path import ShardPath, unpacked


def picture(number: int = 0) -> bytes:
    held = io.BytesIO()
    PillowImage.fromarray(np.random.default_rng(number).integers(0, 256, (9, 7, 3), dtype=np.uint8)).save(held, "PNG")
    return held.getvalue()


def write_tar(path: Path, members: dict[str, bytes], *, compressed: bool = False) -> Path:
    path.parent.mkdir(exist_ok=True)
    with tarfile.open(path, "w:gz") if compressed else tarfile.open(path, "w:") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def below(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in unpacked(folder).rglob("*") if path.is_file())


def test_a_folder_of_anything_else_is_left_as_it_is(tmp_path: Path) -> None:
    write_tar(tmp_path / "0.tar", {"a.png": picture()})
    (tmp_path / "b.png").write_bytes(picture())
    assert not isinstance(unpacked(tmp_path), ShardPath)
    assert [path.name for path in find_images(tmp_path)] == ["b.png"]


def test_paths_follow_the_names_of_webdataset(tmp_path: Path) -> None:
    write_tar(tmp_path / "c" / "0.tar", {"01.png": picture(), "01.cls": b"3\n", "02.png": picture(), "02.cls": b"cat"})
    assert below(tmp_path / "c") == ["3/01.png", "cat/02.png"]
    write_tar(
        tmp_path / "m" / "0.tar", {"01.jpg": b"x", "01.mask.png": picture(), "x/02.jpg": b"x", "x/02.mask.png": b""}
    )
    assert below(tmp_path / "m") == ["images/01.jpg", "images/x/02.jpg", "masks/01.png", "masks/x/02.png"]
    write_tar(tmp_path / "p" / "0.tar", {"01.A.png": b"a", "01.B.png": b"b", "__info__": b"own"})
    assert below(tmp_path / "p") == ["A/01.png", "B/01.png"]


def test_a_path_in_shards_does_what_a_path_does(tmp_path: Path) -> None:
    folder, plain = tmp_path / "shards", tmp_path / "plain"
    files = {"a/1.png": picture(1), "a/2.png": picture(2), "a.b/2.txt": "ä\n".encode(), "3.png": picture(3)}
    write_tar(folder / "0.tar", dict([*files.items()][:2]))
    write_tar(folder / "1.tar", dict([*files.items()][2:]))
    for name, data in files.items():
        (plain / name).parent.mkdir(parents=True, exist_ok=True)
        (plain / name).write_bytes(data)
    packed = unpacked(folder)
    assert (packed / "a.b" / "2.txt").read_text(encoding="utf-8") == "ä\n"
    assert sorted(one.name for one in packed.iterdir()) == sorted(one.name for one in plain.iterdir())
    assert [one.name for one in find_images(folder)] == [one.name for one in find_images(plain)]
    assert (packed / "3.png").stat().st_size == len(files["3.png"])
    assert not (packed / "none.png").exists() and (packed / "a.b").is_dir() and not (packed / "a.b").is_file()
    with (packed / "3.png").open("rb") as file:
        file.seek(-4, 2)
        assert file.read(100) == files["3.png"][-4:]
        assert file.read() == b""
    with pytest.raises(FileNotFoundError):
        (packed / "none.png").open("rb")
    with pytest.raises(LimnerError, match="read and not written"):
        (packed / "3.png").open("wb")
    again = pickle.loads(pickle.dumps(packed / "3.png"))
    assert isinstance(again, ShardPath) and again == folder / "3.png"
    assert np.array_equal(read_image(again).pixels, read_image(plain / "3.png").pixels)


@pytest.mark.parametrize("pattern", ["*", "*.png", "a/*", "a*/2*", "**/*.txt", "[a]*", "*/*", "a/[1].png", "none*"])
def test_patterns_find_what_they_find_in_a_folder(tmp_path: Path, pattern: str) -> None:
    files = ["a/1.png", "a/c/2.txt", "a0/2.txt", "3.png", "b/z.txt"]
    for name in files:
        (tmp_path / "plain" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "plain" / name).write_bytes(b"x")
    write_tar(tmp_path / "shards" / "0.tar", dict.fromkeys(files, b"x"))
    folder, packed = tmp_path / "plain", unpacked(tmp_path / "shards")
    assert sorted(one.relative_to(packed).as_posix() for one in packed.glob(pattern)) == sorted(
        one.relative_to(folder).as_posix() for one in folder.glob(pattern)
    )
    assert sorted(one.relative_to(packed).as_posix() for one in packed.rglob(pattern)) == sorted(
        one.relative_to(folder).as_posix() for one in folder.rglob(pattern)
    )


def hostile(kind: str, tar: Path) -> None:
    whole = write_tar(tar, {"a.png": picture(), "b.png": picture()})
    if kind in ("absolute", "above"):
        write_tar(tar, {{"absolute": "/etc/passwd.png", "above": "../x.png"}[kind]: b"x"})
    elif kind in ("link", "hard link", "pipe"):
        with tarfile.open(tar, "w:") as archive:
            info = tarfile.TarInfo("a.png")
            info.type = {"link": tarfile.SYMTYPE, "hard link": tarfile.LNKTYPE, "pipe": tarfile.FIFOTYPE}[kind]
            info.linkname = "/etc/passwd"
            archive.addfile(info)
    elif kind == "huge":
        info = tarfile.TarInfo("a.png")
        info.size = 2**50
        tar.write_bytes(info.tobuf(tarfile.GNU_FORMAT) + b"x" * 2048)
    elif kind == "negative":
        info = tarfile.TarInfo("a.png")
        info.size = -512
        tar.write_bytes(info.tobuf(tarfile.GNU_FORMAT) + b"\0" * 2048)
    elif kind == "in a member":
        tar.write_bytes(whole.read_bytes()[:700])
    elif kind == "between members":
        tar.write_bytes(whole.read_bytes()[:1024])
    elif kind == "compressed":
        write_tar(tar, {"a.png": picture()}, compressed=True)
    elif kind == "twice":
        write_tar(tar, {"a.png": b"x"})
        write_tar(tar.with_name("1.tar"), {"a.png": b"x"})
    elif kind == "class":
        write_tar(tar, {"a.png": b"x", "a.cls": b"../../etc"})
    elif kind == "no tar":
        tar.write_bytes(b"hello" * 1000)
    elif kind == "empty":
        tar.write_bytes(b"")


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("absolute", "names in it must be relative"), ("above", "names in it must be relative"), ("link", "is a link"),
        ("hard link", "is a link"), ("pipe", "is no ordinary file"), ("huge", "it has 1125899906842624 bytes"),
        ("negative", "says that it has -512 bytes|is damaged"), ("in a member", "more than the file holds"),
        ("between members", "is cut short"), ("compressed", "is compressed"), ("twice", "a.png is there twice"),
        ("class", "must hold the number or the name of a class"), ("no tar", "is damaged, cut short or no tar file"),
        ("empty", "is damaged, cut short or no tar file"),
    ],
)  # fmt: skip
def test_tar_files_that_lie_are_refused_in_a_line(tmp_path: Path, kind: str, message: str) -> None:
    hostile(kind, tmp_path / "0.tar")
    with pytest.raises(LimnerError, match=message) as caught:
        unpacked(tmp_path)
    assert "\n" not in str(caught.value)


def test_compressed_tar_files_are_told_by_their_names(tmp_path: Path) -> None:
    write_tar(tmp_path / "0.tar.gz", {"a.png": picture()}, compressed=True)
    with pytest.raises(LimnerError, match=r"0\.tar\.gz: is compressed"):
        find_images(tmp_path)


@pytest.mark.parametrize(
    ("member", "message"),
    [
        (["a.png", 512, 2**40], "more than the file holds"), (["a.png", -5, 3], "more than the file holds"),
        (["a.png", 512, -1], "more than the file holds"), (["../a.png", 512, 3], "must be relative"),
        (["a.png", 512, 3, "/etc/x"], "must be relative"), (["a.png", "512", 3], "a member is a name"),
        ("a.png", "a member is a name"),
    ],
)  # fmt: skip
def test_an_index_that_lies_is_refused(tmp_path: Path, member: object, message: str) -> None:
    tar = write_tar(tmp_path / "0.tar", {"a.png": picture()})
    shards = [{"name": "0.tar", "bytes": tar.stat().st_size, "members": [member]}]
    (tmp_path / "index.json").write_text(json.dumps({"limner_shards": 1, "shards": shards}))
    with pytest.raises(LimnerError, match=message):
        unpacked(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"limner_shards": 2}, "its version is 2"), ({"shards": 3}, "is no index of shards"),
        ({"shards": []}, "does not name the tar files"),
        ({"shards": [{"name": "0.tar", "bytes": 3, "members": []}]}, "must have 3 bytes"),
        ({"shards": [{"name": "../0.tar", "bytes": 3, "members": []}]}, "does not name the tar files"),
    ],
)  # fmt: skip
def test_an_index_of_other_tar_files_is_refused(tmp_path: Path, change: dict, message: str) -> None:
    write_tar(tmp_path / "0.tar", {"a.png": picture()})
    (tmp_path / "index.json").write_text(json.dumps({"limner_shards": 1, "shards": []} | change))
    with pytest.raises(LimnerError, match=message):
        unpacked(tmp_path)
