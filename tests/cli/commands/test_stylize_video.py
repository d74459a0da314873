import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage
from tests.clips import make_clip, packets, smooth

from limner.files.video_reader import open_video

pytest.importorskip("cv2")

QUICKLY = [
    "--set", 'style.style_layers={"relu1_1": 1}', "--set", 'style.content_layers={"relu1_1": 1}', "--steps", "1",
    "--precision", "exact", "--device", "cpu",
]  # fmt: skip


@pytest.fixture
def clip(place: Path) -> Path:
    make_clip(place / "clip.mp4", [smooth(index) for index in range(3)])
    PillowImage.fromarray(np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)).save("style.png")
    return Path("clip.mp4")


@pytest.fixture
def folder(clip: Path) -> Path:
    Path("in").mkdir()
    for index in range(3):
        PillowImage.fromarray(smooth(index)).save(f"in/f{index}.png")
    return Path("in")


def test_a_clip_is_painted_beside_itself(limner: Callable, clip: Path) -> None:
    done = limner("stylize-video", clip, "--style", "style.png", *QUICKLY)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("clip_style.mp4  ")
    assert sorted(path.name for path in Path().iterdir()) == ["clip.mp4", "clip_style.mp4", "style.png"]


def test_pictures_as_a_folder_and_as_a_pattern(limner: Callable, folder: Path) -> None:
    assert limner("stylize-video", folder, "--style", "style.png", *QUICKLY).out.startswith("in_style  ")
    told = json.loads(limner("stylize-video", "in/f*.png", "-s", "style.png", "-o", "out", "--json", *QUICKLY).out)
    assert told["output"] == "out"
    for name in ("f0.png", "f1.png", "f2.png"):
        assert (Path("out") / name).read_bytes() == (Path("in_style") / name).read_bytes()


def test_the_options_reach_their_places(limner: Callable, folder: Path) -> None:
    options = ["--size", 32, "--passes", 2, "--long-term", "1,2", "--style-scale", 0.5, "--keep-colors", "--seed", 4]
    options += ["--style", "woodcut:0.5"]
    assert limner("stylize-video", folder, "--style", "style.png", *QUICKLY, *options).code == 0
    assert PillowImage.open("in_style+woodcut/f0.png").size == (32, 24)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--quick", "--preset", "paper"], "--quick and --preset paper are two presets"),
        (["--force", "--resume"], "--force makes all anew and --resume what is missing"),
        (["--long-term", "1,x"], "--long-term takes numbers of frames from 1, as 1,10,20, got '1,x'"),
        (["--long-term", "0"], "--long-term takes numbers of frames from 1, as 1,10,20, got '0'"),
        (["--flow", "style.png"], "style.png: flow is read from a folder of .flo files: name that"),
        (["--method", "gatys", "--size", "16"], "the content must have 32 pixels a side or more for relu5_1, got 16x"),
        (["--features", "style.png"], "style.png is no whole file of tensors"),
        (["--style-scale", "0"], "the scale of a style must be above 0"),
        (["--set", "gamma=3"], "VideoStyleConfig has no field 'gamma'; it has style, held, temporal_weight"),
        (["--flow", "none"], "none/forward_1_2.flo: there is no such file"),
        (["-o", "clip.mp4"], "clip.mp4: is already there"),
        (["-o", "clip.gif"], "clip.gif: videos are written as"),
        (["--style", "no.png"], "style must be a picture or one of composition-vii, "),
        (
            ["--method", "gatys", "--steadiness", "0.5"],
            "--steadiness is for the methods fast, any-style and adain: leave it out",
        ),
        (["--method", "fast", "--quick"], "--quick is for the method gatys: leave it out"),
    ],
)
def test_a_wrong_option_is_an_error_of_one_line(limner: Callable, clip: Path, options: list[str], message: str) -> None:
    before = sorted(Path().iterdir())
    refused = limner("stylize-video", clip, "--style", "style.png", *options)
    assert refused.code == 2
    assert refused.error.startswith(message)
    assert sorted(Path().iterdir()) == before


