"""The palette of a picture: means and covariance of its colours before a sigmoid, and giving it to another one."""

import torch
from jaxtyping import Float
from torch import Tensor

from limner.types import Image

NUMBERS = 9
"""Of a palette: three means, and the six entries of the root of a covariance."""

_DARKEST = 0.02  # colours nearer to 0 or 1 are taken as this near
_OWN = 0.02  # of what is painted, added to its variances: noise is not made a colour
_NOTHING = 1e-6
_AXES = (
    torch.tensor([[1.0, 1.0, 1.0], [1.0, -1.0, 0.0], [1.0, 1.0, -2.0]]) / torch.tensor([3.0, 2.0, 6.0])[:, None].sqrt()
)
"""Light, red against green, both against blue."""


def color_logits(image: Image) -> Tensor:
    """What a sigmoid makes the colours of, those near 0 and 1 left out: (n, 3, h, w)."""
    values = image.clamp(_DARKEST, 1 - _DARKEST)
    return values.log() - (1 - values).log()


def palette(image: Image) -> Float[Tensor, "n 9"]:
    """That of pictures."""
    means, roots = _palette_of(color_logits(image), _NOTHING)
    return torch.cat([*means, *roots], 1).flatten(1)


def with_palette(logits: Tensor, wanted: Float[Tensor, "n 9"]) -> Tensor:
    """Logits (n, 3, h, w) whose colours have the wanted means and covariance, by a linear map of each pixel.

    By roots L of covariances, lower triangles on axes of which the first is light: L_wanted L_own^-1 (x - mean).
    """
    logits = logits.float()  # half precision has no digits for variances
    means, (a, b, c, d, e, f) = _palette_of(logits, _OWN)
    light, red, blue = (one - mean for one, mean in zip(_on_axes(logits), means, strict=True))
    light = light / a
    red = (red - b * light) / c
    blue = (blue - d * light - e * red) / f
    first, second, third, a, b, c, d, e, f = (wanted[:, k : k + 1, None, None] for k in range(NUMBERS))
    turned = (first + a * light, second + b * light + c * red, third + d * light + e * red + f * blue)
    return torch.cat(
        [sum(share * one for share, one in zip(axis, turned, strict=True)) for axis in _AXES.T.tolist()], 1
    )


def _on_axes(logits: Tensor) -> list[Tensor]:
    channels = [logits[:, k : k + 1] for k in range(3)]
    return [sum(share * one for share, one in zip(axis, channels, strict=True)) for axis in _AXES.tolist()]


def _palette_of(logits: Tensor, epsilon: float) -> tuple[list[Tensor], list[Tensor]]:
    """Three means, and the Cholesky root of the covariance row by row, each (n, 1, 1, 1)."""
    x, y, z = axes = _on_axes(logits)
    means = [one.mean((2, 3), keepdim=True) for one in axes]
    products = [(x, x), (x, y), (y, y), (x, z), (y, z), (z, z)]
    pairs = [(0, 0), (0, 1), (1, 1), (0, 2), (1, 2), (2, 2)]
    xx, xy, yy, xz, yz, zz = (
        (one * other).mean((2, 3), keepdim=True) - means[i] * means[j] + (epsilon if i == j else 0)
        for (one, other), (i, j) in zip(products, pairs, strict=True)
    )
    a = xx.clamp(min=_NOTHING).sqrt()
    b, d = xy / a, xz / a
    c = (yy - b * b).clamp(min=_NOTHING).sqrt()
    e = (yz - d * b) / c
    f = (zz - d * d - e * e).clamp(min=_NOTHING).sqrt()
    return means, [a, b, c, d, e, f]
