"""A classifier that first finds how its picture lies, and straightens it.

Jaderberg, Simonyan, Zisserman and Kavukcuoglu, "Spatial transformer networks", NeurIPS 2015, arXiv:1506.02025, sections
3 and 4.1: a localisation net, a grid, a sampler, and a classifier after them, learnt from classes alone.
Differs from the paper: widths follow from the number of weights, so that networks with and without a transformer have
equally many; pictures of any size are taken, seen at one size, and straightened at their own.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple, TypeAlias

import torch
import torch.nn.functional as F
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from limner.config import Config
from limner.data.distorted import Distorted
from limner.loops.fit import FitConfig
from limner.loops.optimizers import OptimizerConfig, ScheduleConfig
from limner.loops.presets import modern_fit
from limner.ops.grids import Places, affine, projective, sampled, thin_plate, unit_points
from limner.ports import Port
from limner.types import Progress, Turn

Transformation: TypeAlias = Literal["none", "affine", "projective", "thin plate"]

_CONTROLS = (4, 4)  # points of the thin plate spline
_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601
_STARTS = {  # the identity, of which the last layer's bias begins
    "affine": torch.eye(3)[:2].flatten(),
    "projective": torch.eye(3).flatten()[:8],
    "thin plate": unit_points(_CONTROLS).flatten(),
}


class SpatialTransformerConfig(Config):
    """The classifier of section 4.1, and what straightens its pictures."""

    transformation: Transformation = Field("affine", description="what is found; none: the classifier alone")
    classifier: Literal["convolutional", "fully connected"] = Field(
        "convolutional", description="9x9, pool, 7x7, pool; or two hidden layers; the localisation net is of its kind"
    )
    kilo_parameters: int = Field(
        400, ge=1, description="thousands of weights of it all, about: the classifier takes what is left"
    )
    localisation: int = Field(20, ge=1, description="channels and units of the localisation net")
    side: int = Field(42, ge=28, description="that pictures are seen at, in pixels; the data tell")
    pool: int = Field(1, ge=1, description="by which what is straightened is shrunk: 2 where little of it is digit")
    num_classes: int = Field(10, ge=1, description="the data tell")

    @property
    def seen(self) -> int:
        """Side of what the classifier is given, in pixels."""
        return self.side if self.transformation == "none" else self.side // self.pool


SPATIAL_TRANSFORMER_2015 = SpatialTransformerConfig(pool=2)
MODERN = SpatialTransformerConfig(classifier="fully connected", pool=2, kilo_parameters=100, localisation=32)
"""Ours: a quarter of the weights, and a fifteenth of the multiplications."""

FIT_2015 = FitConfig(
    steps=150_000,
    batch_size=256,
    optimizer=OptimizerConfig(kind="sgd", learning_rate=0.01),
    schedule=ScheduleConfig(kind="step", every=1 / 3, factor=0.1),
)
FIT_MODERN = modern_fit(8000, 64, 2e-3, clip_norm=1.0).model_copy(
    update={"precision": "float32"}  # of places, half precision is a pixel of 256
)


class Straightened(NamedTuple):
    """What became of a picture.

    Attributes:
        image: (n, 3, h, w), of the picture's own size.
        scores: (n, classes), logits.
    """

    image: Tensor
    scores: Tensor


class SpatialTransformer(nn.Module):
    """A picture in, straightened, and the scores of its classes out."""

    needs_whole = True

    def __init__(self, config: SpatialTransformerConfig = SPATIAL_TRANSFORMER_2015) -> None:
        super().__init__()
        self.config = config
        self.localisation = None if config.transformation == "none" else _localisation(config)
        taken = 0 if self.localisation is None else sum(one.numel() for one in self.localisation.parameters())
        self.classifier = _classifier(config, classifier_width(config, 1000 * config.kilo_parameters - taken))

    @property
    def inputs(self) -> tuple[Port, ...]:
        """A picture, light on black."""
        return (Port("image", "photo"),)

    @property
    def outputs(self) -> tuple[Port, ...]:
        """The picture straightened, and a score for each class."""
        return (Port("straightened", "photo"), Port("scores", "score", self.config.num_classes))

    @property
    def players(self) -> Mapping[str, nn.Module]:
        """All of it learns together."""
        return {"network": self}

    def forward(self, image: Float[Tensor, "n 3 h w"]) -> Straightened:
        """In [0, 1] -> in [0, 1], black beyond its borders, and logits."""
        seen = self.seen(image)
        if self.localisation is None:
            return Straightened(image, self.classifier(seen))
        theta = self.found(seen)
        own = sampled(image, self.places(theta, (image.shape[-2], image.shape[-1])), "zeros")
        return Straightened(own, self.scores(seen, theta))

    def turns(self, batch: Distorted, progress: Progress) -> Iterator[Turn]:
        """Cross entropy of the classes: nothing tells how a picture lies."""
        gray = _gray(batch.image)
        theta = None if self.localisation is None else self.found(gray)
        yield Turn("network", {"classes": F.cross_entropy(self.scores(gray, theta).float(), batch.label)})

    def seen(self, image: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 1 s s"]:
        """Gray, at the size that the network sees."""
        side = (self.config.side, self.config.side)
        return F.interpolate(_gray(image), side, mode="bilinear", align_corners=False)

    def found(self, seen: Float[Tensor, "n 1 s s"]) -> Float[Tensor, "n k"]:
        """Theta of section 3.1: how a picture lies."""
        assert self.localisation is not None
        theta: Tensor = self.localisation(seen).float()
        return theta

    def places(self, theta: Float[Tensor, "n k"], size: tuple[int, int]) -> Places:
        """Where the pixels of a straightened picture of this size are in the picture as it lies (section 3.2)."""
        if self.config.transformation == "affine":
            return affine(theta.unflatten(1, (2, 3)), size, size)
        if self.config.transformation == "projective":
            return projective(F.pad(theta, [0, 1], value=1.0).unflatten(1, (3, 3)), size, size)
        return thin_plate(theta.unflatten(1, (-1, 2)), _CONTROLS, size, size)

    def scores(self, seen: Float[Tensor, "n 1 s s"], theta: Float[Tensor, "n k"] | None) -> Float[Tensor, "n classes"]:
        """Logits of what is seen once it is straightened."""
        if theta is not None:
            seen = sampled(seen, self.places(theta, (self.config.side, self.config.side)), "zeros")
            seen = F.avg_pool2d(seen, self.config.pool) if self.config.pool > 1 else seen
        logits: Tensor = self.classifier(seen)
        return logits


def _gray(image: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 1 h w"]:
    red, green, blue = image.split(1, 1)
    return _LUMA[0] * red + _LUMA[1] * green + _LUMA[2] * blue


def _localisation(config: SpatialTransformerConfig) -> nn.Sequential:
    """Two convolutions of 5x5 on half the size and a hidden layer, or three layers; it begins about the identity."""
    start, width = _STARTS[config.transformation], config.localisation
    last = nn.Linear(width, len(start))
    nn.init.normal_(last.weight, std=1e-2)
    last.bias = nn.Parameter(start.clone())
    if config.classifier == "fully connected":
        inner = (nn.Flatten(), nn.Linear(config.side**2, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU())
        return nn.Sequential(*inner, last)
    left = ((config.side // 2 - 4) // 2 - 4) ** 2
    return nn.Sequential(
        nn.AvgPool2d(2), nn.Conv2d(1, width, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(width, width, 5), nn.ReLU(),
        nn.Flatten(), nn.Linear(left * width, width), nn.ReLU(), last,
    )  # fmt: skip


def _classifier(config: SpatialTransformerConfig, width: int) -> nn.Sequential:
    if config.classifier == "fully connected":
        return nn.Sequential(
            nn.Flatten(), nn.Linear(config.seen**2, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(),
            nn.Linear(width, config.num_classes),
        )  # fmt: skip
    return nn.Sequential(
        nn.Conv2d(1, width, 9, padding=_padding(config)), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(width, width, 7, padding=_padding(config)), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(_left(config) ** 2 * width, config.num_classes),
    )  # fmt: skip


def _padding(config: SpatialTransformerConfig) -> int:
    """Nothing, as in the paper, but where a small picture would vanish."""
    return 0 if config.seen >= 28 else 3


def _left(config: SpatialTransformerConfig) -> int:
    """Side of the last map of the convolutions."""
    padding = 2 * _padding(config)
    return ((config.seen - 8 + padding) // 2 - 6 + padding) // 2


def classifier_width(config: SpatialTransformerConfig, parameters: int) -> int:
    """How many channels or units a classifier of so many weights has, at least one.

    >>> classifier_width(SpatialTransformerConfig(classifier="fully connected", side=28), 1_000_000)
    678
    """
    classes = config.num_classes
    square, line = (
        (1, config.seen**2 + 2 + classes)
        if config.classifier == "fully connected"
        else (49, 81 + 2 + _left(config) ** 2 * classes)
    )
    root = math.sqrt(line**2 + 4 * square * max(0, parameters - classes))
    return max(1, round((root - line) / (2 * square)))
