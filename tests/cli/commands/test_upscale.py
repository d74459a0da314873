import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from limner.cli.options import pixel_limit
from limner.errors import LimnerError
from limner.files.weights import Header, save_weights
from limner.systems.feedforward.srresnet import SRResNet, SRResNetConfig
from limner.verbs.upscale.upscale import default_scale


def size(path: str | Path) -> tuple[int, int]:
    with PillowImage.open(path) as image:
        image.load()
        return image.size


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def photo(place: Path, drawn: Callable) -> Path:
    drawn(place / "photo.png")
    return Path("photo.png")


def test_one_photo_is_enlarged_beside_itself(limner: Callable, photo: Path, tiny: Path) -> None:
    done = limner("upscale", photo, "--model", tiny)
    assert (done.code, done.out, done.err) == (0, "photo_x2_tiny.png  40x32\n", "")
    assert size("photo_x2_tiny.png") == (40, 32)


def test_the_options_reach_their_places(limner: Callable, photo: Path, tiny: Path) -> None:
    options = [
        "--scale",
        3,
        "--format",
        "jpg",
        "--quality",
        40,
        "--tile",
        16,
        "--precision",
        "exact",
        "--compare",
        "-v",
    ]
    done = limner("upscale", photo, "-o", "new/", "--model", tiny, *options)
    assert done.out == "new/photo_x3_tiny.jpg  60x48\n"
    assert "MiB at the peak" in done.err
    assert size("new/photo_x3_tiny.jpg") == (60, 48)
    assert size("new/photo_x3_tiny_compare.png")[0] > 2 * 480


def test_files_patterns_and_folders_with_one_model(
    limner: Callable, place: Path, drawn: Callable, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ["a.png", "in/b.webp", "in/sub/c.tif", "d1.bmp", "d2.bmp"]:
        drawn(place / name)
    loads: list[str] = []
    monkeypatch.setattr("limner.verbs.upscale.upscale.Runner", _counted("limner.runtime.runner.Runner", loads))
    done = limner("upscale", "a.png", "in", "d*.bmp", "-r", "-o", "out", "--model", tiny)
    assert done.code == 0
    assert files(place / "out") == [
        "a_x2_tiny.png",
        "b_x2_tiny.webp",
        "d1_x2_tiny.bmp",
        "d2_x2_tiny.bmp",
        "sub/c_x2_tiny.tif",
    ]
    assert len(done.out.splitlines()) == 5
    assert len(loads) == 1


def _counted(name: str, calls: list[str]) -> Callable:
    module, _, attribute = name.rpartition(".")
    original = getattr(sys.modules[module], attribute)

    def call(*args: object, **options: object) -> object:
        calls.append(name)
        return original(*args, **options)

    return call


def test_json_is_all_that_stands_on_standard_output(limner: Callable, photo: Path, tiny: Path) -> None:
    Path("bad.png").write_text("no picture")
    done = limner("upscale", photo, "bad.png", "--model", tiny, "--json")
    told = json.loads(done.out)
    assert done.code == 1
    assert [(one["output"], one["width"], one["height"]) for one in told["files"]] == [("photo_x2_tiny.png", 40, 32)]
    assert [one["source"] for one in told["failed"]] == ["bad.png"]
    assert told["model"] == str(tiny)
    assert (told["scale"], told["network_scale"], told["precision"]) == (2, 2, "fast")
    assert told["peak_memory_bytes"] > 2**20
    assert told["seconds"] > 0


def test_a_factor_between_for_folders_and_compared(limner: Callable, place: Path, drawn: Callable, tiny: Path) -> None:
    for name in "ab":
        drawn(place / "in" / f"{name}.png", 25, 15)
    done = limner("upscale", "in", "-o", "out", "--scale", 1.5, "--model", tiny, "--compare", "--json")
    told = json.loads(done.out)
    assert (told["scale"], told["network_scale"]) == (1.5, 2)
    sizes = [(one["output"], one["width"], one["height"]) for one in told["files"]]
    assert sizes == [("out/a_x1.5_tiny.png", 38, 23), ("out/b_x1.5_tiny.png", 38, 23)]
    made = ["a_x1.5_tiny.png", "a_x1.5_tiny_compare.png", "b_x1.5_tiny.png", "b_x1.5_tiny_compare.png"]
    assert files(place / "out") == made


def test_an_output_of_an_earlier_run_is_a_picture_like_any_other(limner: Callable, photo: Path, tiny: Path) -> None:
    limner("upscale", photo, "--model", tiny)
    done = limner("upscale", "photo_x2_tiny.png", "--model", tiny)
    assert done.out == "photo_x2_tiny_x2_tiny.png  80x64\n"


def test_a_model_of_one_scale_needs_no_scale(limner: Callable, photo: Path, place: Path) -> None:
    config = SRResNetConfig(scale=4, num_blocks=1, channels=4)
    save_weights(
        place / "four.safetensors",
        SRResNet(config).state_dict(),
        Header(system="srresnet", config=config.model_dump()),
    )
    assert limner("upscale", photo, "--model", "four.safetensors").out == "photo_x4_four.png  80x64\n"
    assert limner("upscale", photo, "--model", "four.safetensors", "--scale", 2).out == "photo_x2_four.png  40x32\n"
    refused = limner("upscale", photo, "--model", "four.safetensors", "--scale", 5)
    assert refused.code == 2
    assert refused.error == ("four.safetensors enlarges by up to 4, got 5: ask for a smaller scale or another model")


def make_bad(place: Path, name: str) -> Path:
    path = place / name
    noise = PillowImage.fromarray(np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8))
    if name.startswith("truncated"):
        noise.save(path)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    elif name == "text.jpg":
        path.write_text("this is no picture")
    elif name == "empty.png":
        path.touch()
    return path


