import threading
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.clips import make_clip, packets, smooth

from limner.errors import LimnerError
from limner.files.image import Picture
from limner.files.video_reader import open_video
from limner.files.weights import Header, save_weights
from limner.systems.feedforward.vdsr import VDSR, VDSRConfig
from limner.verbs.upscale.upscale import Upscaler
from limner.verbs.upscale.upscale_video import enlarge_video, upscale_video, upscaled_video_path


@pytest.fixture
def tiny(tmp_path: Path) -> str:
    """Write a very small VDSR with random weights that change the picture by a few levels."""
    config = VDSRConfig(num_layers=3, channels=4)
    system = VDSR(config)
    with torch.no_grad():
        list(system.parameters())[-1].mul_(0.05)
    path = tmp_path / "tiny.safetensors"
    save_weights(path, system.state_dict(), Header(system="vdsr", config=config.model_dump()))
    return str(path)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return make_clip(tmp_path / "clip.mp4", 9, rate=Fraction(30000, 1001))


@pytest.mark.parametrize("kind", [str, Path])
def test_a_path_comes_back_as_a_path_beside_the_video(tiny: str, clip: Path, kind: Callable) -> None:
    target = clip.with_name("clip_x2.mp4")
    assert upscale_video(kind(clip), 2, model=tiny) == kind(target)
    video = open_video(target)
    assert (video.width, video.height, video.num_frames, video.rate) == (128, 96, 9, Fraction(30000, 1001))
    assert packets(target, "audio") == packets(clip, "audio") != []
    with pytest.raises(LimnerError, match="already there"):
        upscale_video(clip, 2, model=tiny)
    assert upscale_video(clip, 2, model=tiny, overwrite=True) == target


def test_a_factor_between_makes_even_frames(tiny: str, clip: Path) -> None:
    """64x48 by 1.7 is 109x82, and a column more."""
    made = upscale_video(clip, 1.7, model=tiny)
    assert made.name == "clip_x1.7.mp4"
    video = open_video(made)
    assert (video.width, video.height, video.num_frames) == (110, 82, 9)


def test_each_frame_is_the_enlargement_of_its_own(tiny: str, clip: Path) -> None:
    upscaler = Upscaler(tiny, 3)
    target = clip.with_name("big.mkv")
    assert enlarge_video(upscaler, clip, target, crf=1) == (192, 144, 9)
    for before, after in zip(open_video(clip), open_video(target), strict=True):
        expected = upscaler.enlarge_picture(Picture(before.pixels)).pixels.astype(int)
        assert np.abs(after.pixels - expected).mean() < 2.5


def test_10_bits_stay_10_bits(tiny: str, tmp_path: Path) -> None:
    ramp = np.linspace(20000, 30000, 96).astype(np.uint16)[None, :, None]
    source = make_clip(tmp_path / "a.mp4", [np.tile(ramp, (16, 1, 3))], pixel_format="yuv420p10le", audio=None)
    video = open_video(upscale_video(source, 2, model=tiny, crf=1))
    (frame,) = video
    assert video.pixel_format == "yuv420p10le"
    assert frame.pixels.dtype == np.uint16
    assert len(np.unique(frame.pixels[16])) > 100, "8 bits have 40 levels between these"


def test_frames_and_notes_are_told(tiny: str, tmp_path: Path) -> None:
    source = make_clip(tmp_path / "a.mov", [smooth(0, 62, 45)], codec="qtrle", pixel_format="argb", audio=None)
    told: list[Any] = []
    upscale_video(source, 3, model=tiny, on_progress=lambda *count: told.append(count), on_note=told.append)
    assert told == [
        f"{source}: its transparency is not kept",
        f"{source}: 186x135 becomes 186x136, for the sides must be even: the last row or column stands twice",
        (1, 1),
    ]


@pytest.mark.parametrize("failure", [KeyboardInterrupt, LimnerError])
def test_a_stopped_run_leaves_no_file_and_no_thread(tiny: str, clip: Path, failure: type[BaseException]) -> None:
    before, threads = sorted(clip.parent.iterdir()), threading.active_count()

    def stop(done: int, total: int) -> None:
        if done == 4:
            raise failure

    with pytest.raises(failure):
        upscale_video(clip, 2, model=tiny, on_progress=stop)
    assert sorted(clip.parent.iterdir()) == before
    assert threading.active_count() == threads


def test_frames_are_decoded_no_further_than_needed(tiny: str, clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ahead = drawn = 0
    original = open_video(clip).orientation.apply

    def counted(self: object, pixels: np.ndarray) -> np.ndarray:
        nonlocal drawn
        drawn += 1
        return original(pixels)

    def watch(done: int, total: int) -> None:
        nonlocal ahead
        ahead = max(ahead, drawn - done)

    monkeypatch.setattr("limner.files.video_reader.Orientation.apply", counted)
    upscale_video(clip, 2, model=tiny, on_progress=watch)
    assert drawn == 10, "nine frames, and one that tells the size"
    assert ahead <= 5


def test_what_cannot_be_written_is_refused_before_the_work(
    tiny: str, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> None:
        raise AssertionError("the network ran")

    monkeypatch.setattr(Upscaler, "enlarge_picture", never)
    for output, message in {
        "a.webm": "holds no aac audio",
        "a.gif": "videos are written as",
        "no/a.mp4": "make it",
    }.items():
        with pytest.raises(LimnerError, match=message):
            upscale_video(clip, 2, model=tiny, output=clip.with_name("x").parent / output)


def test_place_beside() -> None:
    assert upscaled_video_path(Path("in/clip.of.me.MOV"), 3) == Path("in/clip.of.me_x3.MOV")
    assert upscaled_video_path(Path("clip.avi"), 2) == Path("clip_x2.mkv")
