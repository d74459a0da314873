"""Layers of networks that paint in many styles: all share the convolutions, each has its own scales and shifts.

Conditional instance normalization: Dumoulin, Shlens and Kudlur, "A learned representation for artistic style", ICLR
2017, arXiv:1610.07629, section 2.2.
"""

from typing import TypeAlias

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

Mixture: TypeAlias = Float[Tensor, "n styles"]
"""How much of each style a picture gets."""


class StyleNorm(nn.Module):
    """Instance norm whose scale and shift are those of a style, or a mixture of several styles' (equation 5)."""

    def __init__(self, channels: int, num_styles: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(num_styles, channels))
        self.bias = nn.Parameter(torch.zeros(num_styles, channels))

    def forward(self, x: Tensor, mixture: Mixture | None) -> Tensor:
        """(n, c, h, w) -> (n, c, h, w); None is the first style."""
        scale, shift = (
            values[:1] if mixture is None else mixture.to(values.dtype) @ values for values in (self.weight, self.bias)
        )
        normal = F.instance_norm(x)
        return normal * scale[:, :, None, None].to(x.dtype) + shift[:, :, None, None].to(x.dtype)


def style_norm(channels: int, num_styles: int) -> nn.Module:
    """The norm of a network of so many styles: of one alone, plain instance norm, which is faster."""
    return nn.InstanceNorm2d(channels, affine=True) if num_styles == 1 else StyleNorm(channels, num_styles)


def mixed_weights(network: nn.Module, mixture: Float[Tensor, " styles"]) -> dict[str, Tensor]:
    """The weights of a network whose only style is a mixture of those of another.

    Args:
        network: Of several styles.
        mixture: How much of each; not all must add up to 1.
    """
    tensors = dict(network.state_dict())
    for name, module in network.named_modules():
        if isinstance(module, StyleNorm):
            for part in ("weight", "bias"):
                values = tensors[f"{name}.{part}"]
                tensors[f"{name}.{part}"] = mixture.to(values) @ values
    return tensors


class Layer(nn.Module):
    """Padding, convolution, norm and activation, as far as there are any."""

    def __init__(self, convolution: nn.Sequential, norm: nn.Module | None, activation: nn.Module | None) -> None:
        super().__init__()
        self.convolution, self.norm, self.activation = convolution, norm, activation

    def forward(self, x: Tensor, mixture: Mixture | None) -> Tensor:
        """(n, c, h, w) -> (n, k, h', w')."""
        x = self.convolution(x)
        if self.norm is not None:
            x = self.norm(x, mixture) if isinstance(self.norm, StyleNorm) else self.norm(x)
        return x if self.activation is None else self.activation(x)


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions beside the input, without a ReLU after the sum (Gross and Wilber's form).

    Valid convolutions take two pixels off each side; the input is cropped to that.
    """

    def __init__(self, first: Layer, second: Layer, crop: int) -> None:
        super().__init__()
        self.first, self.second, self.crop = first, second, crop

    def forward(self, x: Tensor, mixture: Mixture | None) -> Tensor:
        """(n, c, h, w) -> (n, c, h - 2 crop, w - 2 crop)."""
        kept = F.pad(x, (-self.crop,) * 4) if self.crop else x
        return kept + self.second(self.first(x, mixture), mixture)
