"""Faults of photos: the same seed gives the same picture, and each fault does what it says."""

import io
import math

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from limner.data.degrade import published_low_resolution
from limner.data.photo_faults import PHOTO_FAULTS, PhotoFaults, with_faults

NONE = PhotoFaults(faulty=1, blurred=0, resized=0, noisy=0, compressed=0)


def rng(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def smooth(height: int = 96, width: int = 128) -> Tensor:
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return torch.stack([0.5 + 0.4 * torch.sin(x / a + y / b) for a, b in ((9, 23), (31, 11), (17, 13))])


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_the_result_is_a_picture_of_8_bits_and_the_seed_decides_it(scale):
    image = smooth()[..., : 96 // scale * scale, : 128 // scale * scale]
    results = [with_faults(image, scale, PHOTO_FAULTS, rng(seed)) for seed in range(30)]
    for seed, result in enumerate(results):
        assert result.shape == (3, image.shape[1] // scale, image.shape[2] // scale)
        assert 0 <= result.min() <= result.max() <= 1
        torch.testing.assert_close(result * 255, (result * 255).round(), rtol=0, atol=1e-4)
        assert torch.equal(result, with_faults(image, scale, PHOTO_FAULTS, rng(seed)))
    assert len({result.numpy().tobytes() for result in results}) >= 28


def test_nothing_outside_is_touched():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    image = smooth()
    kept = image.clone()
    for seed in range(10):
        with_faults(image, 2, PHOTO_FAULTS, rng(seed))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(image, kept)


def test_without_faults_it_is_the_bicubic_low_resolution():
    faults = PhotoFaults(faulty=0)
    image = (smooth() * 255).round() / 255
    published = published_low_resolution((image * 255).to(torch.uint8), 2)
    ours = (with_faults(image, 2, faults, rng(0)) * 255).round()
    assert (ours - published)[:, 3:-3, 3:-3].abs().max() <= 1  # rounded once, not twice


def test_noise_has_its_deviation():
    """Of 100 pictures of flat gray, of deviations from 0 to 20 levels: their mean square is that of the range."""
    faults = NONE.model_copy(update={"noisy": 1.0, "noise": 20.0})
    flat = torch.full((3, 64, 64), 0.5)
    variances = [float(((with_faults(flat, 2, faults, rng(seed)) - 0.5) * 255).var()) for seed in range(300)]
    uniform = 20**2 / 3  # the mean of u^2 for u in [0, 20]
    expected = uniform * (1 + 1 + 0.5) / 3  # of light, at half of white, half the variance
    assert np.mean(variances) == pytest.approx(expected, rel=0.15)


def test_blur_takes_fine_detail_alone():
    faults = NONE.model_copy(update={"blurred": 1.0})
    noise = torch.rand(3, 64, 64, generator=rng(0))
    plain = with_faults(noise, 2, NONE, rng(1)).var()
    assert with_faults(noise, 2, faults, rng(1)).var() < 0.9 * plain
    assert (with_faults(smooth(), 2, faults, rng(1)) - with_faults(smooth(), 2, NONE, rng(1))).abs().mean() < 0.02


def test_a_picture_that_was_smaller_has_lost_detail_and_stays_in_place():
    faults = NONE.model_copy(update={"resized": 1.0, "least_size": 0.5})
    noise = torch.rand(3, 128, 128, generator=rng(0))
    variances = [float(with_faults(noise, 2, faults, rng(seed)).var()) for seed in range(20)]
    plain = [float(with_faults(noise, 2, NONE, rng(seed)).var()) for seed in range(20)]
    assert np.mean(variances) < 0.8 * np.mean(plain)
    assert (with_faults(smooth(), 2, faults, rng(3)) - with_faults(smooth(), 2, NONE, rng(3))).abs().mean() < 0.02


def test_jpeg_is_that_of_pillow_at_its_quality():
    faults = NONE.model_copy(update={"compressed": 1.0, "quality": (40, 40)})
    image = smooth()
    small = (with_faults(image, 2, PhotoFaults(faulty=0), rng(0)) * 255).byte().permute(1, 2, 0).numpy()
    expected = []
    for subsampling in ("4:4:4", "4:2:0"):
        file = io.BytesIO()
        Image.fromarray(small).save(file, "JPEG", quality=40, subsampling=subsampling)
        expected.append(np.array(Image.open(file)))
    got = [(with_faults(image, 2, faults, rng(seed)) * 255).round().permute(1, 2, 0).numpy() for seed in range(12)]
    near = [min(float(np.abs(one - jpeg).mean()) for jpeg in expected) for one in got]
    assert sorted(near)[3] < 0.6, "where the kernel that shrinks is the bicubic one"
    assert max(near) < 4


def test_how_often_faults_come():
    image = smooth(32, 32)
    clean = with_faults(image, 2, PhotoFaults(faulty=0), rng(0))
    kept = sum(torch.equal(with_faults(image, 2, PHOTO_FAULTS, rng(seed)), clean) for seed in range(400)) / 400
    assert math.isclose(kept, 0.1 + 0.9 * 0.4 * 0.8 * 0.4 * 0.25 / 3, abs_tol=0.06)
