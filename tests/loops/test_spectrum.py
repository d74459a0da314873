"""A picture of Fourier coefficients is the sum of its waves, in the colours that it says."""

import math

import pytest
import torch

from limner.loops.optimize import OptimizeConfig, optimize
from limner.loops.spectrum import Spectrum


def planes_of(picture):
    """Undo the colours and the sigmoid."""
    return torch.einsum("cd,ndhw->nchw", picture.colours.inverse(), torch.logit(picture()))


@torch.no_grad()
@pytest.mark.parametrize("decay", [0.0, 1.0, 1.5])
def test_one_coefficient_is_one_wave_whose_size_falls_with_its_frequency(decay):
    height, width, row, column = 12, 16, 2, 3
    picture = Spectrum(height, width, decay=decay)
    picture.coefficients.zero_()
    picture.coefficients[0, 1, row, column, 0] = 0.5
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    wave = torch.cos(2 * math.pi * (row * y / height + column * x / width))
    frequency = math.hypot(row / height, column / width)
    expected = 2 * 0.5 * 0.25 / frequency**decay / math.sqrt(height * width) * wave  # with its conjugate
    planes = planes_of(picture)
    torch.testing.assert_close(planes[0, 1], expected, atol=1e-5, rtol=1e-4)
    assert planes[0, [0, 2]].abs().max() < 1e-5


def test_the_first_colour_is_brightness_and_the_others_sum_to_hardly_any():
    colours = Spectrum(4, 4).colours
    assert colours[:, 0].min() > 0.5
    assert (colours[:, 1:].sum(0).abs() < 0.05).all()
    assert colours.norm(dim=0).max().item() == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("size", [(8, 8), (9, 12), (12, 9), (7, 7)])
def test_it_begins_as_faint_noise_on_gray_of_any_size(size):
    picture = Spectrum(*size, generator=torch.Generator().manual_seed(3))
    image = picture()
    assert image.shape == (1, 3, *size)
    assert (image - 0.5).abs().max() < 0.1
    assert torch.equal(image, Spectrum(*size, generator=torch.Generator().manual_seed(3))())
    assert not torch.equal(image, Spectrum(*size, generator=torch.Generator().manual_seed(4))())


def test_it_reaches_a_picture():
    torch.manual_seed(0)
    target = torch.nn.functional.interpolate(0.2 + 0.6 * torch.rand(1, 3, 3, 3), (16, 20), mode="bicubic").clamp(
        0.1, 0.9
    )
    result = optimize(
        Spectrum(16, 20),
        lambda image: {"distance": (image - target).square().mean()},
        OptimizeConfig(steps=120, learning_rate=0.1),
    )
    assert (result.image - target).abs().max() < 0.03
