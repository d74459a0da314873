"""`stylize_video`: frames, flow, passes, and a run that is stopped and goes on."""

import os
import signal
import sys
from fractions import Fraction

import numpy as np
import pytest
import torch
from PIL import Image as PillowImage
from tests.clips import make_clip, packets, smooth

from limner.errors import LimnerError
from limner.files.image import read_image, to_tensor
from limner.files.video_reader import open_video
from limner.loops.coarse_to_fine import Pass
from limner.loops.optimize import OptimizeConfig
from limner.media.frame_folder import working_folder
from limner.systems.optimize.style import StyleConfig
from limner.systems.optimize.video_style import VideoStyleConfig
from limner.verbs.stylize.optimized_video import VideoStep, stylize_video
from limner.verbs.stylize.style import Style

cv2 = pytest.importorskip("cv2")

TINY = VideoStyleConfig(
    style=StyleConfig(
        style_layers={"relu1_1": 1.0},
        content_layers={"relu2_1": 1.0},
        start="content",
        passes=(Pass(optimize=OptimizeConfig(steps=3)),),
    ),
    held=OptimizeConfig(steps=2, learning_rate=0.01),
)


@pytest.fixture
def place(tmp_path):
    """Four frames of a picture that moves two pixels to the left each time, and a style."""
    generator = np.random.default_rng(0)
    coarse = generator.integers(0, 256, (6, 10, 3), dtype=np.uint8)
    wide = PillowImage.fromarray(coarse).resize((60, 32), PillowImage.Resampling.BICUBIC)
    (tmp_path / "in").mkdir()
    for index in range(4):
        wide.crop((2 * index, 0, 2 * index + 48, 32)).save(tmp_path / "in" / f"f{index + 1}.png")
    PillowImage.fromarray(generator.integers(0, 256, (40, 40, 3), dtype=np.uint8)).save(tmp_path / "style.png")
    return tmp_path


def paint(place, **options):
    options = {"config": TINY, "precision": "exact", "device": "cpu", **options}
    return stylize_video(options.pop("source", place / "in"), options.pop("style", place / "style.png"), **options)


def pixels(folder):
    return [to_tensor(read_image(path)) for path in sorted(folder.iterdir())]


def test_a_folder_becomes_a_folder_and_nothing_is_left_over(place):
    steps: list[VideoStep] = []
    assert paint(place, on_step=steps.append) == place / "in_style"
    assert [path.name for path in sorted((place / "in_style").iterdir())] == [f"f{i}.png" for i in range(1, 5)]
    assert sorted(path.name for path in place.iterdir()) == ["in", "in_style", "style.png"]
    assert [(one.done, one.total, one.step, one.steps) for one in steps] == [
        (0, 4, 1, 3), (0, 4, 2, 3), (0, 4, 3, 3), *((done, 4, step, 2) for done in (1, 2, 3) for step in (1, 2))
    ]  # fmt: skip
    assert isinstance(steps[0], VideoStep)
    assert set(steps[0].losses) == {"style", "content"}
    assert set(steps[-1].losses) == {"style", "content", "temporal"}
    before, after = pixels(place / "in"), pixels(place / "in_style")
    assert all((one - other).abs().max() > 0.02 for one, other in zip(before, after, strict=True))


def test_a_stopped_run_that_goes_on_equals_one_that_was_never_stopped(place):
    whole = pixels(paint(place, output=place / "whole"))

    def stop(step):
        if (step.done, step.step) == (2, 1):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        paint(place, output=place / "parts", on_step=stop)
    folder = working_folder(place / "parts")
    assert sorted(path.name for path in (folder / "pass_1").iterdir()) == ["000001.png", "000002.png"]
    assert not (place / "parts").exists()
    steps: list[VideoStep] = []
    with pytest.raises(LimnerError, match=r"pass --resume .resume=True in Python. to go on with them"):
        paint(place, output=place / "parts")
    with pytest.raises(LimnerError, match="whose seed was 0, now it is 1"):
        paint(place, output=place / "parts", resume=True, seed=1)
    paint(place, output=place / "parts", resume=True, on_step=steps.append)
    assert [one.done for one in steps] == [2, 2, 3, 3]
    assert all(torch.equal(one, other) for one, other in zip(whole, pixels(place / "parts"), strict=True))
    assert not folder.exists()


def test_what_has_painted_nothing_leaves_nothing(place):
    def stop(step):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        paint(place, on_step=stop)
    assert sorted(path.name for path in place.iterdir()) == ["in", "style.png"]


def test_ctrl_c_within_a_step_is_a_stop(place, monkeypatch):
    def ask(step):
        if step.done == 1:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        paint(place, on_step=ask)
    assert len(list((working_folder(place / "in_style") / "pass_1").iterdir())) == 1


def test_several_passes_keep_two_at_a_time_and_can_be_resumed_too(place):
    config = TINY.model_copy(update={"num_passes": 3})
    whole = pixels(paint(place, output=place / "whole", config=config))
    folder, seen = working_folder(place / "parts"), []

    def stop(step):
        seen.append({path.name for path in folder.iterdir() if path.is_dir()})
        if step.done == 10:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        paint(place, output=place / "parts", config=config, on_step=stop)
    assert set().union(*seen) == {"pass_1", "pass_2", "pass_3"}
    assert max(len(stages) for stages in seen) == 2
    paint(place, output=place / "parts", config=config, resume=True)
    assert all(torch.equal(one, other) for one, other in zip(whole, pixels(place / "parts"), strict=True))


