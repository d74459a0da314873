"""Style transfer: a picture with the content of one picture and the Gram matrices of others.

Gatys, Ecker and Bethge, "Image style transfer using convolutional neural networks", CVPR 2016, arXiv:1508.06576.
Regions: Gatys, Ecker, Bethge, Hertzmann and Shechtman, "Controlling perceptual factors in neural style transfer",
CVPR 2017, arXiv:1611.07865. Colours: Gatys, Bethge, Hertzmann and Shechtman, "Preserving color in neural artistic style
transfer", 2016, arXiv:1606.05897.

Differs from the paper: VGG-16 stands for VGG-19. Gram matrices are divided by their numbers of places, which is the
paper's equation where style and content are of one size, and lets them be of others.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from limner.config import Config
from limner.errors import LimnerError
from limner.features.places import MemoryBudget, Window, sum_over_places, tile_within
from limner.features.vgg16 import VGG, Pooling, mean_responses
from limner.loops.coarse_to_fine import Pass, coarse_to_fine
from limner.loops.optimize import Objective, OptimizeConfig, Optimized, RunControl
from limner.loops.optimizers import ScheduleConfig
from limner.losses.gram import gram, gram_distance
from limner.losses.total_variation import total_variation
from limner.ops.luminance_alone import in_gray, like_luminance, with_colors_of
from limner.ops.resample import imresize
from limner.types import Image, Precision

_FIVE = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")


class StyleConfig(Config):
    """What a picture in a style is, and how it is sought."""

    content_layers: Mapping[str, float] = Field({"relu4_2": 1.0}, description="with their weights")
    style_layers: Mapping[str, float] = Field(dict.fromkeys(_FIVE, 0.2), min_length=1, description="w_l of equation 5")
    content_weight: float = Field(1e-3, ge=0, description="alpha of equation 7")
    style_weight: float = Field(1.0, ge=0, description="beta of equation 7")
    tv_weight: float = Field(0.0, ge=0, description="of total variation; not in the paper")
    relative: bool = Field(
        False, description="divide each layer's losses by those of a blank picture; not in the paper"
    )
    mean_content: bool = Field(
        False, description="divide equation 1 by its number of terms, if not relative; not in the paper"
    )
    pooling: Pooling = Field("average", description="section 2")
    scaled_filters: bool = Field(True, description="scale each filter to a mean response of 1: section 2")
    start: Literal["content", "noise"] = Field("noise", description="section 3.4, figure 6")
    passes: tuple[Pass, ...] = Field(
        (Pass(optimize=OptimizeConfig(method="lbfgs", steps=500)),), min_length=1, description="from coarse to fine"
    )


STYLE_GATYS_2016 = StyleConfig()
# leongatys/PytorchNeuralStyleTransfer: means of squares; 4 and 2 undo what equations 4 and 1 divide by.
STYLE_GATYS_RELEASED_CODE = StyleConfig(
    style_layers={layer: 4 / width**2 for layer, width in zip(_FIVE, (64, 128, 256, 512, 512), strict=True)},
    style_weight=1e3,
    content_weight=2.0,
    mean_content=True,
    pooling="max",
    scaled_filters=False,
    start="content",
)

_ADAM = OptimizeConfig(method="adam", learning_rate=0.03, schedule=ScheduleConfig(kind="cosine"))


def _from_content(coarse: int, fine: int) -> StyleConfig:
    """Half the size first, where strokes are found at a quarter of the cost."""
    passes = [(0.5, coarse), (1.0, fine)]
    return StyleConfig(
        style_layers=dict(zip(_FIVE, (0.5, 0.25, 0.12, 0.06, 0.03), strict=True)),
        relative=True,
        content_weight=4e-2,
        tv_weight=1.0,
        start="content",
        passes=tuple(Pass(scale=scale, optimize=_ADAM.model_copy(update={"steps": steps})) for scale, steps in passes),
    )


STYLE_MODERN = _from_content(200, 80)
STYLE_QUICK = _from_content(70, 20)


class Reference(NamedTuple):
    """A picture whose style is wanted.

    Attributes:
        image: (1, 3, h, w), as large as its strokes are to be seen in the result.
        weight: Beside the others of the same region.
        mask: (1, 1, H, W) of the content's size, in [0, 1]: where it is wanted. None: wherever no mask is.
    """

    image: Image
    weight: float = 1.0
    mask: Float[Tensor, "1 1 H W"] | None = None


class _Region(NamedTuple):
    """A part of the picture that is to have certain Gram matrices."""

    guides: Mapping[str, Tensor] | None  # T of each layer (1, 1, h', w'); None is all of it
    targets: Mapping[str, Tensor]
    share: float


class StyleObjective:
    """The total loss of equation 7."""

    def __init__(
        self,
        vgg: VGG,
        content: Image,
        references: Sequence[Reference],
        config: StyleConfig,
        *,
        tile: int | None = None,
    ) -> None:
        """Take the content's activations and the styles' Gram matrices.

        Args:
            vgg: Gives the layers of `config`.
            content: (1, 3, h, w), as large as the picture will be.
            references: At least one.
            config: The weights of the losses.
            tile: Side of the parts that are worked on at a time, in pixels; None takes the whole.
        """
        self.vgg, self.config, self.tile = vgg, config, tile
        self.size = (content.shape[-2], content.shape[-1])
        with torch.no_grad():
            self.regions = self._regions(references)
            self.content = self._content(content) if config.content_weight else {}

    def __call__(self, image: Image) -> dict[str, Tensor]:
        """The named losses of a picture."""
        config = self.config
        sums = iter(sum_over_places(self.vgg, image, self._sums, tile=self.tile))
        style = [self._style(region, sums) for region in self.regions]
        losses = {"style": config.style_weight * torch.stack(style).sum()}
        if self.content:
            terms = [config.content_layers[one] * next(sums) / self._scale(map) for one, map in self.content.items()]
            losses["content"] = config.content_weight * torch.stack(terms).sum() / 2  # equation 1
        if config.tv_weight:
            losses["variation"] = config.tv_weight * total_variation(image)
        return losses

    def _style(self, region: _Region, sums: Iterator[Tensor]) -> Tensor:
        """Equation 5, of one region."""
        terms = []
        for layer, weight in self.config.style_layers.items():
            mean = next(sums) / self._places(layer, region.guides)
            terms.append(weight * gram_distance(mean, region.targets[layer], relative=self.config.relative))
        return region.share * torch.stack(terms).sum()

    def _sums(self, features: Mapping[str, Tensor], window: Window) -> Sequence[Tensor]:
        """The Gram matrices of every region and layer, then the squared differences of content."""
        sums = []
        for region in self.regions:
            for layer in self.config.style_layers:
                map = features[layer]
                if region.guides:
                    map = map * window.over(self.vgg.stride(layer)).of(region.guides[layer]).to(map.dtype)
                sums.append(gram(map))
        for layer, target in self.content.items():
            difference = features[layer].float() - window.over(self.vgg.stride(layer)).of(target).float()
            sums.append(difference.square().sum())
        return sums

    def _scale(self, content: Tensor) -> float:
        """What the squared differences from an activation of the content are divided by; nothing in the paper."""
        if self.config.relative:
            return max(content.float().square().sum().item(), 1e-6)
        return content.numel() if self.config.mean_content else 1.0

    def _places(self, layer: str, guides: Mapping[str, Tensor] | None) -> float:
        """How many places of a layer a region has: sum_k T_k^2 (arXiv:1611.07865, section 4)."""
        if guides is None:
            stride = self.vgg.stride(layer)
            return (self.size[0] // stride) * (self.size[1] // stride)
        return max(guides[layer].square().sum().item(), 1e-6)

    def _content(self, content: Image) -> dict[str, Tensor]:
        """The activations of the content, put together from tiles."""
        layers = self.config.content_layers
        parts: dict[str, list[tuple[Window, Tensor]]] = {layer: [] for layer in layers}

        def keep(features: Mapping[str, Tensor], window: Window) -> Sequence[Tensor]:
            for layer in layers:
                parts[layer].append((window.over(self.vgg.stride(layer)), features[layer]))
            return [torch.zeros(())]

        sum_over_places(self.vgg, content, keep, tile=self.tile)
        return {layer: _joined(found) for layer, found in parts.items()}

    def _regions(self, references: Sequence[Reference]) -> list[_Region]:
        masked = [one for one in references if one.mask is not None]
        others = [one for one in references if one.mask is None]
        if not masked:
            return [_Region(None, self._targets(others), 1.0)]
        masks = [imresize(one.mask, size=self.size).clamp(0, 1) for one in masked if one.mask is not None]
        groups = [([one], mask) for one, mask in zip(masked, masks, strict=True)]
        if others:
            groups.append((others, (1 - torch.cat(masks).sum(0, keepdim=True)).clamp(0, 1)))
        return [_Region(self._guides(mask), self._targets(ones), mask.mean().item()) for ones, mask in groups]

    def _guides(self, mask: Tensor) -> dict[str, Tensor]:
        """The mask as each layer sees it."""
        height, width = self.size
        strides = {layer: self.vgg.stride(layer) for layer in self.config.style_layers}
        sizes = {layer: (height // stride, width // stride) for layer, stride in strides.items()}
        return {layer: imresize(mask, size=size, kernel="area") for layer, size in sizes.items()}

    def _targets(self, references: Sequence[Reference]) -> dict[str, Tensor]:
        """The weighted mean of the Gram matrices of some pictures, by layer."""
        total = sum(one.weight for one in references)
        targets: dict[str, Tensor] = {}
        for one in references:
            sums = sum_over_places(self.vgg, one.image, self._grams, tile=self.tile)
            for layer, found in zip(self.config.style_layers, sums, strict=True):
                stride = self.vgg.stride(layer)
                places = (one.image.shape[-2] // stride) * (one.image.shape[-1] // stride)
                targets[layer] = targets.get(layer, 0) + one.weight / total * found / places
        return targets

    def _grams(self, features: Mapping[str, Tensor], window: Window) -> Sequence[Tensor]:
        return [gram(features[layer]) for layer in self.config.style_layers]


def stylize(
    content: Image,
    references: Sequence[Reference],
    config: StyleConfig,
    *,
    keep_colors: bool = False,
    weights: Path | None = None,
    precision: Precision = "exact",
    budget: MemoryBudget | None = None,
    seed: int = 0,
    control: RunControl = RunControl(),
) -> Optimized:
    """The content of one picture in the style of others.

    Args:
        content: (1, 3, h, w), as large as the result, on the device that is to work.
        references: The styles, at least one.
        config: How.
        keep_colors: Take the luminance alone from the styles (arXiv:1606.05897, section 3.2).
        weights: Of another VGG; None takes the embedded one.
        precision: Of the network.
        budget: Of bytes for activations; where it does not do, the picture is worked on in tiles. None sets no bound.
        seed: Of the noise, where it starts from that.
        control: As for `coarse_to_fine`.

    Raises:
        LimnerError: If a picture is too small, a mask has another size, or a file of weights does not fit.
        TrainingStopped: If a loss is not finite.
    """
    if keep_colors:
        grays = [one._replace(image=like_luminance(one.image, content)) for one in references]
        done = stylize(
            in_gray(content), grays, config, weights=weights, precision=precision, budget=budget, seed=seed,
            control=control.showing(partial(with_colors_of, content)),
        )  # fmt: skip
        return done._replace(image=with_colors_of(content, done.image))
    vgg = style_network(config, content, references, weights=weights, precision=precision)

    def objective(here: tuple[int, int]) -> Objective:
        scale = here[0] / content.shape[-2]
        tile = tile_within(vgg, *here, budget)
        ones = [one._replace(image=_scaled(one.image, scale)) for one in references]
        return StyleObjective(vgg, _scaled(content, scale, here), ones, config, tile=tile)

    noise = torch.rand(content.shape, generator=torch.Generator().manual_seed(seed)).to(content.device)
    start = content if config.start == "content" else noise
    size = (content.shape[-2], content.shape[-1])
    made_of = [config, seed, content, references, weights and vgg]
    return coarse_to_fine(start, size, config.passes, objective, control=control, made_of=made_of)


def _scaled(image: Image, scale: float, size: tuple[int, int] | None = None) -> Tensor:
    size = size or (round(scale * image.shape[-2]), round(scale * image.shape[-1]))
    return image if tuple(image.shape[-2:]) == size else imresize(image, size=size).clamp(0, 1)


def style_network(
    config: StyleConfig,
    content: Image,
    references: Sequence[Reference],
    *,
    weights: Path | None = None,
    precision: Precision = "exact",
) -> VGG:
    """The network whose activations are compared; that of a file has its filters scaled by these pictures.

    Raises:
        LimnerError: As `stylize`.
    """
    layers = [*config.style_layers, *config.content_layers]
    vgg = VGG(layers, pooling=config.pooling, weights=weights, precision=precision, device=content.device)
    _check_pictures(vgg, content, references, config)
    if config.scaled_filters:
        pictures = [content, *(one.image for one in references)]
        vgg.normalize(mean_responses(config.pooling) if weights is None else vgg.mean_responses(pictures))
    return vgg


def _check_pictures(vgg: VGG, content: Image, references: Sequence[Reference], config: StyleConfig) -> None:
    """Refuse what cannot be painted.

    Raises:
        LimnerError: If there is no style, a picture is too small, a weight is not above 0, or a mask has another size.
    """
    least = int(vgg.least_side / min(one.scale for one in config.passes) + 0.5)
    if not references:
        raise LimnerError("styles must be one picture or more, got none")
    for name, image in [("the content", content), *(("a style", one.image) for one in references)]:
        if min(image.shape[-2:]) < least:
            raise LimnerError(
                f"{name} must have {least} pixels a side or more for {vgg.steps[-1]}, "
                f"got {image.shape[-1]}x{image.shape[-2]}: enlarge it"
            )
    for one in references:
        if not 0 < one.weight < math.inf:
            raise LimnerError(f"the weight of a style must be above 0 and finite, got {one.weight:g}")
        if one.mask is not None and one.mask.shape[-2:] != content.shape[-2:]:
            raise LimnerError(
                f"a mask must be as large as the content, {content.shape[-1]}x{content.shape[-2]}, "
                f"got {one.mask.shape[-1]}x{one.mask.shape[-2]}: resize it"
            )


def _joined(parts: Sequence[tuple[Window, Tensor]]) -> Tensor:
    """A layer put together from its windows."""
    if len(parts) == 1:
        return parts[0][1]
    last = parts[-1][0]
    whole = parts[0][1].new_empty(*parts[0][1].shape[:2], last.bottom, last.right)
    for window, part in parts:
        window.of(whole).copy_(part)
    return whole
