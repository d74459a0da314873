"""Frames on disk: what is kept, what may be resumed, and what is not ours."""

import shutil
import sys

import pytest
import torch

from limner.errors import LimnerError
from limner.media.frame_folder import FrameFolder

ASKED = {"size": (4, 6), "seed": 3, "config": {"style": {"start": "noise"}}}


def made(folder, asked=ASKED, *, bit_depth=8, resume=False, overwrite=False):
    return FrameFolder(folder, asked, bit_depth=bit_depth, resume=resume, overwrite=overwrite)


@pytest.mark.parametrize(("bit_depth", "top"), [(8, 255), (16, 65535)])
def test_a_frame_comes_back_rounded_to_the_bits(tmp_path, bit_depth, top):
    frames, image = made(tmp_path / "a.frames", bit_depth=bit_depth), torch.rand(1, 3, 5, 7)
    frames.write("pass_1", 0, image)
    expected = (image * top + 0.5).floor() / top
    torch.testing.assert_close(frames.read("pass_1", 0), expected, atol=1e-6, rtol=0)
    assert frames.has("pass_1", 0) and not frames.has("pass_1", 1) and not frames.has("pass_2", 0)
    assert frames.has_stage("pass_1") and not frames.has_stage("pass_2")
    assert frames.path("pass_1", 0).name == "000001.png"


def test_the_same_is_resumed_and_nothing_else(tmp_path):
    folder = tmp_path / "a.frames"
    made(folder).write("pass_1", 0, torch.rand(1, 3, 5, 7))
    assert made(folder, resume=True).has("pass_1", 0)
    with pytest.raises(LimnerError, match="whose seed was 3, now it is 4: ask for the same again, or start over"):
        made(folder, {**ASKED, "seed": 4}, resume=True)
    with pytest.raises(LimnerError, match=r"whose config.style.start was noise, now it is content: "):
        made(folder, {**ASKED, "config": {"style": {"start": "content"}}}, resume=True)
    with pytest.raises(LimnerError, match="whose config was another: ask for the same again"):
        made(folder, {**ASKED, "config": "long " * 99}, resume=True)
    with pytest.raises(
        LimnerError,
        match=r"of a run that was stopped: pass --resume .resume=True in Python. to go on with them, or --force",
    ):
        made(folder)
    assert made(folder, resume=True).has("pass_1", 0), "a refusal loses nothing"
    assert not made(folder, {**ASKED, "seed": 4}, overwrite=True).has("pass_1", 0)


@pytest.mark.parametrize("options", [{}, {"resume": True}, {"overwrite": True}])
def test_a_folder_of_somebody_else_is_left_alone(tmp_path, options):
    folder = tmp_path / "a.frames"
    folder.mkdir()
    (folder / "diary.txt").write_text("precious")
    with pytest.raises(LimnerError, match="is in the way of the work on the frames"):
        made(folder, **options)
    assert (folder / "diary.txt").read_text() == "precious"


def test_stages_and_all_are_removed(tmp_path):
    frames = made(tmp_path / "a.frames")
    for stage in ("pass_1", "pass_2"):
        frames.write(stage, 0, torch.rand(1, 3, 5, 7))
    frames.drop("pass_1")
    frames.drop("pass_7")
    assert not frames.has("pass_1", 0) and frames.has("pass_2", 0)
    frames.discard()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("options", [{}, {"resume": True}, {"overwrite": True}])
@pytest.mark.parametrize(
    "left", [[], ["source/000001.png"], ["source/000001.png", "pass_1/000001.png"], [".limner-1-12345678.json"]]
)
def test_what_a_run_left_that_was_killed_without_a_journal_blocks_nobody(tmp_path, options, left):
    folder = tmp_path / "a.frames"
    folder.mkdir()
    for name in left:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"half")
    frames = made(folder, **options)
    assert not frames.has("source", 0)
    assert sorted(path.name for path in folder.iterdir()) == ["journal.json"]


def test_a_removal_that_is_killed_on_its_way_leaves_a_folder_that_is_ours(tmp_path, monkeypatch):
    frames = made(tmp_path / "a.frames")
    for stage in ("pass_1", "pass_2"):
        frames.write(stage, 0, torch.rand(1, 3, 5, 7))
    remove = shutil.rmtree
    removed: list[object] = []

    def killed(path, **options):
        if removed:
            raise KeyboardInterrupt
        removed.append(path)
        remove(path, **options)

    monkeypatch.setattr(shutil, "rmtree", killed)
    with pytest.raises(KeyboardInterrupt):
        frames.discard()
    monkeypatch.undo()
    frames.close()
    assert (tmp_path / "a.frames" / "journal.json").exists()
    made(tmp_path / "a.frames", overwrite=True)


@pytest.mark.skipif(sys.platform == "win32", reason="no locks of this kind")
@pytest.mark.parametrize("options", [{}, {"resume": True}, {"overwrite": True}])
def test_two_runs_at_once_are_refused(tmp_path, options):
    first = made(tmp_path / "a.frames")
    first.write("pass_1", 0, torch.rand(1, 3, 5, 7))
    with pytest.raises(LimnerError, match="another run is at work on these frames: wait for it, or stop it"):
        made(tmp_path / "a.frames", **options)
    assert first.has("pass_1", 0)
    first.close()
    assert made(tmp_path / "a.frames", resume=True).has("pass_1", 0)
