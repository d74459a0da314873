"""Many files read: what is known is not read again, what has changed is, and a decoder may end its process."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.inspection.planted import photos, save, scene

from limner.inspection import reading
from limner.inspection.reading import Asked, look_at_all
from limner.inspection.seen import Seen, look_at


@pytest.fixture
def counted_looks(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    looks: list[Path] = []

    def look(path: Path, **options: bool) -> Seen:
        looks.append(path)
        return look_at(path, **options)

    monkeypatch.setattr(reading, "look_at", look)
    return looks


def asked(root: Path) -> list[Asked]:
    return [Asked(path) for path in sorted(root.iterdir())]


def test_a_second_look_takes_what_is_new_alone(tmp_path: Path, counted_looks: list[Path]) -> None:
    photos(root := tmp_path / "data")
    first = look_at_all(asked(root), keep=tmp_path / "kept")
    assert len(counted_looks) == 20
    save(root / "07.png", scene(99))
    (root / "new\nline.png").write_bytes(b"")
    second = look_at_all(asked(root), keep=tmp_path / "kept")
    assert [path.name for path in counted_looks[20:]] == ["07.png", "new\nline.png"]
    assert [one for one in second if one.path.name not in ("07.png", "new\nline.png")] == [
        one for one in first if one.path.name != "07.png"
    ]


def test_a_mask_is_counted_although_it_is_known_as_a_picture(tmp_path: Path) -> None:
    path = save(tmp_path / "m.png", scene(0)[..., 0] // 128)
    for is_mask in (False, True, False):
        (seen,) = look_at_all([Asked(path, is_mask)], keep=tmp_path / "kept")
        assert bool(seen.values) == is_mask


def test_what_was_read_before_it_was_stopped_is_kept(tmp_path: Path, counted_looks: list[Path]) -> None:
    for number in range(70):
        save(tmp_path / "data" / f"{number:02}.png", scene(number))

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        look_at_all(asked(tmp_path / "data"), keep=tmp_path / "kept", on_progress=stop)
    done = len(counted_looks)
    assert 0 < done < 70
    look_at_all(asked(tmp_path / "data"), keep=tmp_path / "kept")
    assert len(counted_looks) == 70


@pytest.mark.parametrize("content", [b"no base", b""])
def test_a_broken_cache_is_begun_anew(tmp_path: Path, content: bytes) -> None:
    photos(tmp_path / "data")
    (tmp_path / "kept").write_bytes(content)
    assert len(look_at_all(asked(tmp_path / "data"), keep=tmp_path / "kept")) == 20


def test_nothing_is_kept_where_nothing_can_be(tmp_path: Path) -> None:
    photos(tmp_path / "data")
    (tmp_path / "file").touch()
    assert len(look_at_all(asked(tmp_path / "data"), keep=tmp_path / "file" / "kept")) == 20


def test_processes_find_the_same(tmp_path: Path) -> None:
    for number in range(70):
        save(tmp_path / f"{number:02}.png", scene(number))
    assert look_at_all(asked(tmp_path), num_workers=2) == look_at_all(asked(tmp_path))


def end_at(files: list[Asked]) -> dict[Asked, Seen]:
    if any(one.path.name == "13.png" for one in files):
        os._exit(1)
    return {one: look_at(one.path) for one in files}


def test_a_file_that_ends_its_process_is_told_and_the_others_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(70):
        save(tmp_path / f"{number:02}.png", scene(number))
    monkeypatch.setattr(reading, "_chunk", end_at)
    found = look_at_all(asked(tmp_path), num_workers=1)
    assert {one.path.name: one.reason for one in found if one.fault} == {"13.png": "ends the process that reads it"}


def test_a_digest_is_that_of_pixels(tmp_path: Path, drawn: Callable[..., Path]) -> None:
    first, other = save(tmp_path / "a.png", scene(1)), save(tmp_path / "b.tif", scene(1))
    assert look_at(first).digest == look_at(other).digest != look_at(save(tmp_path / "c.png", scene(2))).digest
