from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image as PillowImage
from PIL import ImageCms

from limner.catalog.models import embedded
from limner.errors import LimnerError
from limner.files.cards import read_card
from limner.files.image import Picture, read_image, to_tensor, write_image
from limner.files.weights import Header, save_weights, sha256
from limner.metrics.quality import psnr
from limner.ops.resample import imresize
from limner.runtime.run_options import RunOptions
from limner.systems.feedforward.srresnet import SRResNet, SRResNetConfig
from limner.systems.feedforward.vdsr import VDSR, VDSRConfig
from limner.verbs.upscale.passes import BEST
from limner.verbs.upscale.upscale import (
    LuminanceUpscaler,
    Upscaler,
    enlarging_models,
    evaluable,
    upscale,
    upscaled_path,
)

PHOTO = Path(__file__).resolve().parents[3] / "src" / "limner" / "demo" / "astronaut.jpg"
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


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
def rgb() -> np.ndarray:
    coarse = np.random.default_rng(0).integers(0, 256, (3, 4, 3), dtype=np.uint8)
    return np.asarray(PillowImage.fromarray(coarse).resize((14, 11), PillowImage.Resampling.BICUBIC))


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [None, 1, 3, 4])
def test_an_array_comes_back_as_an_array(tiny: str, rgb: np.ndarray, kind: type, channels: int | None) -> None:
    given = np.dstack([rgb, rgb[..., 0]])[..., : channels or 1]
    given = given.astype(kind) * (257 if kind is np.uint16 else 1)
    given = given if channels else given[..., 0]
    result: np.ndarray = upscale(given, 2, model=tiny)
    assert result.shape == (22, 28, *given.shape[2:])
    assert result.dtype == kind
    assert result.std() > 0


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "I;16"])
def test_a_pillow_image_comes_back_in_its_mode(tiny: str, rgb: np.ndarray, mode: str) -> None:
    given = PillowImage.fromarray(rgb).convert("L" if mode == "I;16" else mode)
    given = PillowImage.fromarray(np.asarray(given).astype(np.uint16) * 257) if mode == "I;16" else given
    given.info["icc_profile"] = b"a profile"
    result = upscale(given, 3, model=tiny)
    assert (result.mode, result.size, result.info["icc_profile"]) == (mode, (42, 33), b"a profile")


@pytest.mark.parametrize(
    ("mode", "becomes"), [("P", "RGB"), ("CMYK", "RGB"), ("LA", "LA"), ("1", "L"), ("HSV", "RGB"), ("RGBa", "RGBA")]
)
def test_a_pillow_image_of_another_mode_becomes_what_its_file_would(
    tiny: str, rgb: np.ndarray, mode: str, becomes: str
) -> None:
    image = PillowImage.fromarray(rgb)
    given = image.convert("RGBA").convert(mode) if mode == "RGBa" else image.convert(mode)
    given.info["icc_profile"] = b"a profile"
    result = upscale(given, 2, model=tiny)
    assert (result.mode, result.size) == (becomes, (28, 22))
    assert ("icc_profile" in result.info) == (mode != "CMYK")


def test_a_transparent_palette_becomes_rgba(tiny: str, rgb: np.ndarray) -> None:
    given = PillowImage.fromarray(rgb).convert("P")
    given.info["transparency"] = 0
    assert upscale(given, 2, model=tiny).mode == "RGBA"


@pytest.mark.parametrize("shape", [(3, 9, 12), (1, 3, 9, 12), (2, 3, 9, 12)])
@pytest.mark.parametrize("kind", [torch.float32, torch.float64, torch.float16])
def test_a_tensor_comes_back_as_a_tensor(tiny: str, shape: tuple[int, ...], kind: torch.dtype) -> None:
    result = upscale(torch.rand(shape).to(kind), 2, model=tiny)
    assert result.shape == (*shape[:-2], 18, 24)
    assert result.dtype == kind
    assert 0 <= result.min() <= result.max() <= 1


