"""Two at one place are refused, and what killed runs have left is swept away."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from limner.errors import LimnerError
from limner.files.atomic import atomic_path, beside
from limner.files.lock import alone_at, lock_file, sweep, temporary_name

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no locks of this kind")

KILLED = """
import os, signal, sys
from pathlib import Path
from limner.files.atomic import atomic_path
from limner.files.lock import alone_at

path = Path(sys.argv[1])
with alone_at(path, "this picture"), atomic_path(path) as temporary:
    temporary.write_bytes(b"half")
    os.kill(os.getpid(), signal.SIGKILL)
"""

HOLDING = """
import sys
from pathlib import Path
from limner.files.atomic import atomic_path
from limner.files.lock import alone_at

path = Path(sys.argv[1])
with alone_at(path, "this picture"), atomic_path(path) as temporary:
    temporary.write_bytes(b"whole")
    print("ready", flush=True)
    sys.stdin.read()
"""


def holding(path):
    """A process that is at work on a file until it is told to end."""
    return subprocess.Popen([sys.executable, "-c", HOLDING, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("name", ["a.png", "b" * 251 + ".png", "c.safetensors", "d"])
def test_what_a_killed_run_has_left_is_swept_by_the_next(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b"old")
    subprocess.run([sys.executable, "-c", KILLED, path], check=False)
    assert len(names(tmp_path)) == 3, "the old file, half a new one and a lock"
    assert path.read_bytes() == b"old"
    with alone_at(path, "this picture"), atomic_path(path) as temporary:
        temporary.write_bytes(b"new")
    assert names(tmp_path) == [name]
    assert path.read_bytes() == b"new"


def test_what_others_are_at_work_on_stays(tmp_path):
    path = tmp_path / "a.png"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDING, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout.readline() == b"ready\n"
        before = names(tmp_path)
        assert len(before) == 2
        sweep(tmp_path, again=True)
        assert names(tmp_path) == before
        with pytest.raises(LimnerError, match=r"a\.png: another run is at work on this picture: wait"):
            alone_at(path, "this picture").__enter__()
        with alone_at(tmp_path / "b.png", "this picture"), atomic_path(tmp_path / "b.png") as temporary:
            temporary.touch()
        other.communicate(b"")
    assert names(tmp_path) == ["a.png", "b.png"]
    assert path.read_bytes() == b"whole"


def test_a_killed_holder_lets_the_place_go(tmp_path):
    path = tmp_path / "a.png"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDING, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        other.stdout.readline()
        other.kill()
        other.wait()
        with alone_at(path, "this picture"):
            pass
    sweep(tmp_path, again=True)
    assert names(tmp_path) == []


def test_files_of_others_are_never_swept(tmp_path):
    mine = [
        ".limner",
        ".limner-notes",
        ".limner-12345678.d.png",
        "limner-12345678",
        ".limner-1234567g",
        ".a.12345678.png",
    ]
    for name in mine:
        (tmp_path / name).touch()
    sweep(tmp_path, again=True)
    assert names(tmp_path) == sorted(mine)


def test_a_folder_of_a_killed_run_is_swept_but_not_with_an_old_file_in_it(tmp_path):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    for name, inside in (
        (f".limner-{dead.pid:x}-12345678", "new.xml"),
        (f".limner-{dead.pid:x}-87654321", "before.xml"),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / inside).touch()
    (tmp_path / temporary_name("", "00000000")).mkdir()
    sweep(tmp_path, again=True)
    assert names(tmp_path) == sorted([f".limner-{dead.pid:x}-87654321", temporary_name("", "00000000")])


def test_two_threads_are_two(tmp_path):
    refused = []

    def enter():
        try:
            with alone_at(tmp_path / "a", "this run"):
                pass
        except LimnerError as error:
            refused.append(error)

    with alone_at(tmp_path / "a", "this run"):
        thread = threading.Thread(target=enter)
        thread.start()
        thread.join()
    enter()
    assert len(refused) == 1


def test_of_many_one_is_let_in_at_a_time(tmp_path):
    inside, most, entered = [0], [0], [0]

    def work():
        for _ in range(200):
            try:
                with alone_at(tmp_path / "a", "this run"):
                    inside[0] += 1
                    most[0] = max(most[0], inside[0])
                    entered[0] += 1
                    inside[0] -= 1
            except LimnerError:
                pass

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]
    assert entered[0] >= 200
    assert names(tmp_path) == []


def test_a_lock_on_a_file_that_was_removed_is_none(tmp_path):
    first = lock_file(tmp_path / "a")
    assert lock_file(tmp_path / "a") is None
    (tmp_path / "a").unlink()
    second = lock_file(tmp_path / "a")
    assert second is not None
    os.close(first)
    os.close(second)


@pytest.mark.parametrize("letter", ["a", "é", "猫"])
def test_working_files_have_names_that_the_file_system_takes(tmp_path, letter):
    stem = (letter * 255).encode()[:250].decode(errors="ignore")
    long, short = tmp_path / f"{stem}.png", tmp_path / "a.png"
    assert beside(short, "a.png.part").name == "a.png.part"
    places = {beside(long, f"{long.name}.part"), beside(long, f"{long.name}.frames"), beside(long, f".{stem}.state")}
    assert len(places) == 3
    for place in places:
        place.touch()
    with atomic_path(long) as temporary:
        temporary.touch()
    assert long.exists()


@pytest.mark.parametrize("name", [".", "..", "a/..", "/", "a/."])
def test_a_folder_without_a_name_of_its_own_is_locked_as_any(tmp_path, monkeypatch, name):
    (tmp_path / "b" / "a").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "b")
    with alone_at(Path(name), "this run"), pytest.raises(LimnerError, match="another run is at work on this run"):  # noqa: SIM117
        with alone_at(Path(name).resolve(), "this run"):
            pass
    assert [path.name for path in tmp_path.rglob("*")] == ["b", "a"]
