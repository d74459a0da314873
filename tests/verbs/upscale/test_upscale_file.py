"""Enlarged strip by strip equals enlarged whole."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import ExifTags, Image, ImageCms
from torch import nn

from limner.config import Config
from limner.errors import LimnerError
from limner.files.image import Picture, read_header, read_image, write_image
from limner.files.strip_writer import WorkKept
from limner.files.weights import Header, save_weights
from limner.runtime.run_options import RunOptions
from limner.systems.feedforward.srresnet import SRResNet, SRResNetConfig
from limner.systems.feedforward.vdsr import VDSR, VDSRConfig
from limner.types import Precision
from limner.verbs.upscale.upscale import Upscaler
from limner.verbs.upscale.upscale_file import TORCH_BYTES, enlarge_file

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
SYSTEMS: dict[str, tuple[Callable[[Any], nn.Module], Config]] = {
    "plain": (VDSR, VDSRConfig(num_layers=3, channels=4)),
    "deep": (VDSR, VDSRConfig(num_layers=12, channels=4)),
    "folded": (VDSR, VDSRConfig(num_layers=3, channels=4, fold=3)),
    "srresnet": (SRResNet, SRResNetConfig(num_blocks=1, channels=4)),
}


def save(folder: Path, name: str) -> Path:
    """Weights that change the picture by a few levels."""
    torch.manual_seed(0)
    kind, config = SYSTEMS[name]
    system = kind(config)
    if kind is VDSR:
        with torch.no_grad():
            list(system.parameters())[-1].mul_(0.05)
    path = folder / f"{name}.safetensors"
    save_weights(
        path, system.state_dict(), Header(system="vdsr" if kind is VDSR else "srresnet", config=config.model_dump())
    )
    return path


@pytest.fixture(scope="session")
def model(tmp_path_factory) -> Callable[..., Upscaler]:
    folder = tmp_path_factory.mktemp("weights")

    def build(name: str, scale: float = 2, precision: Precision = "exact") -> Upscaler:
        return Upscaler(str(save(folder, name)), scale, RunOptions(precision=precision))

    return build


def photo(height: int, width: int, channels: int = 3, kind: type = np.uint8, has_alpha: bool = False) -> Picture:
    """Smooth, with noise on it."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (-(-height // 16), -(-width // 16), 4), dtype=np.uint8)
    smooth = np.asarray(Image.fromarray(coarse, "RGBA").resize((width, height), Image.Resampling.BICUBIC))
    deep = smooth.astype(int) * 257 + rng.integers(-2000, 2000, smooth.shape)
    samples: np.ndarray = (deep.clip(0, 65535) // (257 if kind is np.uint8 else 1)).astype(kind)
    return Picture(samples[..., :channels], samples[..., 3] if has_alpha else None)


def assert_nearly_same(got: Picture, expected: Picture) -> None:
    """Equal but for rounding: floats within 1e-4, which is less than a level of 8 bits and at most 6 of 16."""
    assert (got.pixels.shape, got.pixels.dtype) == (expected.pixels.shape, expected.pixels.dtype)
    difference = np.abs(got.pixels.astype(int) - expected.pixels)
    assert difference.max() <= (1 if got.bit_depth == 8 else 6)
    assert (difference > 0).mean() < (1e-3 if got.bit_depth == 8 else 0.05)
    assert (got.alpha is None) == (expected.alpha is None)
    assert got.alpha is None or np.abs(got.alpha.astype(int) - expected.alpha).max() <= 1


SMALL = TORCH_BYTES + 2_000_000  # for several blocks of few pixels


@pytest.mark.parametrize(
    ("name", "scale", "memory"),
    [
        ("plain", 2, 2_000_000),
        ("plain", 3, 5_000_000),
        ("plain", 4, 8_000_000),
        ("deep", 2, 3_000_000),
        ("folded", 2, 5_000_000),
        ("folded", 4, 20_000_000),
        ("srresnet", 4, 15_000_000),
        ("plain", 1.5, 2_500_000),
        ("plain", 3.3, 10_000_000),
        ("folded", 1.5, 8_000_000),
        ("srresnet", 2.5, 20_000_000),
    ],
)
def test_the_result_is_that_of_the_whole_picture(tmp_path, model, name, scale, memory):
    upscaler, source = model(name, scale), tmp_path / "a.png"
    write_image(source, photo(121, 87, kind=np.uint16))
    told: list[tuple[int, int]] = []
    size = enlarge_file(
        upscaler, source, tmp_path / "b.tif", memory=TORCH_BYTES + memory, on_progress=lambda *t: told.append(t)
    )
    result = read_image(tmp_path / "b.tif")
    assert size == (int(87 * scale + 0.5), int(121 * scale + 0.5)) == (result.width, result.height)
    assert told == [(number, len(told)) for number in range(1, len(told) + 1)]
    assert len(told) >= 6
    assert_nearly_same(result, upscaler.enlarge_picture(read_image(source)))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "b.tif"]


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("has_alpha", "scale"), [(False, 2), (True, 2), (True, 1.5)])
def test_gray_alpha_depth_and_metadata_stay(tmp_path, model, kind, channels, has_alpha, scale):
    upscaler, source = model("plain", scale), tmp_path / "a.png"
    exif = Image.Exif()
    exif[ExifTags.Base.Artist] = "Ada"
    given = photo(90, 70, channels, kind, has_alpha)
    given = Picture(
        given.pixels, given.alpha, icc_profile=SRGB if channels == 3 else None, exif=b"Exif\0\0" + exif.tobytes()[6:],
        xmp=b"<x:xmpmeta/>", dpi=(300, 200), text={"Title": "strips"},
    )  # fmt: skip
    write_image(source, given)
    enlarge_file(upscaler, source, tmp_path / "b.png", memory=SMALL + 500_000)
    expected = upscaler.enlarge_picture(read_image(source))
    write_image(tmp_path / "c.png", expected)
    result, whole = read_image(tmp_path / "b.png"), read_image(tmp_path / "c.png")
    assert_nearly_same(result, whole)
    for name in ("icc_profile", "exif", "xmp", "dpi", "text"):
        assert getattr(result, name) == getattr(whole, name)
    assert result.text == {"Title": "strips"}