@pytest.mark.parametrize(
    "wrong",
    [
        torch.zeros(9, 12),
        torch.zeros(2, 9, 12),
        torch.zeros(3, 9, 12, dtype=torch.int64),
        np.full((9, 12), 2, np.float32),
        np.zeros((9, 12, 2), np.uint8),
        np.zeros(9, np.uint8),
    ],
)
def test_what_is_no_picture_is_refused(tiny: str, wrong: Any) -> None:
    with pytest.raises(LimnerError, match=r"must (be|hold)"):
        upscale(wrong, 2, model=tiny)


@pytest.mark.parametrize("kind", [str, Path])
def test_a_path_comes_back_as_a_path_beside_the_picture(
    tiny: str, tmp_path: Path, rgb: np.ndarray, kind: Callable
) -> None:
    write_image(tmp_path / "a.png", Picture(rgb))
    result = upscale(kind(tmp_path / "a.png"), 2, model=tiny)
    assert result == kind(tmp_path / "a_x2_tiny.png")
    assert read_image(result).width == 28
    with pytest.raises(LimnerError, match="already there"):
        upscale(tmp_path / "a.png", 2, model=tiny)
    assert upscale(tmp_path / "a.png", 2, model=tiny, overwrite=True) == tmp_path / "a_x2_tiny.png"
    assert upscale(tmp_path / "a.png", 4, model=tiny, output=tmp_path / "b.tif") == tmp_path / "b.tif"


def test_alpha_profile_depth_and_metadata_are_carried(tiny: str, tmp_path: Path, rgb: np.ndarray) -> None:
    deep = rgb.astype(np.uint16) * 257
    alpha = np.linspace(0, 65535, 11 * 14).reshape(11, 14).astype(np.uint16)
    write_image(tmp_path / "a.png", Picture(deep, alpha, icc_profile=SRGB, dpi=(300, 300), text={"Title": "x"}))
    result = read_image(upscale(tmp_path / "a.png", 2, model=tiny))
    assert (result.bit_depth, result.icc_profile, result.text) == (16, SRGB, {"Title": "x"})
    expected = imresize(torch.from_numpy(alpha / 65535)[None, None], 2)[0, 0].clamp(0, 1).numpy()
    assert np.abs(result.alpha / 65535 - expected).max() < 1e-4


@pytest.mark.parametrize("level", [0, 7, 128, 255])
def test_a_constant_picture_stays_constant_in_the_shipped_model(level: int) -> None:
    result = upscale(np.full((40, 48, 3), level, np.uint8), 2)
    inner = result[24:-24, 24:-24].astype(int)  # zero padding acts at the border
    assert np.abs(inner - level).max() <= 1


@pytest.mark.parametrize("scale", BEST)
def test_exact_is_stable_to_the_bit_and_blind_to_tiles(tiny: str, scale: int) -> None:
    image = torch.rand(1, 3, 41, 53)
    whole = Upscaler(tiny, scale, RunOptions(precision="exact")).enlarge(image)
    assert torch.equal(whole, Upscaler(tiny, scale, RunOptions(precision="exact")).enlarge(image))
    for tile in (16, 33):
        tiled = Upscaler(tiny, scale, RunOptions(precision="exact", tile=tile)).enlarge(image)
        torch.testing.assert_close(tiled, whole, rtol=0, atol=1e-6)


def test_fast_is_near_exact_on_a_photo() -> None:
    photo = to_tensor(read_image(PHOTO))[..., 330:426, 100:196]
    fast, exact = (Upscaler(options=RunOptions(precision=precision)).enlarge(photo) for precision in ("fast", "exact"))
    assert psnr(fast, exact).item() >= 45


