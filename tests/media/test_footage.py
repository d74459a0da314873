"""Frames of videos and of pictures: their order, their size, and what is refused before the work."""

from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as PillowImage
from tests.clips import make_clip, packets, smooth

from limner.errors import LimnerError
from limner.files.video_reader import open_video
from limner.media.footage import PictureFootage, VideoFootage, fitted, footage_path, in_order, open_footage
from limner.media.frame_folder import FrameFolder
from limner.media.names import Naming


def write_frames(folder, names, size=(24, 18), mode="RGB"):
    folder.mkdir(exist_ok=True)
    for index, name in enumerate(names):
        PillowImage.fromarray(smooth(index, *size)).convert(mode).save(folder / name)
    return folder


def writing(footage, target, *, crf=None, overwrite=False, notes=None):
    return footage.writing(target, crf=crf, overwrite=overwrite, on_note=[].append if notes is None else notes.append)


def test_numbers_in_names_count_as_numbers():
    names = ["frame10.png", "frame2.png", "a.png", "frame1.png", "12.png", "3.png"]
    ordered = in_order([Path(name) for name in names])
    assert [path.name for path in ordered] == ["3.png", "12.png", "a.png", "frame1.png", "frame2.png", "frame10.png"]


@pytest.mark.parametrize(
    ("size", "longest", "multiple", "expected"),
    [
        ((480, 640), None, 1, (480, 640)),
        ((480, 640), 320, 1, (240, 320)),
        ((480, 640), 1000, 1, (480, 640)),
        ((1000, 333), 100, 1, (100, 33)),
        ((1000, 333), 100, 2, (100, 34)),
        ((101, 51), None, 2, (100, 52)),
        ((1, 500), 10, 2, (2, 10)),
    ],
)
def test_sizes(size, longest, multiple, expected):
    height, width = size
    assert fitted(height, width, longest, multiple=multiple) == expected


