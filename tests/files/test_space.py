"""A full disk is told in one line: what, where, how much is missing; and what was there before is whole."""

import contextlib
import errno
import os
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from limner.errors import LimnerError
from limner.files.atomic import atomic_path
from limner.files.image import Picture, write_image
from limner.files.space import NoSpaceError, readable, telling_no_space, why_no_space
from limner.files.weights import Header, load_weights, save_weights
from limner.loops.checkpoint import load_state, save_state
from limner.loops.step_report import StepReport
from limner.loops.watch import CsvLog

posix = pytest.mark.skipif(sys.platform == "win32", reason="no limit of this kind")


@contextlib.contextmanager
def files_of_at_most(size: int):
    """Let the system refuse larger files of this process, as a full disk does."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def noise() -> Picture:
    return Picture(np.random.default_rng(0).integers(0, 256, (200, 300, 3), dtype=np.uint8))


def weights(path: Path) -> None:
    save_weights(path, {"a": torch.zeros(30_000)}, Header(system="vdsr", config={}))


WRITERS = {
    **{f"a.{kind}": lambda path: write_image(path, noise(), overwrite=True) for kind in ("png", "jpg", "tif", "webp")},
    **{f"b.{kind}": lambda path: write_image(path, noise(), overwrite=True) for kind in ("bmp", "avif")},
    "model.safetensors": weights,
    "training.pt": lambda path: save_state(path, {"weights": torch.zeros(30_000)}),
}


@posix
@pytest.mark.parametrize("name", WRITERS)
def test_a_file_that_the_system_refuses_is_one_line_and_the_old_one_is_whole(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b"old")
    with files_of_at_most(5000), pytest.raises(NoSpaceError) as caught:
        WRITERS[name](path)
    assert str(caught.value).startswith(f"{path}: ") and "\n" not in str(caught.value)
    assert f"at {tmp_path}" in str(caught.value)
    assert caught.value.exit_code == 1
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
    WRITERS[name](path)
    assert path.stat().st_size > 5000


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_what_is_missing_is_counted(tmp_path, monkeypatch, number):
    monkeypatch.setattr("limner.files.space._free", lambda folder: 2_000_000)
    words = r"3\.5 MB are missing of the 10\.5 MB that it takes: free some"
    with pytest.raises(NoSpaceError, match=words) as caught, atomic_path(tmp_path / "a", needs=10_500_000) as temporary:
        temporary.write_bytes(bytes(5_000_000))
        raise OSError(number, os.strerror(number))
    assert caught.value.__cause__.errno == number


def test_where_it_is_not_known_what_was_written_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr("limner.files.space._free", lambda folder: 900)
    words = r"more than the 4\.0 kB that were written and the 900 bytes that are free"
    with pytest.raises(NoSpaceError, match=words), atomic_path(tmp_path / "a") as temporary:
        temporary.write_bytes(bytes(4000))
        raise OSError(errno.ENOSPC, "full")


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("Error while serializing: I/O error: No space left on device (os error 28)"),
        RuntimeError("[enforce fail at inline_container.cc:664] . write failed"),
        OSError("encoder error -2 when writing image file"),
    ],
)
def test_a_library_that_does_not_say_why_has_filled_the_disk(tmp_path, monkeypatch, error):
    monkeypatch.setattr("limner.files.space._free", lambda folder: 512)
    with pytest.raises(NoSpaceError, match="there is no space left on the disk"), telling_no_space(tmp_path / "a"):
        raise error


@pytest.mark.parametrize("error", [RuntimeError("bad"), OSError(errno.EACCES, "no"), MemoryError(), LimnerError("x")])
def test_other_errors_stay_what_they_are(tmp_path, error):
    with pytest.raises(type(error)) as caught, telling_no_space(tmp_path / "a"):
        raise error
    assert caught.value is error
    assert why_no_space(error, tmp_path / "a") is None


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 bytes"), (999, "999 bytes"), (1500, "1.5 kB"), (2_340_000, "2.3 MB"), (5 * 10**10, "50.0 GB")],
)
def test_sizes_as_people_read_them(size, text):
    assert readable(size) == text


REPORT = StepReport(50, 0.5, 1.0, 4, {"net/l1": torch.tensor(0.5)}, {"net": 0.1}, torch.nn.Identity)


@posix
def test_a_log_that_finds_no_space_says_so_and_keeps_its_rows(tmp_path):
    log = CsvLog(tmp_path / "log.csv", every=1)
    log.start(0)
    log.step(REPORT)
    before = (tmp_path / "log.csv").read_text()
    with files_of_at_most(len(before)), pytest.raises(NoSpaceError, match=r"log\.csv: files may not be that large"):
        log.step(REPORT)
    with contextlib.suppress(NoSpaceError):
        log.close()
    assert (tmp_path / "log.csv").read_text().startswith(before)


@posix
def test_the_state_before_can_be_resumed(tmp_path):
    save_state(tmp_path / "training.pt", {"step": 1, "weights": torch.zeros(10)})
    with files_of_at_most(5000), pytest.raises(NoSpaceError, match=r"training\.pt.* kB that it takes|written"):
        save_state(tmp_path / "training.pt", {"step": 2, "weights": torch.zeros(30_000)})
    assert load_state(tmp_path / "training.pt")["step"] == 1


@posix
def test_a_hidden_file_is_not_named(tmp_path):
    with files_of_at_most(5000), pytest.raises(NoSpaceError) as caught:
        save_state(tmp_path / ".picture.state.0", {"picture": torch.zeros(30_000)})
    assert ".state" not in str(caught.value) and str(caught.value).startswith("a working file: files may not be")
    assert str(tmp_path) in str(caught.value)


@posix
@pytest.mark.parametrize("name", [".photo.png", ".b.jpg", ".state.png", ".0123456789abcdef.png"])
def test_a_result_that_its_user_hides_is_named(tmp_path, name):
    with files_of_at_most(5000), pytest.raises(NoSpaceError) as caught:
        write_image(tmp_path / name, noise())
    assert str(caught.value).startswith(f"{tmp_path / name}: files may not be")


@posix
def test_weights_before_are_whole(tmp_path):
    weights(tmp_path / "model.safetensors")
    with files_of_at_most(5000), pytest.raises(NoSpaceError):
        weights(tmp_path / "model.safetensors")
    assert load_weights(tmp_path / "model.safetensors")[1]["a"].shape == (30_000,)


@posix
def test_a_video_that_finds_no_space(tmp_path):
    pytest.importorskip("av")
    from tests.clips import make_clip

    from limner.files.video_reader import open_video
    from limner.files.video_writer import VideoWriter

    source = make_clip(
        tmp_path / "a.mp4", [np.random.default_rng(n).integers(0, 256, (96, 96, 3), np.uint8) for n in range(30)]
    )
    video = open_video(source)
    (tmp_path / "b.mp4").write_bytes(b"old")
    writing = VideoWriter(tmp_path / "b.mp4", video, width=96, height=96, crf=0, overwrite=True)
    with files_of_at_most(20_000), pytest.raises(NoSpaceError, match=r"b\.mp4: ") as caught, writing as writer:
        for frame in video:
            writer.write(frame)
    assert "\n" not in str(caught.value)
    assert (tmp_path / "b.mp4").read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4", "b.mp4"]
