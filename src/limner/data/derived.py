"""What pairs are made of where there are only photos: the same pictures as lines, gray, small, with holes or noisy.

Lines after Winnemoeller, Olsen and Gooch, "Real-time video abstraction", SIGGRAPH 2006, section 3.3: differences of
Gaussians. Holes after Yu et al., "Free-form image inpainting with gated convolution", ICCV 2019, arXiv:1806.03589,
section 3.4: strokes that turn at random, beside rectangles.
"""

import math
from typing import Literal, TypeAlias

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from limner.data.degrade import low_resolution
from limner.ops.resample import imresize

Derivation: TypeAlias = Literal["edges", "gray", "low-resolution", "mask-holes", "noise"]
"""How what goes in is made from a photo.

| name | what goes in | what is learnt |
|---|---|---|
| edges | (1, h, w), dark lines on white | drawing -> photo |
| gray | (1, h, w) | colours |
| low-resolution | (3, h, w), shrunk to a quarter and enlarged again | detail |
| mask-holes | (4, h, w), gray and transparent in holes | what holes hide |
| noise | (3, h, w) | the photo without it |
"""

CHANNELS: dict[Derivation, int] = {"edges": 1, "gray": 1, "low-resolution": 3, "mask-holes": 4, "noise": 3}
"""Of what is derived."""

SCALE = 4
"""By which low resolution is smaller."""
_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601-7, section 2.5.1
_FINE, _RATIO, _BALANCE, _SHARPNESS = 1.0, 1.6, 0.985, 60.0  # of lines: pixels, then as in equation 7 of the paper
_NOISE = 0.2  # largest deviation
_HOLE = 0.5  # the gray that stands in holes


def gray_of(image: Float[Tensor, "3 h w"]) -> Float[Tensor, "1 h w"]:
    """The luma of a picture.

    >>> gray_of(torch.ones(3, 1, 1))
    tensor([[[1.]]])
    """
    return torch.einsum("chw,c->hw", image, torch.tensor(_LUMA))[None]


def edges_of(image: Float[Tensor, "3 h w"]) -> Float[Tensor, "1 h w"]:
    """The lines of a picture in [0, 1]: about 0 on the dark side of an edge of any channel, 1 elsewhere."""
    channels = image.numpy()
    from scipy.ndimage import gaussian_filter  # imported here: every command would wait for it

    fine, coarse = (torch.from_numpy(gaussian_filter(channels, (0, *[_FINE * ratio] * 2))) for ratio in (1, _RATIO))
    difference = (fine - _BALANCE * coarse).amin(0, keepdim=True)
    return torch.where(difference > 0, 1.0, 1 + torch.tanh(_SHARPNESS * difference)).clamp(0, 1)


def small_and_back(image: Float[Tensor, "3 h w"]) -> Float[Tensor, "3 h w"]:
    """A quarter of the sides, and enlarged to them again, both bicubically."""
    small = low_resolution(image, SCALE).clamp(0, 1)
    return imresize(small[None], size=(image.shape[-2], image.shape[-1]))[0].clamp(0, 1)


def with_holes(image: Float[Tensor, "3 h w"], known: Float[Tensor, "1 h w"]) -> Float[Tensor, "4 h w"]:
    """Gray where nothing is known, and as a fourth channel where something is."""
    return torch.cat([image * known + _HOLE * (1 - known), known])


def drawn_holes(height: int, width: int, rng: torch.Generator) -> Bool[Tensor, "1 h w"]:
    """Where a picture is missing: up to two rectangles and up to four strokes, one of all at least."""
    places = torch.stack(torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij"), -1).float()
    rectangles, strokes = int(torch.randint(3, (), generator=rng)), int(torch.randint(1, 5, (), generator=rng))
    missing = torch.zeros(height, width, dtype=torch.bool)
    sides = torch.tensor([height, width])
    for _ in range(rectangles):
        size = sides * (0.1 + 0.3 * torch.rand(2, generator=rng))
        corner = (sides - size) * torch.rand(2, generator=rng)
        missing |= ((places >= corner) & (places < corner + size)).all(-1)
    for _ in range(strokes):
        missing |= _stroke(places, min(height, width), rng)
    return missing[None]


def _stroke(places: Tensor, side: int, rng: torch.Generator) -> Tensor:
    """The pixels near a line that turns a few times."""
    point = torch.tensor(places.shape[:2]) * torch.rand(2, generator=rng)
    turn = 2 * math.pi * float(torch.rand((), generator=rng))
    radius = side * (0.02 + 0.05 * float(torch.rand((), generator=rng)))
    near = torch.zeros(places.shape[:2], dtype=torch.bool)
    for _ in range(int(torch.randint(2, 7, (), generator=rng))):
        turn += 2 * (float(torch.rand((), generator=rng)) - 0.5)
        length = side * (0.08 + 0.15 * float(torch.rand((), generator=rng)))
        step = length * torch.tensor([math.sin(turn), math.cos(turn)])
        along = ((places - point) @ step / (step @ step)).clamp(0, 1)
        near |= (places - point - along[..., None] * step).square().sum(-1) < radius**2
        point = point + step
    return near


def derived(
    image: Float[Tensor, "3 h w"], derivation: Derivation, rng: torch.Generator | None = None
) -> Float[Tensor, "c h w"]:
    """What goes in, made from a picture in [0, 1].

    Args:
        image: The picture.
        derivation: How.
        rng: Of holes and of noise; None takes one of seed 0.
    """
    rng = rng or torch.Generator().manual_seed(0)
    if derivation == "edges":
        return edges_of(image)
    if derivation == "gray":
        return gray_of(image)
    if derivation == "low-resolution":
        return small_and_back(image)
    if derivation == "mask-holes":
        return with_holes(image, 1 - drawn_holes(image.shape[-2], image.shape[-1], rng).float())
    deviation = _NOISE * torch.rand((), generator=rng)
    return (image + deviation * torch.randn(image.shape, generator=rng)).clamp(0, 1)
