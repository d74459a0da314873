"""The networks are those that are published: their sizes, and layers in the papers' order."""

import pytest
import torch
from benchmarks.runtime.architectures import AdaINNet, JohnsonNet, ResNetGenerator, UNet, UNet256
from torch import nn


@pytest.mark.parametrize(
    ("network", "weights"),
    [
        (JohnsonNet, 1_679_235),  # PyTorch's example fast_neural_style
        (ResNetGenerator, 11_378_179),  # printed by the authors' program: 11.378 M
        (UNet256, 54_413_955),  # printed by the authors' program: 54.414 M
        (UNet, 31_037_698),  # the widely used port: 31.0 M
        # VGG-19 to conv4_1, a 1x1 convolution of 3 channels, and a decoder that mirrors all but the former
        (AdaINNet, 3_505_728 + 12 + 3_505_219),
    ],
)
def test_number_of_weights(network, weights):
    with torch.device("meta"):
        assert sum(parameter.numel() for parameter in network().parameters()) == weights


def convolutions(network: nn.Module) -> list[tuple[int, int, int, int]]:
    return [
        (module.in_channels, module.out_channels, module.kernel_size[0], module.stride[0])
        for module in network.modules()
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d)
    ]


def test_johnson_is_the_table_of_the_paper():
    residual = [(128, 128, 3, 1)] * 10
    down = [(3, 32, 9, 1), (32, 64, 3, 2), (64, 128, 3, 2)]
    assert convolutions(JohnsonNet()) == [*down, *residual, (128, 64, 3, 1), (64, 32, 3, 1), (32, 3, 9, 1)]


def test_pix2pix_is_c64_to_c512_and_back():
    found = convolutions(UNet256())
    down, up = found[:8], found[8:]
    assert [width for _, width, _, _ in down] == [64, 128, 256, 512, 512, 512, 512, 512]
    assert [width for _, width, _, _ in up] == [512, 512, 512, 512, 256, 128, 64, 3]
    assert [width for width, _, _, _ in up] == [512, 1024, 1024, 1024, 1024, 512, 256, 128]
    assert all((kernel, stride) == (4, 2) for _, _, kernel, stride in found)


@pytest.mark.parametrize(
    ("network", "side", "channels"),
    [(JohnsonNet, 16, 3), (ResNetGenerator, 16, 3), (UNet256, 256, 3), (UNet, 32, 2), (AdaINNet, 32, 3)],
)
def test_the_result_is_as_large_as_the_picture(network, side, channels):
    with torch.device("meta"):
        assert network().eval()(torch.empty(1, 3, side, side)).shape == (1, channels, side, side)


def test_the_style_is_that_of_the_picture():
    network = AdaINNet().eval()
    style, content = torch.rand(2, 1, 3, 32, 32)
    network.take_style(style)
    given = []
    network.decoder.register_forward_pre_hook(lambda _, inputs: given.append(inputs[0]))
    with torch.no_grad():
        network(content)
        wanted = network.encoder(style)
    assert torch.allclose(given[0].mean((2, 3)), wanted.mean((2, 3)), atol=1e-4)
