"""The embedded enlargers: what the feature loss and the game cost and win beside networks of pixels, and `photo`."""

from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor

from limner.cli.work.demo import PHOTO
from limner.data.degrade import bicubic_enlarge, published_low_resolution
from limner.data.photo_faults import PhotoFaults, with_faults
from limner.features.vgg16 import VGG
from limner.files.image import read_image, to_tensor
from limner.metrics.protocols import RGB, as_uint8, score
from limner.metrics.vgg_distance import LAYERS, vgg_distance
from limner.runtime.run_options import RunOptions
from limner.verbs.upscale.upscale import Upscaler

CAT = PHOTO.with_name("chelsea.jpg")
MODELS = ("perceptual-pixel", "perceptual", "srresnet", "srgan", "edsr-x4")


def enlarged(model: str, small: Tensor) -> Tensor:
    return as_uint8(Upscaler(model, 4, RunOptions(precision="exact", device="cpu")).enlarge(small))


class Result(NamedTuple):
    psnr: float
    distance: float
    """What VGG sees."""
    steepness: float
    """The mean difference of neighbours."""


@pytest.fixture(scope="module")
def results() -> dict[str, Result]:
    photo = to_tensor(read_image(PHOTO))[..., 60:316, 120:376]
    small = published_low_resolution((photo * 255).round().to(torch.uint8), 4).float() / 255
    pictures = {"bicubic": as_uint8(bicubic_enlarge(small, 4)), "the original": photo}
    pictures |= {name: enlarged(name, small) for name in MODELS}
    vgg = VGG(LAYERS)
    with torch.inference_mode():
        seen = vgg(photo)
        return {
            name: Result(
                score(RGB, picture, photo, 4).psnr,
                vgg_distance(vgg(picture), seen).item(),
                picture.diff(dim=-1).abs().mean().item(),
            )
            for name, picture in pictures.items()
        }


def test_the_feature_loss_gives_decibels_for_what_vgg_sees(results: dict[str, Result]) -> None:
    """As the paper says (section 4.2)."""
    bicubic, pixel, feature = (results[name] for name in ("bicubic", "perceptual-pixel", "perceptual"))
    assert pixel.psnr > feature.psnr > bicubic.psnr
    assert feature.distance < pixel.distance < bicubic.distance


def test_the_game_gives_decibels_for_sharpness(results: dict[str, Result]) -> None:
    """Of the same network, which begins with the mean squared error (Ledig et al. 2017, section 3)."""
    bicubic, blurred, sharp, photo = (results[name] for name in ("bicubic", "srresnet", "srgan", "the original"))
    assert blurred.psnr > sharp.psnr > bicubic.psnr
    assert bicubic.steepness < blurred.steepness < sharp.steepness < photo.steepness
    assert sharp.distance < bicubic.distance


def test_the_default_is_the_nearest(results: dict[str, Result]) -> None:
    assert all(results["edsr-x4"].psnr > results[name].psnr for name in ("bicubic", *MODELS) if name != "edsr-x4")


def power_of_three_pixels(picture: Tensor) -> float:
    """That of all waves across and down of about three pixels, in gray."""
    gray = picture.mean(1)[0]
    window = torch.hann_window(gray.shape[0])[:, None] * torch.hann_window(gray.shape[1])
    power = torch.fft.fft2((gray - gray.mean()) * window).abs().square()
    down, across = (torch.fft.fftfreq(side).abs() for side in gray.shape)
    third = [(one - 1 / 3).abs() < 0.02 for one in (down, across)]
    low = [one < 0.1 for one in (down, across)]
    return float((power[third[0]][:, low[1]].mean() + power[low[0]][:, third[1]].mean()) / 2)


@pytest.mark.parametrize("model", MODELS)
def test_fur_gets_no_mesh(model: str) -> None:
    """VGG is blind to it behind its first pooling layer; too weak a loss left 1.1 times the power of the photo."""
    photo = to_tensor(read_image(CAT))[..., 32:256, 80:368]
    small = published_low_resolution((photo * 255).round().to(torch.uint8), 4).float() / 255
    assert power_of_three_pixels(enlarged(model, small)) < 0.75 * power_of_three_pixels(photo)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("color", [(0.5, 0.5, 0.5), (0.1, 0.3, 0.8), (0.9, 0.85, 0.8)])
def test_a_flat_place_stays_flat_and_keeps_its_colour(model: str, color: tuple[float, float, float]) -> None:
    flat = torch.tensor(color)[None, :, None, None]
    result = enlarged(model, flat.expand(1, 3, 40, 40))[..., 40:120, 40:120]  # zero padding acts at the border
    assert (result - result.mean((2, 3), keepdim=True)).abs().max() < 2 / 255
    assert (result.mean((2, 3), keepdim=True) - flat).abs().max() < 4 / 255


@pytest.mark.parametrize(
    "faults",
    [
        {"compressed": 1.0, "quality": (40, 40)},
        {"noisy": 1.0, "noise": 12.0},
        {"noisy": 1.0, "noise": 8.0, "compressed": 1.0, "quality": (60, 60)},
    ],
)
def test_photo_mends_what_the_others_sharpen(faults: dict[str, Any]) -> None:
    photo = to_tensor(read_image(PHOTO))[..., 60:316, 120:376]
    asked = PhotoFaults(**{"faulty": 1, "blurred": 0, "resized": 0, "noisy": 0, "compressed": 0} | faults)
    sums: dict[str, float] = {"bicubic": 0, "edsr-x2": 0, "photo-x2": 0}
    models = {name: Upscaler(name, 2, RunOptions(precision="exact", device="cpu")) for name in ("edsr-x2", "photo-x2")}
    for seed in range(4):
        small = with_faults(photo[0], 2, asked, torch.Generator().manual_seed(seed))[None]
        pictures = {"bicubic": bicubic_enlarge(small, 2)} | {name: one.enlarge(small) for name, one in models.items()}
        for name, picture in pictures.items():
            sums[name] += score(RGB, picture, photo, 2).psnr
    assert sums["photo-x2"] > sums["bicubic"] + 4 * 0.3
    assert sums["photo-x2"] > sums["edsr-x2"] + 4 * 0.3


def test_photo_leaves_flat_places_flat() -> None:
    flat = torch.tensor((0.9, 0.85, 0.8))[None, :, None, None]
    result = Upscaler("photo", 2, RunOptions(precision="exact", device="cpu")).enlarge(flat.expand(1, 3, 80, 80))
    inner = result[..., 64:96, 64:96]  # the network sees 31 pixels
    assert (inner - flat).abs().max() < 2 / 255