def test_the_shipped_model_beats_bicubic_on_a_photo() -> None:
    photo = to_tensor(read_image(PHOTO))[..., 330:458, 100:228]
    small = imresize(photo, 0.5).clamp(0, 1)
    ours, bicubic = Upscaler(options=RunOptions(precision="exact")).enlarge(small), imresize(small, 2).clamp(0, 1)
    assert psnr(ours, photo).item() > psnr(bicubic, photo).item() + 0.3


@pytest.mark.parametrize("scale", BEST)
def test_auto_is_an_embedded_model_that_has_the_scale(scale: int) -> None:
    assert BEST[scale] in enlarging_models()
    assert scale in Upscaler("auto", scale).scales


@pytest.mark.parametrize(
    ("model", "scale", "message"),
    [
        ("auto", 1, "scale must be above 1 and at most 16, got 1: "),
        ("auto", 0.5, "scale must be above 1 and at most 16, got 0.5: "),
        ("auto", 16.5, "scale must be above 1 and at most 16, got 16.5: "),
        ("auto", -2, "scale must be above 1 and at most 16, got -2: "),
        ("auto", float("nan"), "scale must be above 1 and at most 16, got nan: "),
        ("auto", float("inf"), "scale must be above 1 and at most 16, got inf: "),
        ("edsr-x4", 8, "edsr-x4 enlarges by up to 4, got 8: ask for a smaller scale or another model"),
        ("nobody", 2, "there is no model 'nobody': name edsr-x2, .*"),
        ("none.safetensors", 2, "no weight file at none.safetensors"),
    ],
)
def test_a_wrong_model_or_scale_is_refused(model: str, scale: float, message: str) -> None:
    with pytest.raises(LimnerError, match=message):
        Upscaler(model, scale)


def test_a_model_to_be_evaluated_tells_what_it_is(tmp_path: Path, tiny: str) -> None:
    config = SRResNetConfig(num_blocks=1, channels=4)
    path = tmp_path / "four.safetensors"
    save_weights(path, SRResNet(config).state_dict(), Header(system="srresnet", config=config.model_dump()))
    colour, luminance = evaluable(str(path)), evaluable(tiny)
    assert not isinstance(colour, LuminanceUpscaler)
    assert isinstance(luminance, LuminanceUpscaler)
    assert (colour.scales, luminance.scales) == ((4,), (2, 3, 4))
    colour.name = "SRResNet"
    assert colour.weights_hash == sha256(path)[:12]
    assert colour.enlarge(torch.rand(1, 3, 9, 8), 4).shape == (1, 3, 36, 32)
    assert luminance.enlarge_luminance(torch.rand(1, 1, 9, 8), 3).shape == (1, 1, 27, 24)


def test_auto_enlarges_eight_times_in_two_passes() -> None:
    """By two, clipped, then by four; whatever the tiles."""
    image = torch.rand(1, 3, 24, 20)
    upscaler = Upscaler("auto", 8, RunOptions(precision="exact", device="cpu", tile=16))
    between = Upscaler(BEST[2], 2, RunOptions(precision="exact", device="cpu")).enlarge(image)
    expected = Upscaler(BEST[4], 4, RunOptions(precision="exact", device="cpu")).enlarge(between)
    torch.testing.assert_close(upscaler.enlarge(image), expected, atol=1e-5, rtol=0)
    assert upscaler.name == f"{BEST[2]}, then {BEST[4]}"
    assert upscaler.weights_hash == "-".join(sha256(embedded()[BEST[scale]])[:12] for scale in (2, 4))


@pytest.mark.parametrize("scale", [1.5, 2.5, 3.7])
def test_any_factor_is_the_next_larger_one_shrunk_by_bicubic(tiny: str, scale: float) -> None:
    image = torch.rand(1, 3, 13, 21)
    network = 2 if scale < 2 else 3 if scale < 3 else 4
    larger = Upscaler(tiny, network, RunOptions(precision="exact", device="cpu")).enlarge(image)
    size = (int(13 * scale + 0.5), int(21 * scale + 0.5))
    upscaler = Upscaler(tiny, scale, RunOptions(precision="exact", device="cpu"))
    assert (upscaler.scale, upscaler.network_scale) == (scale, network)
    assert torch.equal(upscaler.enlarge(image), imresize(larger, size=size).clamp(0, 1))
    tiled = Upscaler(tiny, scale, RunOptions(precision="exact", device="cpu", tile=16)).enlarge(image)
    torch.testing.assert_close(tiled, upscaler.enlarge(image), rtol=0, atol=1e-6)


