"""Taking the luminance alone from a painting or a style, and the colours from the photo.

Gatys, Bethge, Hertzmann and Shechtman, "Preserving color in neural artistic style transfer", 2016, arXiv:1606.05897,
section 3.2.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from limner.ops.color import rgb_to_ycbcr, ycbcr_to_rgb
from limner.ops.resample import imresize
from limner.types import Image

_GRAY = 128 / 255  # Cb and Cr of what has no colour


def with_colors_of(content: Float[Tensor, "n 3 H W"], image: Image) -> Image:
    """The luminance of `image` with the colours of `content`."""
    colors = rgb_to_ycbcr(imresize(content, size=(image.shape[-2], image.shape[-1])).clamp(0, 1))[:, 1:]
    return ycbcr_to_rgb(torch.cat([rgb_to_ycbcr(image)[:, :1], colors], 1)).clamp(0, 1)


def in_gray(image: Tensor) -> Tensor:
    """The luminance alone, in three channels."""
    y = rgb_to_ycbcr(image)[:, :1]
    return ycbcr_to_rgb(torch.cat([y, torch.full_like(y, _GRAY), torch.full_like(y, _GRAY)], 1)).clamp(0, 1)


def like_luminance(style: Tensor, content: Tensor) -> Tensor:
    """The style in gray, with the mean and the deviation of the content's luminance (arXiv:1606.05897, equation 10)."""
    style, content = in_gray(style), in_gray(content)
    scale = content.std() / style.std().clamp(min=1e-3)
    return ((style - style.mean()) * scale + content.mean()).clamp(0, 1)
