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

_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601-7, section 2.5.1
_ROUNDING = 1e-5
_GRAY = 128 / 255  # Cb and Cr of what has no colour


def with_colors_of(content: Float[Tensor, "n 3 H W"], image: Image) -> Image:
    """The luminance of `image` with the colours of `content`."""
    colors = rgb_to_ycbcr(imresize(content, size=(image.shape[-2], image.shape[-1])).clamp(0, 1))[:, 1:]
    return ycbcr_to_rgb(torch.cat([rgb_to_ycbcr(image)[:, :1], colors], 1)).clamp(0, 1)


def in_gray(image: Tensor) -> Tensor:
    """The luminance alone, in three channels."""
    y = rgb_to_ycbcr(image)[:, :1]
    return ycbcr_to_rgb(torch.cat([y, torch.full_like(y, _GRAY), torch.full_like(y, _GRAY)], 1)).clamp(0, 1)


def has_no_color(image: Tensor) -> bool:
    """Whether the three channels of RGB are one, but for rounding."""
    return bool((image - image[..., :1, :, :]).abs().max() < _ROUNDING)


def luma_of(image: Tensor) -> Tensor:
    """BT.601 luma in three channels that are equal to the last bit, as a file of gray needs them.

    >>> [round(one, 3) for one in luma_of(torch.tensor([0.0, 1.0, 0.0])[None, :, None, None]).flatten().tolist()]
    [0.587, 0.587, 0.587]
    """
    weights = torch.tensor(_LUMA, dtype=image.dtype, device=image.device)
    return torch.einsum("nchw,c->nhw", image, weights)[:, None].expand_as(image).contiguous()


def like_luminance(style: Tensor, content: Tensor) -> Tensor:
    """The style in gray, with the mean and the deviation of the content's luminance (arXiv:1606.05897, equation 10)."""
    style, content = in_gray(style), in_gray(content)
    scale = content.std() / style.std().clamp(min=1e-3)
    return ((style - style.mean()) * scale + content.mean()).clamp(0, 1)