def test_a_factor_between_keeps_edges_in_place(tiny: str) -> None:
    """Of a picture of two halves, the border lies in the middle, and what is symmetric stays so."""
    image = torch.zeros(1, 3, 24, 24)
    image[..., 12:] = 1
    result = Upscaler("auto", 1.5, RunOptions(precision="exact", device="cpu")).enlarge(image)[0, :, 18]
    assert result[:, :17].max() < 0.3
    assert result[:, 19:].min() > 0.7


@pytest.mark.parametrize(
    ("model", "scale", "name", "network_scale"),
    [("auto", 7, "edsr-x2, then edsr-x4", 8), ("srgan", 2, "srgan", 4), ("vdsr-fast", 2.5, "vdsr-fast", 3)],
)
def test_what_enlarges_by_a_factor(model: str, scale: float, name: str, network_scale: int) -> None:
    upscaler = Upscaler(model, scale)
    assert (upscaler.name, upscaler.network_scale) == (name, network_scale)


@pytest.mark.parametrize(("scale", "size"), [(1.5, (5, 20)), (2.5, (8, 33)), (1.1, (3, 14)), (2.3, (7, 30))])
def test_sides_are_multiplied_and_rounded(tmp_path: Path, tiny: str, scale: float, size: tuple[int, int]) -> None:
    """3 and 13 pixels; halves up: 4.5 and 19.5, 7.5 and 32.5, 3.3 and 14.3, 6.9 and 29.9."""
    deep = Picture(
        np.random.default_rng(0).integers(0, 65536, (3, 13, 3)).astype(np.uint16), np.full((3, 13), 65535, np.uint16),
        icc_profile=SRGB, dpi=(300, 300), text={"Title": "x"},
    )  # fmt: skip
    write_image(tmp_path / "a.png", deep)
    path = upscale(tmp_path / "a.png", scale, model=tiny)
    result = read_image(path)
    assert path.name == f"a_x{scale}_tiny.png"
    assert (result.height, result.width) == size
    assert (result.bit_depth, result.icc_profile, result.text) == (16, SRGB, {"Title": "x"})
    assert result.alpha is not None and result.alpha.min() == 65535
    assert upscale(torch.rand(2, 3, 3, 13), scale, model=tiny).shape == (2, 3, *size)


def test_a_model_of_eight_times_enlarges_eight_times(tmp_path: Path) -> None:
    config = SRResNetConfig(num_blocks=0, channels=2, scale=8)
    path = tmp_path / "eight.safetensors"
    save_weights(path, SRResNet(config).state_dict(), Header(system="srresnet", config=config.model_dump()))
    assert upscale(torch.rand(1, 3, 5, 6), 8, model=str(path)).shape == (1, 3, 40, 48)


def test_beside() -> None:
    assert upscaled_path(Path("in/photo.of.me.jpg"), 3) == Path("in/photo.of.me_x3.jpg")


@pytest.mark.parametrize("scale", BEST)
def test_auto_means_the_model_of_the_highest_psnr(scale):
    cards = [read_card(path.with_suffix(".toml")) for path in embedded().values()]
    tables = {card.model: card.metrics["sr-y-shave"] for card in cards if "sr-y-shave" in card.metrics}
    name = f"Set5 x{scale}"
    measured = {model: table[name]["psnr"] for model, table in tables.items() if name in table}
    assert BEST[scale] == max(measured, key=lambda model: measured[model])
