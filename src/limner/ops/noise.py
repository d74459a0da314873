"""Noise by place: what is drawn for a pixel depends on the pixel and a seed, not on the part that is asked for.

So a picture that is worked on in parts gets the noise of the whole picture, and one of another size the same noise.
"""

from functools import lru_cache
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

_BLOCK = 256  # pixels of the sides of what one generator draws
_KEPT = 16  # of these, for the next photo or frame: a dozen megabytes


def noise_at(
    top: int,
    left: int,
    height: int,
    width: int,
    *,
    channels: int = 3,
    kind: Literal["normal", "uniform"] = "normal",
    seed: int = 0,
) -> Float[Tensor, "1 c h w"]:
    """The noise of a part of an endless plane.

    The plane is cut into squares of 256 pixels, and each is drawn by a generator of its own, seeded by the seed and
    the square's place: nothing repeats.

    Args:
        top: First row of the part, in pixels; at least 0.
        left: First column; at least 0.
        height: Rows of the part.
        width: Columns of the part.
        channels: Values of a pixel.
        kind: `normal` of mean 0 and deviation 1, or `uniform` in [0, 1).
        seed: At least 0.

    >>> whole = noise_at(0, 0, 300, 400)
    >>> torch.equal(noise_at(200, 250, 100, 10), whole[..., 200:, 250:260])
    True
    """
    noise = torch.empty(1, channels, height, width)
    for row in range(top // _BLOCK, -(-(top + height) // _BLOCK)):
        for column in range(left // _BLOCK, -(-(left + width) // _BLOCK)):
            block = _block((seed, row, column), channels, kind)
            down, in_down = _overlap(row, top, height)
            across, in_across = _overlap(column, left, width)
            noise[..., down, across] = block[:, in_down, in_across]
    return noise


@lru_cache(_KEPT)
def _block(key: tuple[int, int, int], channels: int, kind: Literal["normal", "uniform"]) -> Float[Tensor, "c h w"]:
    rng, shape = np.random.default_rng(key), (channels, _BLOCK, _BLOCK)
    drawn = rng.random(shape, np.float32) if kind == "uniform" else rng.standard_normal(shape, np.float32)
    return torch.from_numpy(drawn)


def _overlap(number: int, start: int, length: int) -> tuple[slice, slice]:
    """Of a block and a part, along one axis: where they meet in the part, and where in the block."""
    first, last = max(start, number * _BLOCK), min(start + length, (number + 1) * _BLOCK)
    return slice(first - start, last - start), slice(first - number * _BLOCK, last - number * _BLOCK)