@pytest.mark.parametrize("orientation", [1, 2, 3, 6, 8])
def test_a_file_that_is_read_row_by_row(tmp_path, model, orientation):
    """So large that half of what is left for it does not hold it."""
    pytest.importorskip("pyvips")
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    given = photo(2000, 160).pixels
    Image.fromarray(given).save(tmp_path / "a.jpg", exif=exif)
    upscaler = model("plain")
    enlarge_file(upscaler, tmp_path / "a.jpg", tmp_path / "b.png", memory=TORCH_BYTES + 5_000_000)
    assert_nearly_same(read_image(tmp_path / "b.png"), upscaler.enlarge_picture(read_image(tmp_path / "a.jpg")))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jpg", "b.png"]


def test_a_system_with_the_fast_precision(tmp_path, model):
    write_image(tmp_path / "a.png", photo(90, 70))
    upscaler = model("plain", precision="fast")
    enlarge_file(upscaler, tmp_path / "a.png", tmp_path / "b.png", memory=SMALL)
    assert_nearly_same(read_image(tmp_path / "b.png"), upscaler.enlarge_picture(read_image(tmp_path / "a.png")))


def test_too_little_memory_is_one_line_that_says_how_much(tmp_path, model):
    write_image(tmp_path / "a.png", photo(9, 7))
    with pytest.raises(
        LimnerError, match=r"enlarging 7x9 pixels by 2 with this model takes at least \d+ MB, and 367 MB"
    ) as caught:
        enlarge_file(model("plain"), tmp_path / "a.png", tmp_path / "b.png", memory=TORCH_BYTES + 50_000)
    assert "\n" not in str(caught.value)
    needed = int(str(caught.value).split("at least ")[1].split()[0])
    enlarge_file(model("plain"), tmp_path / "a.png", tmp_path / "b.png", memory=needed * 10**6)
    assert read_header(tmp_path / "b.png").width == 14


def test_less_than_torch_takes_is_one_line_too(tmp_path, model):
    write_image(tmp_path / "a.png", photo(9, 7))
    with pytest.raises(
        LimnerError, match=r"a\.png: torch alone takes 367 MB, and 200 MB may be used: allow more memory$"
    ):
        enlarge_file(model("plain"), tmp_path / "a.png", tmp_path / "b.png", memory=200_000_000)