def video(path: str) -> list[np.ndarray]:
    return [frame.pixels.astype(int) for frame in open_video(Path(path))]


def test_a_clip_is_painted_in_one_pass_in_any_style(limner: Callable, clip: Path, adain: str) -> None:
    args = ["--style", "style.png", "--model", adain, "--precision", "exact", "--json"]
    told = json.loads(limner("stylize-video", clip, *args, "--crf", 0).out)
    assert told["output"] == "clip_style_any.mp4"
    painted = video("clip_style_any.mp4")
    assert [one.shape for one in painted] == [(48, 64, 3)] * 3
    assert np.abs(painted[1] - video("clip.mp4")[1]).mean() > 10
    assert packets(clip, "audio") == packets(Path("clip_style_any.mp4"), "audio")


def test_each_option_of_one_pass_counts_in_any_style(limner: Callable, folder: Path, adain: str) -> None:
    args = ["stylize-video", folder, "--style", "style.png", "--model", adain, "--precision", "exact"]
    others: list[list[object]] = [
        ["--steadiness", 0], ["--strength", 0.5], ["--style-scale", 0.5], ["--keep-colors"], ["--style", "in/f0.png"],
        ["--style", "in/f0.png:3"],
    ]  # fmt: skip
    found = []
    for number, options in enumerate([[], *others]):
        assert limner(*args, *options, "-o", f"out{number}").code == 0
        found.append(np.asarray(PillowImage.open(f"out{number}/f2.png")).astype(int))
    for number, one in enumerate(found):
        assert all(np.abs(one - other).max() > 1 for other in found[:number])
    assert limner(*args, "--size", 32, "-o", "small").code == 0
    assert PillowImage.open("small/f0.png").size == (32, 24)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--passes", 2], "--passes is for the method gatys: leave it out, or choose that"),
        (["--flow", "in"], "--flow is for the method gatys"),
        (["--steadiness", 1], "steadiness must be at least 0 and below 1, got 1: 0.7 is a good choice"),
        (["--strength", 2], "strength must be between 0, the photo, and 1, the painting, got 2"),
        (["--style-scale", 0], "the scale of a style must be above 0"),
    ],
)
def test_what_one_pass_in_any_style_does_not_do(
    limner: Callable, clip: Path, adain: str, options: list[object], message: str
) -> None:
    before = sorted(Path().iterdir())
    refused = limner("stylize-video", clip, "--style", "style.png", "--method", "adain", "--model", adain, *options)
    assert refused.code == 2
    assert refused.error.startswith(message)
    assert sorted(Path().iterdir()) == before


def test_two_videos_are_refused(limner: Callable, clip: Path) -> None:
    make_clip(Path("more.mp4"), 2)
    refused = limner("stylize-video", clip, "more.mp4", "--style", "style.png")
    assert refused.error == "clip.mp4: one video is stylised at a time: name it alone"


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_ctrl_c_keeps_the_finished_frames_and_resume_goes_on(limner: Callable, clip: Path) -> None:
    make_clip(clip, [smooth(index, 48, 32) for index in range(40)])
    command = [sys.executable, "-m", "limner", "stylize-video", str(clip), "--style", "style.png", *QUICKLY]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    first, deadline = Path("clip_style.mp4.frames/pass_1/000001.png"), time.monotonic() + 120
    while not first.exists() and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.01)
    assert process.poll() is None, "it has ended before a frame was finished, or was ended by somebody"
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert said == "stopped: the finished frames are in clip_style.mp4.frames; --resume goes on with them\n"
    assert first.exists()
    assert not Path("clip_style.mp4").exists()
    assert [path.name for path in Path().iterdir() if path.name.startswith(".")] == []
    written = first.stat().st_mtime_ns
    again = limner("stylize-video", clip, "--style", "style.png", *QUICKLY)
    assert again.error.startswith("clip_style.mp4.frames: holds the frames of a run that was stopped: pass --resume")
    assert first.stat().st_mtime_ns == written
    assert limner("stylize-video", clip, "--style", "style.png", *QUICKLY, "--resume").code == 0
    assert Path("clip_style.mp4").exists()
    assert not first.exists()
