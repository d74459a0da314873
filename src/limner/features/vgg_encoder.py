"""The embedded VGG-16 as a chain of modules that pads by reflection, for networks that begin with it.

What is decoded from its activations has no frame: at the border of a picture, zeros are an edge that every filter sees.
"""

from collections.abc import Collection

import torch
from torch import Tensor, nn

from limner.features.vgg16 import VGG, convolutions, layer_names, mean_responses


def vgg_encoder(last: str) -> nn.Sequential:
    """The layers of the embedded VGG-16 by their names, up to one such as `relu4_1`; RGB in [0, 1] in.

    Each filter is scaled to a mean response of 1 to photos, and the subtraction of the mean colour is part of the first
    convolution. The weights are buffers that no weight file holds: they come from the embedded file.

    Raises:
        LimnerError: If there is no such layer.
    """
    chain = nn.Sequential()
    with torch.device("cpu"):  # also for a system that is built without data, to be asked what it is
        vgg = VGG([last])
        vgg.normalize(mean_responses("max"))
        for step in vgg.steps:
            chain.add_module(step, _layer(vgg, step))
    return chain.eval()


def activations(encoder: nn.Sequential, image: Tensor, layers: Collection[str]) -> dict[str, Tensor]:
    """Those (n, c, h', w') of some layers of an encoder, for RGB (n, 3, h, w) in [0, 1]."""
    x, found = image, {}
    for name, layer in encoder.named_children():
        x = layer(x)
        if name in layers:
            found[name] = x
        if len(found) == len(layers):
            break
    return found


def _layer(vgg: VGG, step: str) -> nn.Module:
    if step.startswith("relu"):
        return nn.ReLU()
    if step.startswith("pool"):
        return nn.MaxPool2d(2)
    kernel, bias = getattr(vgg, f"weight{step[4:]}"), getattr(vgg, f"bias{step[4:]}")
    if step == "conv1_1":  # of (x - mean) / deviation
        kernel = kernel / vgg.deviation
        bias = bias - (kernel * vgg.mean).sum((1, 2, 3))
    return fixed_convolution(kernel, bias)


def vgg19_encoder(last: str) -> nn.Sequential:
    """The same of VGG-19, with fresh weights: those of its weight file, which holds them, take their place.

    They are buffers, for they are not trained.
    """
    chain = nn.Sequential()
    steps = layer_names(convolutions(19))
    shapes = {f"conv{one.name}": (one.out_channels, one.in_channels, 3, 3) for one in convolutions(19)}
    for step in steps[: steps.index(last) + 1]:
        if step.startswith("conv"):
            kernel = torch.randn(shapes[step]) * (2 / (9 * shapes[step][1])) ** 0.5
            chain.add_module(step, fixed_convolution(kernel, torch.zeros(len(kernel)), saved=True))
        else:
            chain.add_module(step, nn.ReLU() if step.startswith("relu") else nn.MaxPool2d(2))
    return chain.eval()


def fixed_convolution(kernel: Tensor, bias: Tensor, *, saved: bool = False) -> nn.Conv2d:
    """A 3x3 convolution with reflection padding, whose weights are not trained, nor saved but where it is said."""
    out_channels, in_channels, *_ = kernel.shape
    with torch.device("meta"):
        convolution = nn.Conv2d(in_channels, out_channels, 3, padding=1, padding_mode="reflect")
    for name, value in (("weight", kernel), ("bias", bias)):
        delattr(convolution, name)
        convolution.register_buffer(name, value.clone(), persistent=saved)
    return convolution
