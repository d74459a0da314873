"""Small pictures with a class each, turned, moved, seen aslant, bent or among scraps: what a transformer is to undo.

Jaderberg et al. 2015, arXiv:1506.02025, section 4.1: distorted digits. Each picture is distorted `copies` times when it
is loaded, so that drawing one costs nothing.
"""

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from pydantic import Field
from torch import Tensor

from limner.data.labelled import LabelledConfig, LabelledPictures
from limner.ops.grids import affine_places, projective, sampled, thin_plate, unit_points
from limner.types import Image

Distortion: TypeAlias = Literal["rotation", "similarity", "projective", "elastic", "clutter"]
"""
| name | what is drawn for each picture |
|---|---|
| rotation | by up to 90 degrees either way |
| similarity | a turn by up to 45 degrees, a scale of 0.7 to 1.2, a place anywhere on the canvas |
| projective | a scale of 0.75 to 1, then each corner is moved, by 5 pixels' deviation |
| elastic | a thin plate spline whose 4x4 points are moved, by 1.5 pixels' deviation |
| clutter | a place anywhere, among 16 scraps of 6x6 pixels of other pictures |
"""

DISTORTIONS: tuple[Distortion, ...] = get_args(Distortion)

_MOST_TURN = {"rotation": 90.0, "similarity": 45.0}  # degrees
_SCALES = {"similarity": (0.7, 1.2), "projective": (0.75, 1.0)}
_CORNERS = 5.0  # pixels of deviation
_POINTS, _BEND = (4, 4), 1.5  # control points, and pixels of deviation
_SCRAPS, _SCRAP = 16, 6
_AT_ONCE = 5000
_COLUMNS = 12

_Pictures: TypeAlias = Float[Tensor, "n c h w"]


class Distorted(NamedTuple):
    """A batch of distorted pictures, in [0, 1], and their classes."""

    image: Float[Tensor, "n 3 h w"]
    label: Int[Tensor, " n"]

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        """What the system's forward pass is given."""
        return (self.image,)


class DistortedPictures:
    """Pictures that were distorted before, with their classes."""

    def __init__(self, images: Tensor, labels: Tensor) -> None:
        """Take uint8 (n, c, h, w) and int64 (n,)."""
        self.images, self.labels = images, labels

    def __len__(self) -> int:
        """Pictures, each distortion of one counted."""
        return len(self.images)

    def draw(self, index: int, rng: torch.Generator) -> Distorted:
        """One picture (3, h, w) in [0, 1] and its class, a scalar."""
        return Distorted((self.images[index] / 255).expand(3, -1, -1), self.labels[index])

    def sheet(self, run: Callable[[Tensor], Any]) -> Image:
        """A picture (1, 3, h, w): distorted ones, and below each what `run` makes of it."""
        some = torch.linspace(0, len(self) - 1, min(_COLUMNS, len(self))).round().long()
        image = (self.images[some] / 255).expand(-1, 3, -1, -1)
        straightened = run(image)[0]
        return torch.cat([torch.cat(list(row), -1) for row in (image, straightened)], -2)[None].clamp(0, 1)


class DistortedConfig(LabelledConfig):
    """What pictures are, and how they are distorted."""

    distortion: Distortion = Field("similarity", description="what is done to them")
    canvas: int = Field(42, ge=8, description="side of what they are distorted on, in pixels")
    copies: int = Field(10, ge=1, description="distortions of each picture")
    seed: int = Field(0, ge=0, description="of the distortions")

    def facts(self, place: Path) -> Mapping[str, Any]:
        """How many classes there are, and the side of the canvas."""
        return {"num_classes": int(self.found(place).labels.max()) + 1, "side": self.canvas}

    def load(self, place: Path, *, memory: int | None = None) -> DistortedPictures:  # type: ignore[override]
        """All pictures, in memory.

        Raises:
            LimnerError: If there are none, or they cannot be read.
        """
        return self.distorted(super().load(place, memory=memory))

    def distorted(self, pictures: LabelledPictures) -> DistortedPictures:
        """Each picture `copies` times, all copies of one after all of the copies before."""
        rng = torch.Generator().manual_seed(self.seed)
        made = [
            (255 * distorted(some.float() / 255, self.distortion, self.canvas, rng)).round().to(torch.uint8)
            for _ in range(self.copies)
            for some in pictures.images.split(_AT_ONCE)
        ]
        return DistortedPictures(torch.cat(made), pictures.labels.repeat(self.copies))