def write_flows(folder, pairs, u, size=(32, 48)):
    folder.mkdir(exist_ok=True)
    for start, end in pairs:
        name = f"{'forward' if start < end else 'backward'}_{start}_{end}.flo"
        assert cv2.writeOpticalFlow(str(folder / name), np.full((*size, 2), (u * (end - start), 0), np.float32))


def test_flow_from_files_is_taken_by_its_names(place, monkeypatch):
    def never(*_):
        raise AssertionError("the flow was computed")

    monkeypatch.setattr("limner.verbs.stylize.optimized_video.optical_flow", never)
    pairs = [(1, 2), (2, 1), (2, 3), (3, 2), (3, 4), (4, 3), (1, 3), (3, 1), (2, 4), (4, 2)]
    write_flows(place / "flow", pairs, -2.0)
    config = TINY.model_copy(update={"long_term": (1, 2), "temporal_weight": 1e4})
    steps: list[VideoStep] = []
    paint(place, flow=place / "flow", config=config, on_step=steps.append)
    first, second = pixels(place / "in_style")[:2]
    apart = (second[..., :-2] - first[..., 2:]).abs().mean()
    assert apart < 0.01, "the second frame is the first, moved"
    assert (second - first).abs().mean() > 5 * apart


def test_flow_at_another_size_is_rescaled(place):
    pairs = [(1, 2), (2, 1), (2, 3), (3, 2), (3, 4), (4, 3)]
    write_flows(place / "small", pairs, -1.0, (16, 24))
    write_flows(place / "flow", pairs, -2.0)
    options = {"size": 48, "config": TINY.model_copy(update={"temporal_weight": 100.0})}
    one = pixels(paint(place, flow=place / "small", output=place / "a", **options))
    other = pixels(paint(place, flow=place / "flow", output=place / "b", **options))
    assert all(torch.equal(*pair) for pair in zip(one, other, strict=True))


def test_flow_that_is_missing_or_does_not_fit_is_told_before_the_work(place, monkeypatch):
    monkeypatch.setattr("limner.verbs.stylize.optimized_video.style_network", None)
    write_flows(place / "flow", [(1, 2), (2, 1), (2, 3), (3, 2)], 0.0)
    with pytest.raises(LimnerError, match=r"forward_3_4.flo: there is no such file"):
        paint(place, flow=place / "flow")
    write_flows(place / "flow", [(3, 4), (4, 3)], 0.0, (48, 32))
    with pytest.raises(LimnerError, match=r"flow must have the shape of the frames, got 32x48 for 48x32"):
        paint(place, flow=place / "flow")
    assert sorted(path.name for path in place.iterdir()) == ["flow", "in", "style.png"]


def test_colours_can_be_kept(place):
    paint(place, keep_colors=True)
    for before, after in zip(pixels(place / "in"), pixels(place / "in_style"), strict=True):
        red, blue = (image[:, 0] - image[:, 1] for image in (before, after))
        unclipped = ((after > 0.01) & (after < 0.99)).all(1)
        assert (red - blue)[unclipped].abs().max() < 0.02
        assert (before - after).abs().max() > 0.02


def test_a_video_becomes_a_video(place):
    clip = make_clip(place / "clip.mp4", [smooth(i, 64, 48) for i in range(4)], rate=Fraction(30000, 1001))
    assert paint(place, source=clip, size=32) == place / "clip_style.mp4"
    made = open_video(place / "clip_style.mp4")
    assert (made.width, made.height, made.num_frames, made.rate) == (32, 24, 4, Fraction(30000, 1001))
    assert packets(made.path, "audio") == packets(clip, "audio") != []
    assert not working_folder(made.path).exists()
    with pytest.raises(LimnerError, match="already there"):
        paint(place, source=clip, size=32)


def test_without_opencv_the_extra_is_named_before_the_work(place, monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(LimnerError, match="needs the video extra"):
        paint(place)
    assert sorted(path.name for path in place.iterdir()) == ["in", "style.png"]


def test_styles_are_mixed_by_their_weights(place):
    """A style whose weight is a hundredth hardly shows, and names are those of the list."""
    frames = {}
    for name, styles in {
        "alone": [place / "style.png"],
        "even": [place / "style.png", "woodcut"],
        "hardly": [Style(place / "style.png"), Style("woodcut", weight=0.01)],
    }.items():
        paint(place, style=styles, output=place / name)
        frames[name] = pixels(place / name)[0]
    away = {name: (frame - frames["alone"]).abs().mean().item() for name, frame in frames.items()}
    assert 0 < away["hardly"] < away["even"] / 5


@pytest.mark.parametrize(
    ("style", "message"),
    [
        (Style("woodcut", mask="mask.png"), "styles of a video have no masks, got one with a mask: leave it out"),
        (Style("woodcut", weight=0.0), "the weight of a style must be above 0 and finite, got 0"),
        (Style(np.zeros((32, 32, 3), np.uint8)), "a style of a video is a file or a name, got pixels: save them first"),
    ],
)
def test_styles_that_a_video_cannot_have(place, style, message):
    with pytest.raises(LimnerError, match=message):
        paint(place, style=style)
