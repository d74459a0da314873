"""Changes of pictures, each made with a probability, for the discriminator of a game on few pictures.

Karras, Aittala, Hellsten, Laine, Lehtinen and Aila, "Training generative adversarial networks with limited data",
NeurIPS 2020, arXiv:2006.06676, section 2.2 and appendix B: moves of whole pixels, geometry and colours; changes of
frequencies and noise gained nothing there and are left out.
Differs from the paper: what lies between pixels is bilinear, without a filter before.
"""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

_SHIFT = 1 / 8  # of the side, at most by whole pixels, and the deviation between pixels
_SCALE = 0.2  # deviation of its logarithm to base 2
_BRIGHTNESS = 0.2  # deviation
_CONTRAST, _SATURATION = 0.5, 1.0  # deviations of their logarithms to base 2


def random_changes(image: Float[Tensor, "n c h w"], probability: float) -> Float[Tensor, "n c h w"]:
    """Make each change of each picture with this probability, by torch's global random numbers.

    Args:
        image: About [-1, 1], square, of one channel or three.
        probability: In [0, 1]; 0 leaves the pictures.
    """
    if not probability:
        return image
    placed = _placed(image, _turned_pixels(image, probability) @ _geometry(image, probability))
    return _coloured(placed, probability)


def _placed(image: Tensor, where: Float[Tensor, "n 3 3"]) -> Tensor:
    """Pixels from where the matrices send their own places, in [-1, 1]; mirrored at the borders."""
    grid = F.affine_grid(where[:, :2].to(image.dtype), list(image.shape), align_corners=False)
    return F.grid_sample(image, grid, mode="bilinear", padding_mode="reflection", align_corners=False)


def _turned_pixels(image: Tensor, probability: float) -> Float[Tensor, "n 3 3"]:
    """Mirrored, turned by quarters, moved by whole pixels."""
    number, side = len(image), image.shape[-1]
    mirrored = 1 - 2 * (_where(number, probability) & _where(number, 0.5)).float()
    quarters = torch.randint(4, (number,)) * _where(number, probability)
    most = round(side * _SHIFT)
    moved = torch.randint(-most, most + 1, (number, 2)).T * _where(number, probability) * (2 / side)
    return _scaling(mirrored, torch.ones(number)) @ _turn(math.pi / 2 * quarters) @ _shift(moved[0], moved[1])


def _geometry(image: Tensor, probability: float) -> Float[Tensor, "n 3 3"]:
    """Larger or smaller, turned, stretched, turned again, moved; a picture is turned at all with the probability."""
    number, half = len(image), 1 - math.sqrt(1 - probability)
    zoom, stretch = (2 ** (_SCALE * _normal(number, probability)) for _ in range(2))
    first, second = (2 * math.pi * (torch.rand(number) - 0.5) * _where(number, half) for _ in range(2))
    right, down = 2 * _SHIFT * torch.randn(number, 2).T * _where(number, probability)
    turned = _turn(first) @ _scaling(stretch, 1 / stretch) @ _turn(second)
    return _scaling(zoom, zoom) @ turned @ _shift(right, down)


def _coloured(image: Tensor, probability: float) -> Tensor:
    """Brighter, of more contrast, with luma turned over, with other hues, more or less saturated."""
    number = len(image)
    bright = _BRIGHTNESS * _normal(number, probability)
    contrast = 2 ** (_CONTRAST * _normal(number, probability))
    if image.shape[1] == 1:
        return image * _like(contrast, image) + _like(bright * contrast, image)
    gray = torch.full((3, 3), 1 / 3)
    over = (_where(number, probability) & _where(number, 0.5)).float()[:, None, None]
    angle = 2 * math.pi * (torch.rand(number) - 0.5) * _where(number, probability)
    saturation = 2 ** (_SATURATION * _normal(number, probability))[:, None, None]
    colours = gray + saturation * (torch.eye(3) - gray)
    matrix = colours @ _hue(angle) @ (torch.eye(3) - 2 * over * gray) * contrast[:, None, None]
    shifted = image + _like(bright, image)
    return torch.einsum("nab,nbhw->nahw", matrix.to(image), shifted)


def _hue(angle: Float[Tensor, " n"]) -> Float[Tensor, "n 3 3"]:
    """A turn about the gray axis (Rodrigues' formula)."""
    across = torch.tensor([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / math.sqrt(3)
    gray, cosine, sine = torch.full((3, 3), 1 / 3), angle.cos()[:, None, None], angle.sin()[:, None, None]
    return cosine * torch.eye(3) + (1 - cosine) * gray + sine * across


def _where(number: int, probability: float) -> Tensor:
    return torch.rand(number) < probability


def _normal(number: int, probability: float) -> Float[Tensor, " n"]:
    """Standard normal with the probability, else 0."""
    return torch.randn(number) * _where(number, probability)


def _like(values: Float[Tensor, " n"], image: Tensor) -> Tensor:
    return values.to(image)[:, None, None, None]


def _matrix(rows: list[list[Tensor]]) -> Float[Tensor, "n 3 3"]:
    zero, one = torch.zeros_like(rows[0][0]), torch.ones_like(rows[0][0])
    return torch.stack([torch.stack(row, -1) for row in (*rows, [zero, zero, one])], -2)


def _scaling(x: Float[Tensor, " n"], y: Float[Tensor, " n"]) -> Float[Tensor, "n 3 3"]:
    zero = torch.zeros_like(x)
    return _matrix([[x, zero, zero], [zero, y, zero]])


def _turn(angle: Float[Tensor, " n"]) -> Float[Tensor, "n 3 3"]:
    zero, cosine, sine = torch.zeros_like(angle), angle.cos(), angle.sin()
    return _matrix([[cosine, -sine, zero], [sine, cosine, zero]])


def _shift(right: Float[Tensor, " n"], down: Float[Tensor, " n"]) -> Float[Tensor, "n 3 3"]:
    zero, one = torch.zeros_like(right), torch.ones_like(right)
    return _matrix([[one, zero, right], [zero, one, down]])