def distorted(images: _Pictures, distortion: Distortion, canvas: int, rng: torch.Generator) -> Float[Tensor, "n c s s"]:
    """Each picture distorted in its own way, on a black square.

    Args:
        images: In [0, 1], light on black.
        distortion: What is done.
        canvas: Side of the square, in pixels.
        rng: Draws it.
    """
    if distortion == "clutter":
        return _among_scraps(images, canvas, rng)
    side = images.shape[-1]
    if distortion == "elastic":
        own = unit_points(_POINTS)[None] + 2 * _BEND / (canvas - 1) * torch.randn(len(images), 16, 2, generator=rng)
        places = thin_plate(own, _POINTS, (canvas, canvas), (canvas, canvas)) - (canvas - side) / 2
        return sampled(images, places, "zeros")
    if distortion == "projective":
        places = projective(_seen_aslant(len(images), canvas, rng), (canvas, canvas), (canvas, canvas))
        return sampled(images, places - (canvas - side) / 2, "zeros").nan_to_num(0)
    return sampled(images, affine_places(_turned(images, distortion, canvas, rng), (canvas, canvas)), "zeros")


def _turned(images: Tensor, distortion: Distortion, canvas: int, rng: torch.Generator) -> Float[Tensor, "n 2 3"]:
    """From pixels of the canvas to those of the picture."""
    number, side = len(images), images.shape[-1]
    angle = math.radians(_MOST_TURN[distortion]) * _either_way(rng, number)
    scale = _between(_SCALES.get(distortion, (1.0, 1.0)), rng, number)
    free = max(0.0, (canvas - side) / 2) if distortion == "similarity" else 0.0
    cosine, sine = angle.cos() / scale, angle.sin() / scale
    turn = torch.stack([cosine, -sine, sine, cosine], 1).view(-1, 2, 2)
    middle = (canvas - 1) / 2 + free * _either_way(rng, number, 2)
    return torch.cat([turn, (side - 1) / 2 - turn @ middle[:, :, None]], 2)


def _seen_aslant(number: int, canvas: int, rng: torch.Generator) -> Float[Tensor, "n 3 3"]:
    """From the canvas, whose corners are moved, to itself; normalised."""
    corners = unit_points((2, 2)).expand(number, 4, 2)
    scale = _between(_SCALES["projective"], rng, number)[:, None, None]
    return homography(scale * corners + 2 * _CORNERS / (canvas - 1) * torch.randn(number, 4, 2, generator=rng), corners)


def homography(first: Float[Tensor, "n 4 2"], second: Float[Tensor, "n 4 2"]) -> Float[Tensor, "n 3 3"]:
    """The projective map that takes four points to four others; its last number is 1."""
    one, nothing = torch.ones_like(first[..., :1]), torch.zeros_like(first)
    flat = torch.cat([first, one], 2)
    x = torch.cat([flat, nothing, nothing[..., :1], -first * second[..., :1]], 2)
    y = torch.cat([nothing, nothing[..., :1], flat, -first * second[..., 1:]], 2)
    found = torch.linalg.solve(torch.cat([x, y], 1), torch.cat([second[..., 0], second[..., 1]], 1))
    return F.pad(found, [0, 1], value=1.0).view(-1, 3, 3)


def _among_scraps(images: Tensor, canvas: int, rng: torch.Generator) -> Tensor:
    number, channels, side, _ = images.shape
    made = images.new_zeros(number, channels, canvas, canvas)
    _pasted(made, images, *_corners(canvas - side + 1, rng, number))
    for _ in range(_SCRAPS):
        others = images[torch.randint(number, (number,), generator=rng)]
        scraps = _cut(others, *_corners(side - _SCRAP + 1, rng, number))
        _pasted(made, scraps, *_corners(canvas - _SCRAP + 1, rng, number))
    return made


def _corners(most: int, rng: torch.Generator, number: int) -> tuple[Tensor, Tensor]:
    return tuple(torch.randint(most, (number, 1, 1), generator=rng) for _ in range(2))  # type: ignore[return-value]


def _cut(images: Tensor, top: Tensor, left: Tensor) -> Tensor:
    """A scrap of each picture (n, c, 6, 6)."""
    each, steps = torch.arange(len(images))[:, None, None], torch.arange(_SCRAP)
    return images[each, :, top + steps[:, None], left + steps].permute(0, 3, 1, 2)


def _pasted(made: Tensor, parts: Tensor, top: Tensor, left: Tensor) -> None:
    """Write parts into pictures; what is lighter stays."""
    each, steps = torch.arange(len(made))[:, None, None], torch.arange(parts.shape[-1])
    rows, columns = top + steps[:, None], left + steps
    made[each, :, rows, columns] = torch.maximum(made[each, :, rows, columns], parts.permute(0, 2, 3, 1))


def _either_way(rng: torch.Generator, *shape: int) -> Tensor:
    return 2 * torch.rand(shape, generator=rng) - 1


def _between(ends: tuple[float, float], rng: torch.Generator, number: int) -> Float[Tensor, " n"]:
    return ends[0] + (ends[1] - ends[0]) * torch.rand(number, generator=rng)
