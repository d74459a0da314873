"""The discriminator that judges patches, and how it and the generators that it plays against begin.

Isola, Zhu, Zhou and Efros, "Image-to-image translation with conditional adversarial networks", CVPR 2017,
arXiv:1611.07004, appendix 6.1.2.
"""

import itertools
from collections.abc import Callable

from torch import nn

MOST = 8
"""Times the channels of the first layer, in its discriminator and in its U-Net."""


def patch_gan(
    in_channels: int, base_channels: int, num_layers: int, norm: Callable[[int], nn.Module], *, bias: bool
) -> nn.Sequential:
    """(n, c, h, w) -> logits (n, 1, h', w'), each of a patch: of 70x70 pixels by three layers.

    Args:
        in_channels: c.
        base_channels: Of the first layer; they double up to eight times as many.
        num_layers: Between first and last.
        norm: From channels to the norm of these layers.
        bias: Whether these layers have one, which a norm that follows takes away again.
    """
    widths = [base_channels * min(2**number, MOST) for number in range(num_layers + 1)]
    layers: list[nn.Module] = [nn.Conv2d(in_channels, widths[0], 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
    for number, (before, after) in enumerate(itertools.pairwise(widths), start=1):
        stride = 1 if number == num_layers else 2
        convolution = nn.Conv2d(before, after, 4, stride=stride, padding=1, bias=bias)
        layers.append(nn.Sequential(convolution, norm(after), nn.LeakyReLU(0.2)))
    return nn.Sequential(*layers, nn.Conv2d(widths[-1], 1, 4, padding=1))


def begin_small(module: nn.Module) -> None:
    """Weights from N(0, 0.02), of norms from N(1, 0.02), biases 0 (appendix 6.2); for `nn.Module.apply`."""
    norms = nn.BatchNorm2d | nn.InstanceNorm2d
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | norms) and module.weight is not None:
        nn.init.normal_(module.weight, float(isinstance(module, norms)), 0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