def test_an_existing_target_is_refused_before_the_work(tmp_path, model):
    write_image(tmp_path / "a.png", photo(9, 7))
    write_image(tmp_path / "b.png", photo(5, 5))
    with pytest.raises(LimnerError, match="is already there"):
        enlarge_file(model("plain"), tmp_path / "a.png", tmp_path / "b.png", memory=SMALL)
    enlarge_file(model("plain"), tmp_path / "a.png", tmp_path / "b.png", memory=SMALL, overwrite=True)
    assert read_header(tmp_path / "b.png").width == 14


def test_the_quality_is_passed_on(tmp_path, model):
    write_image(tmp_path / "a.png", photo(60, 50))
    for quality in (10, 95):
        enlarge_file(model("plain"), tmp_path / "a.png", tmp_path / f"{quality}.jpg", memory=SMALL, quality=quality)
    assert (tmp_path / "10.jpg").stat().st_size < (tmp_path / "95.jpg").stat().st_size / 2


def stop_after(count: int, error: BaseException) -> Callable[[int, int], None]:
    def on_strip(done: int, total: int) -> None:
        if done == count:
            raise error

    return on_strip


@pytest.mark.parametrize(
    ("error", "scale"),
    [(KeyboardInterrupt(), 2), (OSError(28, "No space left on device"), 2), (KeyboardInterrupt(), 1.7)],
)
def test_an_interrupted_run_is_resumed_to_the_same_bytes(tmp_path, model, error, scale):
    upscaler, source, target = model("deep", scale), tmp_path / "a.png", tmp_path / "b.tif"
    write_image(source, photo(121, 87))
    enlarge_file(upscaler, source, tmp_path / "whole.tif", memory=SMALL)
    with pytest.raises((KeyboardInterrupt, WorkKept)) as caught:
        enlarge_file(upscaler, source, target, memory=SMALL, on_progress=stop_after(8, error))
    assert f"are kept in {target}.part: pass --resume" in "".join(
        [str(caught.value), *getattr(caught.value, "__notes__", [])]
    )
    assert not target.exists()
    told: list[tuple[int, int]] = []
    enlarge_file(upscaler, source, target, memory=SMALL, resume=True, on_progress=lambda *t: told.append(t))
    assert target.read_bytes() == (tmp_path / "whole.tif").read_bytes()
    assert 1 < told[0][0] <= 8 and told[-1][0] == told[-1][1]
    assert [done for done, _ in told] == list(range(told[0][0], told[-1][1] + 1))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "b.tif", "whole.tif"]


def test_with_more_memory_it_is_resumed_too(tmp_path, model):
    upscaler, source, target = model("plain"), tmp_path / "a.png", tmp_path / "b.tif"
    write_image(source, photo(121, 87))
    with pytest.raises(KeyboardInterrupt):
        enlarge_file(upscaler, source, target, memory=SMALL, on_progress=stop_after(8, KeyboardInterrupt()))
    told: list[tuple[int, int]] = []
    enlarge_file(upscaler, source, target, memory=2 * SMALL, resume=True, on_progress=lambda *t: told.append(t))
    assert told[-1][0] == told[-1][1]
    assert_nearly_same(read_image(target), upscaler.enlarge_picture(read_image(source)))


@pytest.mark.parametrize("change", ["scale", "model", "precision", "source"])
def test_another_question_is_not_answered_with_old_rows(tmp_path, model, change):
    source, target = tmp_path / "a.png", tmp_path / "b.tif"
    write_image(source, photo(121, 87))
    with pytest.raises(KeyboardInterrupt):
        enlarge_file(model("plain"), source, target, memory=SMALL, on_progress=stop_after(8, KeyboardInterrupt()))
    other = {"scale": ("plain", 3), "model": ("deep",), "precision": ("plain", 2, "fast"), "source": ("plain",)}[change]
    if change == "source":
        write_image(source, photo(121, 87, kind=np.uint16), overwrite=True)
    with pytest.raises(LimnerError, match="holds unfinished work whose") as caught:
        enlarge_file(model(*other), source, target, memory=SMALL, resume=True)
    assert "\n" not in str(caught.value)
    enlarge_file(model(*other), source, target, memory=SMALL)
    assert_nearly_same(read_image(target), model(*other).enlarge_picture(read_image(source)))