BAD = {
    "missing.png": "there is no such file",
    "empty.png": "is empty",
    "truncated.png": "is damaged",
    "truncated.jpg": "is damaged",
    "text.jpg": "is not an image",
}


@pytest.mark.parametrize("name", BAD)
def test_a_single_bad_file_is_an_error_of_one_line(limner: Callable, place: Path, tiny: Path, name: str) -> None:
    make_bad(place, name)
    before = files(place)
    refused = limner("upscale", name, "--model", tiny)
    assert refused.code == 2
    assert refused.error.startswith(f"{name}: {BAD[name]}")
    assert files(place) == before


def test_a_bad_file_among_many_does_not_hold_up_the_others(
    limner: Callable, photo: Path, place: Path, tiny: Path
) -> None:
    for name in BAD:
        make_bad(place, name)
    done = limner("upscale", *BAD, photo, "--model", tiny)
    assert done.code == 1
    assert done.out == "photo_x2_tiny.png  40x32\n"
    *errors, summary = done.err.splitlines()
    assert [line.split(":")[1].strip() for line in errors] == list(BAD)
    assert summary == "1 of 6 pictures are enlarged"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--scale", "1"], "scale must be above 1 and at most 16, got 1"),
        (["--scale", "0"], "scale must be above 1 and at most 16, got 0"),
        (["--scale", "17"], "scale must be above 1 and at most 16, got 17"),
        (["--scale", "nan"], "scale must be above 1 and at most 16, got nan"),
        (["--scale", "twice"], "invalid value for '--scale'"),
        (["--model", "nobody"], "there is no model 'nobody': name edsr-x2"),
        (["--model", "gone.safetensors"], "no weight file at gone.safetensors"),
        (["--model", "damaged.safetensors"], "damaged.safetensors is not a whole safetensors file"),
        (["--device", "tpu"], "device must be one that this machine has"),
        (["-o", "big.xyz"], "big.xyz: images are written as one of"),
        (["-o", "taken.png"], "taken.png: is already there: pass --force"),
        (["--max-pixels", "100"], "photo.png: has 20x16 = 320 pixels, and at most 100 are read"),
        (["--force", "--resume"], "--force makes all anew and --resume what is missing: leave one of them out"),
        (["--resume", "-o", "photo.png"], "photo.png: is already there: pass --force"),
        (["--crf", "20"], "--crf is for videos, and there is none"),
        (["--max-pixels", "-3"], "--max-pixels must be a number of pixels above 0 or none, got '-3'"),
    ],
)
def test_a_wrong_option_is_an_error_of_one_line(
    limner: Callable, photo: Path, place: Path, options: list[str], message: str
) -> None:
    (place / "damaged.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0{brokenx")
    (place / "taken.png").write_text("precious")
    before = files(place)
    refused = limner("upscale", photo, *options)
    assert refused.code == 2
    assert refused.error.startswith(message)
    assert files(place) == before
    assert (place / "taken.png").read_text() == "precious"


