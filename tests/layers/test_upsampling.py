"""Each operator by its definition."""

from typing import get_args

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from limner.layers.upsampling import Operator, upsampling


@pytest.mark.parametrize("operator", get_args(Operator))
def test_all_make_a_map_twice_as_large_and_learn(operator: Operator) -> None:
    layer = upsampling(operator, 6, 3)
    made = layer(torch.rand(2, 6, 5, 7))
    assert made.shape == (2, 3, 10, 14)
    made.square().sum().backward()
    assert all(one.grad is not None and one.grad.any() for one in layer.parameters())


def test_the_transposed_convolution_by_loops() -> None:
    layer = upsampling("transposed", 3, 2)
    assert isinstance(layer, nn.ConvTranspose2d)
    x = torch.rand(1, 3, 4, 5)
    expected = layer.bias.detach().view(1, 2, 1, 1).repeat(1, 1, 8, 10)  # type: ignore[union-attr]
    for y in range(4):
        for column in range(5):
            patch = torch.einsum("nc,cdyx->ndyx", x[:, :, y, column], layer.weight.detach())
            expected[:, :, 2 * y : 2 * y + 2, 2 * column : 2 * column + 2] += patch
    torch.testing.assert_close(layer(x), expected)


def _weights(operator: Operator) -> tuple[nn.Module, nn.Conv2d]:
    layer = upsampling(operator, 2, 3)
    (convolution,) = (one for one in layer.modules() if isinstance(one, nn.Conv2d))
    return layer, convolution


@pytest.mark.parametrize(("operator", "side"), [("nearest", 1), ("resize", 3)])
def test_each_value_four_times_and_then_a_convolution(operator: Operator, side: int) -> None:
    layer, convolution = _weights(operator)
    x = torch.rand(1, 2, 4, 4)
    larger = torch.kron(x, torch.ones(1, 1, 2, 2))
    assert convolution.kernel_size == (side, side)
    torch.testing.assert_close(layer(x), convolution(larger))


def test_bilinear_lies_between_the_middles_of_pixels() -> None:
    layer, convolution = _weights("bilinear")
    with torch.no_grad():
        convolution.weight.zero_()
        convolution.weight[:, 0] = 1
        convolution.bias.zero_()  # type: ignore[union-attr]
    x = torch.tensor([[[[0.0, 4]], [[9, 9]]]])
    torch.testing.assert_close(layer(x)[0, 0, 0], torch.tensor([0.0, 1, 3, 4]))


def test_nails_and_then_a_convolution() -> None:
    layer, convolution = _weights("bed_of_nails")
    x = torch.rand(1, 2, 3, 3)
    nails = torch.zeros(1, 2, 6, 6)
    nails[..., ::2, ::2] = x
    torch.testing.assert_close(layer(x), convolution(nails))


def test_sub_pixels_are_channels_laid_side_by_side() -> None:
    layer, convolution = _weights("sub_pixel")
    x = torch.rand(1, 2, 3, 4)
    channels, made = convolution(x), layer(x)
    for down in (0, 1):
        for across in (0, 1):
            torch.testing.assert_close(made[:, :, down::2, across::2], channels[:, 2 * down + across :: 4])
    assert F.interpolate(x, scale_factor=2).shape[-2:] == made.shape[-2:]
