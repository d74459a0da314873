"""`paint_video`: one pass for each frame, held to the one before."""

import itertools

import pytest
import torch
from PIL import Image as PillowImage
from tests.clips import make_clip, packets, smooth
from torch import nn

from limner.errors import LimnerError
from limner.files.image import read_image, to_tensor
from limner.files.video_reader import open_video
from limner.ports import PHOTO, Port
from limner.runtime.run_options import RunOptions
from limner.verbs.stylize.network_painter import Painter
from limner.verbs.stylize.network_video import SteadyPainter, paint_video

pytest.importorskip("cv2")


class Darker(nn.Module):
    """Half the light."""

    inputs = (Port("image", "photo", multiple=4),)
    outputs = (PHOTO,)

    def forward(self, image):
        return 0.5 * image


class Flickering(Painter):
    """Each frame lighter or darker by chance, as no painter should be."""

    def __init__(self):
        super().__init__(Darker())
        self.generator = torch.Generator().manual_seed(0)

    def paint(self, image, *others):
        return (image + 0.1 * torch.randn((), generator=self.generator)).clamp(0, 1)


def scene(length):
    """Frames of a still picture."""
    coarse = torch.rand(1, 3, 8, 12, generator=torch.Generator().manual_seed(1))
    still = nn.functional.interpolate(coarse, size=(64, 96), mode="bicubic").clamp(0, 1)
    return [still for _ in range(length)]


def flicker(frames):
    return max((one - other).abs().mean().item() for one, other in itertools.pairwise(frames))


def test_a_steady_painter_flickers_less_and_one_of_steadiness_0_paints_each_by_itself():
    frames = scene(6)
    alone, steady, free = (
        [painter(frame) for frame in frames]
        for painter in (
            Flickering().paint,
            SteadyPainter(Flickering(), 0.7),
            SteadyPainter(Flickering(), 0.0),
        )
    )
    assert flicker(steady) < 0.45 * flicker(alone)  # 0.3 of each frame's own, where the flow is trusted
    assert all(torch.equal(*pair) for pair in zip(free, alone, strict=True))


def test_another_scene_is_not_mixed_with_the_one_before():
    first = scene(1)[0]
    second = torch.rand(1, 3, 64, 96, generator=torch.Generator().manual_seed(5))
    steady = SteadyPainter(Painter(Darker(), options=RunOptions(precision="exact")), 0.7)
    steady(first)
    assert (steady(second) - 0.5 * second).abs().mean() < 0.1 * (0.5 * first - 0.5 * second).abs().mean()


@pytest.mark.parametrize("steadiness", [-0.1, 1.0])
def test_a_steadiness_that_cannot_be_is_refused(steadiness):
    with pytest.raises(LimnerError, match="steadiness must be at least 0 and below 1"):
        SteadyPainter(Flickering(), steadiness)


def test_a_video_keeps_its_frames_and_its_sound(tmp_path):
    clip = tmp_path / "clip.mp4"
    make_clip(clip, [smooth(index) for index in range(4)], audio="aac")
    seen = []
    painted = paint_video(
        Painter(Darker()),
        clip,
        output=tmp_path / "dark.mp4",
        on_progress=lambda done, total: seen.append((done, total)),
    )
    assert painted == tmp_path / "dark.mp4"
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
    before, after = ([frame.pixels.mean() for frame in open_video(path)] for path in (clip, painted))
    assert after == pytest.approx([value / 2 for value in before], rel=0.05)
    assert packets(clip, "audio") == packets(painted, "audio")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip.mp4", "dark.mp4"]


def test_pictures_become_pictures_of_the_size_that_is_asked_for(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for index in range(2):
        PillowImage.fromarray(smooth(index)).save(folder / f"f{index}.png")
    assert paint_video(Painter(Darker()), folder, output=tmp_path / "dark", size=32) == tmp_path / "dark"
    results = [to_tensor(read_image(path)) for path in sorted((tmp_path / "dark").iterdir())]
    assert [tuple(result.shape[-2:]) for result in results] == [(24, 32), (24, 32)]


def stopping_after(frames):
    """What is told of progress, until so many frames are painted."""

    def stop(done, total):
        if done == frames:
            raise KeyboardInterrupt

    return stop


def test_what_goes_wrong_before_the_first_frame_leaves_nothing_behind(tmp_path, monkeypatch):
    clip = tmp_path / "clip.mp4"
    make_clip(clip, [smooth(index) for index in range(3)])
    monkeypatch.setattr(SteadyPainter, "__call__", lambda self, frame: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        paint_video(Painter(Darker()), clip, output=tmp_path / "dark.mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]
    assert open_video(clip).num_frames == 3


@pytest.mark.parametrize("frames", [1, 2, 4])
def test_a_stopped_video_goes_on_to_what_an_unstopped_one_is(tmp_path, frames):
    clip = tmp_path / "clip.mp4"
    make_clip(clip, [smooth(3 * index) for index in range(4)])
    whole = paint_video(Painter(Darker()), clip, output=tmp_path / "whole.mp4")
    target, folder = tmp_path / "b.mp4", tmp_path / "b.mp4.frames"
    with pytest.raises(KeyboardInterrupt):
        paint_video(Painter(Darker()), clip, output=target, on_progress=stopping_after(frames))
    assert len(list((folder / "painted").iterdir())) == frames
    with pytest.raises(LimnerError, match=r"to go on with them, or --force .overwrite=True. to begin anew"):
        paint_video(Painter(Darker()), clip, output=target)
    with pytest.raises(LimnerError, match=r"steadiness was 0\.7, now it is 0\.5"):
        paint_video(Painter(Darker()), clip, output=target, steadiness=0.5, resume=True)
    with pytest.raises(LimnerError, match="model was None, now it is x"):
        paint_video(Painter(Darker()), clip, output=target, asked={"model": "x"}, resume=True)
    paint_video(Painter(Darker()), clip, output=target, resume=True)
    assert target.read_bytes() == whole.read_bytes()
    assert not folder.exists()


def test_a_stopped_video_may_begin_anew(tmp_path):
    clip = tmp_path / "clip.mp4"
    make_clip(clip, [smooth(index) for index in range(3)])
    with pytest.raises(KeyboardInterrupt):
        paint_video(Painter(Darker()), clip, output=tmp_path / "dark.mp4", on_progress=stopping_after(2))
    paint_video(Painter(Darker()), clip, output=tmp_path / "dark.mp4", overwrite=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip.mp4", "dark.mp4"]