def test_a_huge_picture_is_refused_and_let_through_on_demand(limner: Callable, photo: Path, tiny: Path) -> None:
    assert limner("upscale", photo, "--model", tiny, "--max-pixels", 319).code == 2
    assert limner("upscale", photo, "--model", tiny, "--max-pixels", 320).code == 0
    assert limner("upscale", photo, "--model", tiny, "--max-pixels", "none", "--force").code == 0


def test_what_jpeg_cannot_hold_is_told(limner: Callable, place: Path, drawn: Callable, tiny: Path) -> None:
    drawn(place / "clear.png", mode="RGBA")
    refused = limner("upscale", "clear.png", "--model", tiny, "--format", "jpg")
    assert refused.error.startswith("clear_x2_tiny.jpg: JPEG holds no transparency")
    assert files(place) == ["clear.png"]


def test_what_cannot_be_written_is_told_before_the_network_runs(
    limner: Callable, place: Path, drawn: Callable, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn(place / "clear.png", mode="RGBA")
    drawn(place / "long.png", width=8200, height=1)
    monkeypatch.setattr("limner.verbs.upscale.upscale.Upscaler.enlarge_picture", None)  # calling it would be a bug
    assert "holds no transparency" in limner("upscale", "clear.png", "--model", tiny, "--format", "jpg").error
    assert "got 16400x2" in limner("upscale", "long.png", "--model", tiny, "--format", "webp").error


def test_a_file_that_fails_late_does_not_hold_up_the_others(
    limner: Callable, place: Path, drawn: Callable, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for index in range(6):
        drawn(place / f"{index}.png")
    original = os.replace

    def full(source: Path, target: Path) -> None:
        if Path(target).name == "3_x2_tiny.png":
            raise OSError(28, "No space left on device")
        original(source, target)

    monkeypatch.setattr("os.replace", full)
    monkeypatch.setattr("pathlib.os.replace", full)
    done = limner("upscale", *(f"{index}.png" for index in range(6)), "--model", tiny)
    assert done.code == 1
    assert done.out.splitlines() == [f"{index}_x2_tiny.png  40x32" for index in (0, 1, 2, 4, 5)]
    assert done.err.splitlines()[1] == "5 of 6 pictures are enlarged"
    assert len(files(place)) == 11


def test_resume_passes_by_what_is_finished(limner: Callable, place: Path, drawn: Callable, tiny: Path) -> None:
    for name in "abc":
        drawn(place / "in" / f"{name}.png")
    command = ["upscale", "in", "-o", "out", "--model", tiny]
    assert limner(*command).code == 0
    (place / "out" / "b_x2_tiny.png").unlink()
    os.utime(place / "out" / "c_x2_tiny.png", (1, 1))  # its source has been edited since
    kept = (place / "out" / "a_x2_tiny.png").stat().st_mtime_ns
    twice = limner(*command)
    assert (twice.code, twice.out) == (0, "out/b_x2_tiny.png  40x32\n")
    assert twice.err == "note: 2 of them are there already, 1 older than the photo: passed by, --force makes all anew\n"
    (place / "out" / "b_x2_tiny.png").unlink()
    done = limner(*command, "--resume")
    assert (done.code, done.err) == (0, "note: 1 of them is finished already\n")
    assert done.out == "out/b_x2_tiny.png  40x32\nout/c_x2_tiny.png  40x32\n"
    assert (place / "out" / "a_x2_tiny.png").stat().st_mtime_ns == kept
    again = limner(*command, "--resume", "--json")
    told = json.loads(again.out)
    assert (again.code, told["files"]) == (0, [])
    assert told["finished"] == ["out/a_x2_tiny.png", "out/b_x2_tiny.png", "out/c_x2_tiny.png"]


def test_resume_beside_the_sources_takes_no_result_for_a_source(limner: Callable, photo: Path, tiny: Path) -> None:
    for _ in range(2):
        done = limner("upscale", "*.png", "--model", tiny, "--resume", "--compare")
        assert done.code == 0
    passed = "note: passed by 2 made of others by an earlier run: name one alone to take it\n"
    assert done.err == f"{passed}note: 1 of them is finished already\n"
    assert files(Path()) == ["photo.png", "photo_x2_tiny.png", "photo_x2_tiny_compare.png"]
    Path("photo_x2_tiny_compare.png").unlink()
    assert limner("upscale", "photo.png", "--model", tiny, "--resume", "--compare").out == "photo_x2_tiny.png  40x32\n"


def test_a_full_disk_is_told_and_leaves_nothing(
    limner: Callable, photo: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    refused = limner("upscale", photo, "--model", tiny)
    assert refused.code in (1, 2)
    assert "no space left on device" in refused.error.lower()
    assert files(Path()) == ["photo.png"]


def test_the_limit_of_pixels() -> None:
    assert pixel_limit("12") == 12
    assert pixel_limit("none") is None
    with pytest.raises(LimnerError, match="--max-pixels"):
        pixel_limit("many")


def test_the_scale_that_is_meant(tiny: Path) -> None:
    assert default_scale("auto") == 2
    assert default_scale(str(tiny)) == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_run_leaves_whole_files_alone(
    place: Path, drawn: Callable, tiny: Path, number: signal.Signals
) -> None:
    drawn(place / "one.png", 48, 48)
    (place / "in").mkdir()
    for index in range(400):
        (place / "in" / f"{index}.png").symlink_to(place / "one.png")
    command = [sys.executable, "-m", "limner", "upscale", "in", "-o", "out", "--model", str(tiny)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        process.stdout.readline()  # the first is done; those that are buffered with it, communicate() does not give
        process.send_signal(number)
        _, err = process.communicate()
    assert process.returncode == 1
    assert err == "stopped; finished files are whole\n"
    made = files(place / "out")
    assert 1 <= len(made) < 400
    assert not [name for name in made if name.startswith(".")]
    assert all(size(place / "out" / name) == (96, 96) for name in made)


@pytest.fixture
def clip(place: Path) -> Path:
    """A video of six frames with sound."""
    pytest.importorskip("av")
    from tests.clips import make_clip

    make_clip(place / "clip.mp4", 6)
    return Path("clip.mp4")


def test_a_video_is_enlarged_beside_itself(limner: Callable, clip: Path, tiny: Path) -> None:
    from tests.clips import packets

    done = limner("upscale", clip, "--model", tiny)
    assert (done.code, done.out, done.err) == (0, "clip_x2_tiny.mp4  128x96\n", "")
    assert len(packets(Path("clip_x2_tiny.mp4"), "video")) == 6
    assert packets(Path("clip_x2_tiny.mp4"), "audio") == packets(clip, "audio") != []
    assert limner("upscale", clip, "--model", tiny).error.startswith("clip_x2_tiny.mp4: is already there: pass --force")
    assert limner("upscale", clip, "--model", tiny, "--resume").err == "note: 1 of them is finished already\n"


def test_the_options_of_videos_reach_their_places(limner: Callable, clip: Path, tiny: Path) -> None:
    for crf in (5, 45):
        done = limner("upscale", clip, "-o", f"{crf}.mkv", "--scale", 3, "--crf", crf, "--model", tiny, "--json")
        (told,) = json.loads(done.out)["files"]
        assert (told["output"], told["width"], told["height"], told["frames"]) == (f"{crf}.mkv", 192, 144, 6)
    assert Path("5.mkv").stat().st_size > 1.5 * Path("45.mkv").stat().st_size
    assert "at most 3000 pixels are read" in limner("upscale", clip, "--model", tiny, "--max-pixels", 3000).error


def test_photos_and_videos_together_in_order(limner: Callable, clip: Path, photo: Path, tiny: Path) -> None:
    Path("bad.mov").write_bytes(clip.read_bytes()[:3000])
    done = limner("upscale", photo, "bad.mov", clip, "gone.mp4", "gone.png", "-o", "out", "--model", tiny)
    assert done.code == 1
    assert done.out == "out/photo_x2_tiny.png  40x32\nout/clip_x2_tiny.mp4  128x96\n"
    *errors, summary = done.err.splitlines()
    assert [line.split(":")[1].strip() for line in errors] == ["bad.mov", "gone.mp4", "gone.png"]
    assert summary == "2 of 5 files are enlarged"
    assert files(Path("out")) == ["clip_x2_tiny.mp4", "photo_x2_tiny.png"]


def test_what_is_lost_of_a_video_is_told(limner: Callable, place: Path, tiny: Path) -> None:
    pytest.importorskip("av")
    from tests.clips import make_clip, smooth

    make_clip(place / "odd.mkv", [smooth(0, 46, 34)] * 2, audio=None)
    make_clip(place / "alpha.mov", [smooth()], codec="qtrle", pixel_format="argb", audio=None)
    done = limner("upscale", "odd.mkv", "alpha.mov", "--model", tiny)
    assert (done.code, done.err) == (0, "note: alpha.mov: its transparency is not kept\n")
    assert done.out == "odd_x2_tiny.mkv  92x68\nalpha_x2_tiny.mov  128x96\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--format", "png"], "--format is for photos, and clip.mp4 is a video: enlarge it without --format"),
        (["--quality", "90"], "--quality is for photos"),
        (["--compare"], "--compare is for photos"),
        (["-o", "clip.webm"], "clip.webm: .webm holds no aac audio: name an --output that ends in .mkv"),
        (["-o", "clip.png"], "clip.png: videos are written as one of .m4v .mkv .mov .mp4 .webm, got '.png'"),
        (["-o", "clip.mp4"], "clip.mp4: is already there"),
        (["--crf", "99"], "invalid value for '--crf'"),
    ],
)
def test_a_wrong_option_for_a_video_is_an_error_of_one_line(
    limner: Callable, clip: Path, tiny: Path, options: list[str], message: str
) -> None:
    refused = limner("upscale", clip, "--model", tiny, *options)
    assert refused.code == 2
    assert refused.error.startswith(message)
    assert files(Path()) == ["clip.mp4"]


def test_a_video_without_the_extra_is_an_error_of_one_line(
    limner: Callable, clip: Path, photo: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    assert (
        limner("upscale", clip, "--model", tiny).error
        == "video needs the video extra: pip install '.[video]' in the folder of Limner"
    )
    done = limner("upscale", clip, photo, "--model", tiny)
    assert (done.code, done.out) == (1, "photo_x2_tiny.png  40x32\n")


def test_a_video_that_breaks_off_on_the_way_leaves_nothing(
    limner: Callable, clip: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object) -> None:
        raise OSError(28, "No space left on device", "clip_x2_tiny.mp4")

    monkeypatch.setattr("limner.files.video_writer.VideoWriter._mux", full)
    assert "no space left" in limner("upscale", clip, "--model", tiny).error
    assert files(Path()) == ["clip.mp4"]