def test_where_results_go(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()
    naming = Naming("{stem}_stylized")
    assert footage_path(tmp_path / "clip.avi", naming) == tmp_path / "clip_stylized.mkv"
    assert footage_path(tmp_path, naming) == tmp_path.with_name(f"{tmp_path.name}_stylized")
    assert footage_path(Path("in"), naming) == Path("in_stylized")
    assert footage_path(Path(), naming) == tmp_path.with_name(f"{tmp_path.name}_stylized")
    pictures = [tmp_path / "b.png", tmp_path / "a.png"]
    assert footage_path(pictures, naming) == tmp_path.with_name(f"{tmp_path.name}_stylized")


def test_pictures_go_to_pictures_of_their_names(tmp_path):
    folder = write_frames(tmp_path / "in", ["f2.png", "f10.webp", "f1.png"])
    (folder / "notes.txt").write_text("no picture")
    footage = open_footage(folder, 12)
    assert isinstance(footage, PictureFootage)
    assert (footage.num_frames, footage.size, footage.bit_depth) == (3, (9, 12), 8)
    assert [path.name for path in footage.paths] == ["f1.png", "f2.png", "f10.webp"]
    assert footage.frame(0).shape == (1, 3, 9, 12)
    with writing(footage, tmp_path / "out") as write:
        assert not (tmp_path / "out").exists()
        write(lambda index: torch.full((1, 3, 9, 12), index / 255))
    written = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert written == ["f1.png", "f10.png", "f2.png"]
    assert np.asarray(PillowImage.open(tmp_path / "out" / "f10.png")).max() == 2


def test_transparency_stays_and_gray_takes_colour(tmp_path):
    folder = write_frames(tmp_path / "in", ["a.png"], mode="LA")
    with writing(open_footage(folder, 12), tmp_path / "out") as write:
        write(lambda index: torch.rand(1, 3, 9, 12))
    assert PillowImage.open(tmp_path / "out" / "a.png").mode == "RGBA"


def test_pictures_that_do_not_fit_are_refused(tmp_path):
    folder = write_frames(tmp_path / "in", ["a.png", "b.png"])
    PillowImage.new("RGB", (9, 9)).save(folder / "c.png")
    with pytest.raises(LimnerError, match=r"c.png: all frames must be of one size, got 9x9 after 24x18"):
        open_footage(folder, None)
    with pytest.raises(LimnerError, match="two frames have one name"):
        open_footage([folder / "a.png", write_frames(tmp_path / "other", ["a.webp"]) / "a.webp"], None)
    (tmp_path / "empty").mkdir()
    with pytest.raises(LimnerError, match="the folder holds no pictures"):
        open_footage(tmp_path / "empty", None)


def test_places_that_do_not_fit_are_refused_before_the_work(tmp_path):
    folder = write_frames(tmp_path / "in", ["a.png"])
    footage, taken = open_footage(folder, None), write_frames(tmp_path / "taken", ["a.png"])
    cases = {
        "pictures are written into a folder": {"target": tmp_path / "out.mp4"},
        "is already there: pass --force": {"target": taken},
        "the folder .*/no is not there": {"target": tmp_path / "no" / "out"},
        "crf is for videos": {"target": tmp_path / "out", "crf": 20},
    }
    for message, options in cases.items():
        with pytest.raises(LimnerError, match=message), ExitStack() as stack:
            stack.enter_context(writing(footage, **options))
    with pytest.raises(LimnerError, match="is already there"), writing(footage, folder, overwrite=True):
        pass  # the sources themselves are never replaced
    with writing(footage, taken, overwrite=True) as write:
        write(lambda index: torch.zeros(1, 3, 18, 24))
    assert np.asarray(PillowImage.open(taken / "a.png")).max() == 0


def test_a_video_keeps_its_sound_and_times(tmp_path):
    clip = make_clip(tmp_path / "clip.mp4", 7, rate=Fraction(30000, 1001))
    footage = open_footage(clip, 32)
    assert isinstance(footage, VideoFootage)
    assert footage.size == (24, 32)
    folder = FrameFolder(tmp_path / "frames", {}, resume=False, overwrite=False)
    with writing(footage, tmp_path / "out.mp4") as write:
        footage.unpack(folder)
        assert footage.num_frames == 7
        assert (footage.frame(6) - footage.frame(0))[:, 2].mean() * 255 == pytest.approx(48, abs=4)
        write(lambda index: 1 - footage.frame(index))
    made = open_video(tmp_path / "out.mp4")
    assert (made.width, made.height, made.num_frames, made.rate) == (32, 24, 7, Fraction(30000, 1001))
    assert packets(tmp_path / "out.mp4", "audio") == packets(clip, "audio") != []
    assert [frame.pts * made.time_base for frame in made] == pytest.approx(
        [frame.pts * footage.video.time_base for frame in open_video(clip)]
    )
    blue = [int(frame.pixels[..., 2].mean()) for frame in made]
    assert blue == pytest.approx([255 - 8 * index for index in range(7)], abs=6)


def test_a_video_that_cannot_be_written_is_refused_before_the_work(tmp_path):
    clip = make_clip(tmp_path / "clip.mp4", 2)
    footage = open_footage(clip, None)
    for name, message in {
        "a.webm": "holds no aac audio",
        "a.gif": "videos are written as",
        "clip.mp4": "already",
    }.items():
        with pytest.raises(LimnerError, match=message), writing(footage, tmp_path / name):
            raise AssertionError("the work has begun")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip.mp4"]


def test_frames_that_are_unpacked_already_stay(tmp_path):
    footage = open_footage(make_clip(tmp_path / "clip.mp4", 3, audio=None), None)
    folder = FrameFolder(tmp_path / "frames", {}, resume=False, overwrite=False)
    folder.write("source", 1, torch.zeros(1, 3, 48, 64))
    footage.unpack(folder)
    assert footage.frame(1).max() == 0
    assert footage.frame(2).max() > 0.5


def test_notes_are_told(tmp_path):
    clip = make_clip(tmp_path / "a.mov", [smooth(0, 62, 46)], codec="qtrle", pixel_format="argb", audio=None)
    notes: list[str] = []
    with writing(open_footage(clip, None), tmp_path / "b.mov", notes=notes) as write:
        write(lambda index: torch.zeros(1, 3, 46, 62))
    assert notes == [f"{clip}: its transparency is not kept"]
