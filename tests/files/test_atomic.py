"""A file appears whole or not at all."""

import pytest

from limner.files.atomic import atomic_path


def test_the_new_file_takes_the_place_of_the_old(tmp_path):
    path = tmp_path / "picture.png"
    path.write_bytes(b"old")
    with atomic_path(path) as temporary:
        temporary.write_bytes(b"new")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt])
def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, failure):
    path = tmp_path / "picture.png"
    path.write_bytes(b"old")
    with pytest.raises(failure), atomic_path(path) as temporary:
        temporary.write_bytes(b"ne")
        raise failure
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_before_the_first_byte_is_not_masked(tmp_path):
    with pytest.raises(RuntimeError), atomic_path(tmp_path / "picture.png"):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_the_temporary_name_is_beside_hidden_and_keeps_the_suffix(tmp_path):
    path = tmp_path / "picture.tar.png"
    with atomic_path(path) as temporary, atomic_path(path) as other:
        assert temporary.parent == tmp_path
        assert temporary.name.startswith(".")
        assert temporary.suffix == ".png"
        assert temporary != other
        temporary.touch()
        other.touch()


def test_a_private_writer_still_makes_a_file_like_any_other(tmp_path):
    (tmp_path / "ordinary").touch()
    with atomic_path(tmp_path / "weights") as temporary:
        temporary.unlink()
        temporary.touch(mode=0o600)
    assert (tmp_path / "weights").stat().st_mode == (tmp_path / "ordinary").stat().st_mode


def test_permissions_of_the_replaced_file_stay(tmp_path):
    path = tmp_path / "picture.png"
    path.touch()
    path.chmod(0o640)
    with atomic_path(path) as temporary:
        temporary.write_bytes(b"new")
    assert path.stat().st_mode & 0o777 == 0o640
