"""Luminance and chroma as MATLAB's image toolbox scales them (ITU-R BT.601), for pictures in [0, 1]."""

import torch
from jaxtyping import Float
from torch import Tensor

from limner.types import Image, Luminance

# MATLAB's rgb2ycbcr: Y, Cb, Cr of R, G, B in [0, 1], in units of 1 / 255, plus the offsets 16, 128, 128.
_RGB_TO_YCBCR = ((65.481, 128.553, 24.966), (-37.797, -74.203, 112.0), (112.0, -93.786, -18.214))
_OFFSET = (16.0, 128.0, 128.0)
_NOISE = 1e-6  # the variance of rounding to 8 bits


def _matrix(like: Tensor) -> tuple[Tensor, Tensor]:
    """Matrix and offset in float64, so that its inverse is exact, where the picture is."""
    matrix = torch.tensor(_RGB_TO_YCBCR, dtype=torch.float64) / 255
    offset = torch.tensor(_OFFSET, dtype=torch.float64) / 255
    return matrix.to(like.device), offset.to(like.device)


def _mix(image: Tensor, matrix: Tensor) -> Tensor:
    """The colour matrix (d, c) times every pixel: (n, c, h, w) -> (n, d, h, w)."""
    return torch.einsum("dc,nchw->ndhw", matrix.to(image), image)


def rgb_to_ycbcr(image: Image) -> Image:
    """RGB in [0, 1] -> Y in [16, 235] / 255, Cb and Cr in [16, 240] / 255.

    >>> rgb_to_ycbcr(torch.ones(1, 3, 1, 1)).flatten() * 255
    tensor([235., 128., 128.])
    """
    matrix, offset = _matrix(image)
    return _mix(image, matrix) + offset.to(image)[:, None, None]


def ycbcr_to_rgb(image: Image) -> Image:
    """The inverse of `rgb_to_ycbcr`; colours outside RGB are not clipped.

    >>> ycbcr_to_rgb(rgb_to_ycbcr(torch.full((1, 3, 1, 1), 0.25))).flatten()
    tensor([0.2500, 0.2500, 0.2500])
    """
    matrix, offset = _matrix(image)
    return _mix(image - offset.to(image)[:, None, None], matrix.inverse())


def luminance(image: Image) -> Luminance:
    """The Y of `rgb_to_ycbcr` alone, in [16, 235] / 255.

    >>> luminance(torch.zeros(1, 3, 1, 1)).item() * 255
    16.0
    """
    matrix, offset = _matrix(image)
    return _mix(image, matrix[:1]) + offset[0].to(image)


def match_colors(image: Float[Tensor, "1 3 h w"], like: Float[Tensor, "1 3 H W"]) -> Float[Tensor, "1 3 h w"]:
    """The picture with the mean colour and the covariance of colours of another; not clipped.

    Each pixel x becomes S^1/2 T^-1/2 (x - mean) + mean', with T the covariance of the picture and S that of the other:
    Gatys, Bethge, Hertzmann and Shechtman, "Preserving color in neural artistic style transfer", 2016,
    arXiv:1606.05897, section 3.1, with symmetric roots.

    >>> black_and_red = torch.tensor([[[[0.0, 1.0]], [[0.0, 0.0]], [[0.0, 0.0]]]])
    >>> match_colors(black_and_red, 0.5 * black_and_red)[0, 0].round(decimals=2)
    tensor([[0.0000, 0.5000]])
    """
    pixels, others = (one.double().flatten(2)[0] for one in (image, like))
    mean, wanted = pixels.mean(1, keepdim=True), others.mean(1, keepdim=True)
    turn = _root(torch.cov(others, correction=0), 0.5) @ _root(torch.cov(pixels, correction=0), -0.5)
    return (turn @ (pixels - mean) + wanted).to(image.dtype).unflatten(1, image.shape[-2:])[None]


def _root(covariance: Tensor, power: float) -> Tensor:
    """A power of a symmetric matrix; directions in which nothing varies are as those of a faint noise."""
    values, vectors = torch.linalg.eigh(covariance)
    return (vectors * values.clamp(min=_NOISE).pow(power)) @ vectors.mT


def shown_photo(image: Float[Tensor, "n c h w"]) -> Float[Tensor, "n 3 h w"]:
    """A photo of any number of channels as RGB: the first three, or the first one as gray."""
    return image[:, :3] if image.shape[1] >= 3 else image[:, :1].expand(-1, 3, -1, -1)