def test_a_model_that_gives_no_numbers_leaves_nothing(tmp_path, model):
    write_image(tmp_path / "a.png", photo(90, 70))
    upscaler = model("plain")
    upscaler.system.enlarge = lambda image, *_: torch.full((1, 3, 2 * image.shape[2], 2 * image.shape[3]), torch.nan)
    with pytest.raises(LimnerError, match="finite numbers"):
        enlarge_file(upscaler, tmp_path / "a.png", tmp_path / "b.png", memory=SMALL)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


ENLARGE = """
import os, re, signal, sys
from pathlib import Path

import torch
from limner.runtime.allocator import keep_freed_memory
from limner.verbs.upscale.upscale_file import enlarge_file
from limner.verbs.upscale.upscale import Upscaler
from limner.runtime.run_options import RunOptions

weights, source, target, memory, stop, resume = sys.argv[1:]
keep_freed_memory()
torch.set_num_threads(1)

def stop_at(done, total):
    if done == int(stop):
        os.kill(os.getpid(), signal.SIGKILL)

upscaler = Upscaler(weights, 2, RunOptions(precision="exact"))
size = enlarge_file(upscaler, Path(source), Path(target), memory=int(memory), on_progress=stop_at, resume="y" in resume)
status = Path("/proc/self/status")  # getrusage would tell of the process that began this one
print(*size, int(re.search(r"VmHWM:\\s*(\\d+)", status.read_text())[1]) * 1024 if status.exists() else 0)
"""


def in_a_process(weights: Path, source: Path, target: Path, memory: int, *, stop: int = 0, resume: bool = False):
    words = [str(weights), str(source), str(target), str(memory), str(stop), "yes" if resume else "no"]
    return subprocess.run([sys.executable, "-c", ENLARGE, *words], capture_output=True, text=True, check=False)


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_a_killed_run_is_resumed_to_the_same_bytes(tmp_path, model):
    weights, source = save(tmp_path, "plain"), tmp_path / "a.png"
    write_image(source, photo(121, 87))
    killed = in_a_process(weights, source, tmp_path / "b.png", SMALL, stop=8)
    assert killed.returncode == -signal.SIGKILL
    assert not (tmp_path / "b.png").exists()
    kept = (tmp_path / "b.png.part" / "rows.raw").stat().st_size
    assert 0 < kept < 242 * 174 * 3
    resumed = in_a_process(weights, source, tmp_path / "b.png", SMALL, resume=True)
    assert resumed.stdout.split()[:2] == ["174", "242"], resumed.stderr
    enlarge_file(model("plain"), source, tmp_path / "c.png", memory=SMALL)
    assert (tmp_path / "b.png").read_bytes() == (tmp_path / "c.png").read_bytes()
    assert not list(tmp_path.glob("*.part"))


def large(path: Path, width: int, height: int, **options: object) -> None:
    pyvips = pytest.importorskip("pyvips")
    image = pyvips.Image.perlin(width, height, cell_size=64).linear(90, 128)
    noise = pyvips.Image.gaussnoise(width, height, sigma=4)
    image = image.bandjoin([image.linear(-1, 255), noise + 128]).cast("uchar").copy(interpretation="srgb")
    image.write_to_file(str(path), **options)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere torch takes other amounts")
@pytest.mark.parametrize(
    ("width", "height", "memory", "name"),
    [
        (2000, 1500, 450_000_000, "a.png"),
        pytest.param(12_000, 9_000, 700_000_000, "a.jpg", marks=pytest.mark.slow),
        pytest.param(12_000, 9_000, 1_500_000_000, "a.tif", marks=pytest.mark.slow),
    ],
)
@pytest.mark.timeout(1800)
def test_memory_stays_in_its_budget(tmp_path, width, height, memory, name):
    weights = save(tmp_path, "plain")
    large(tmp_path / name, width, height)
    done = in_a_process(weights, tmp_path / name, tmp_path / f"b{Path(name).suffix}", memory)
    assert done.returncode == 0, done.stderr
    *size, peak = (int(word) for word in done.stdout.split())
    assert size == [2 * width, 2 * height]
    assert peak <= 1.25 * memory
    assert read_header(tmp_path / f"b{Path(name).suffix}").width == 2 * width
