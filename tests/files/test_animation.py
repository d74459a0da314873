from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from limner.errors import LimnerError
from limner.files.animation import write_animation

FRAMES = [np.full((9, 12, 3), gray, np.uint8) for gray in (0, 120, 240)]


def test_a_gif_shows_all_frames_and_begins_anew(tmp_path: Path) -> None:
    write_animation(tmp_path / "a.gif", FRAMES, rate=10)
    with PillowImage.open(tmp_path / "a.gif") as file:
        assert (file.size, getattr(file, "n_frames", 1), file.info["loop"], file.info["duration"]) == (
            (12, 9),
            3,
            0,
            100,
        )
        for number, gray in enumerate((0, 120, 240)):
            file.seek(number)
            assert abs(int(np.asarray(file.convert("RGB")).mean()) - gray) < 3


def test_a_video_shows_all_frames(tmp_path: Path) -> None:
    av = pytest.importorskip("av")
    write_animation(tmp_path / "a.mp4", [frame.repeat(8, 0).repeat(8, 1) for frame in FRAMES], rate=5)
    with av.open(str(tmp_path / "a.mp4")) as file:
        frames = [frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)]
        assert float(file.streams.video[0].average_rate) == 5
    assert [frame.shape for frame in frames] == [(72, 96, 3)] * 3
    assert [abs(int(frame.mean()) - gray) < 6 for frame, gray in zip(frames, (0, 120, 240), strict=True)] == [True] * 3


def test_of_odd_sides_a_video_leaves_the_last_row_out(tmp_path: Path) -> None:
    av = pytest.importorskip("av")
    write_animation(tmp_path / "a.mp4", [np.zeros((33, 35, 3), np.uint8)] * 2)
    with av.open(str(tmp_path / "a.mp4")) as file:
        assert (file.streams.video[0].width, file.streams.video[0].height) == (34, 32)


def test_what_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LimnerError, match=r"an animation is a .gif or an .mp4"):
        write_animation(tmp_path / "a.avi", FRAMES)
    (tmp_path / "a.gif").touch()
    with pytest.raises(LimnerError, match="is already there"):
        write_animation(tmp_path / "a.gif", FRAMES)
    write_animation(tmp_path / "a.gif", FRAMES, overwrite=True)
