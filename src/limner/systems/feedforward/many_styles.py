"""Many styles in one network: all share its convolutions, and a style is its scales and shifts alone.

Dumoulin, Shlens and Kudlur, "A learned representation for artistic style", ICLR 2017, arXiv:1610.07629, equations 1 to
5 and the appendix's table of the network. A trained network learns a new style while its convolutions stay as they are
(section 3.2).
Differs from the paper: losses may be relative, and total variation and a loss of grids may be added, for what is learnt
in minutes; photos may get noise.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

import torch
import torch.nn.functional as F
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from limner.config import Config
from limner.data.stylization import Stylization
from limner.features.style_targets import StyleTargets
from limner.features.vgg16 import VGG
from limner.layers.style_network import STRIDE, StyleNetwork
from limner.layers.style_norm import Mixture, mixed_weights
from limner.loops.fit import FitConfig
from limner.loops.optimizers import OptimizerConfig, ScheduleConfig
from limner.losses.lattice import lattice
from limner.losses.perceptual import feature_loss, style_loss_in_windows
from limner.losses.total_variation import total_variation
from limner.ports import Port
from limner.types import Image, Precision, Progress, Turn

_STYLE_LAYERS = ("relu1_2", "relu2_2", "relu3_3", "relu4_3")


class ManyStylesConfig(Config):
    """The style transfer network, and what it is trained to lower."""

    styles: tuple[str, ...] = Field(("style",), min_length=1, description="names, in the order of scales and shifts")
    channels: tuple[int, int, int] = Field((32, 64, 128), description="at full, half and quarter size, going down")
    num_blocks: int = Field(5, ge=0, description="residual blocks")
    up_channels: tuple[int, int] = Field((64, 32), description="at half and full size, going up")
    noise: float = Field(
        0.0, ge=0, description="deviation of what is added to photos, so that strokes find a hold in flat parts; ours"
    )
    train_trunk: bool = Field(True, description="whether convolutions are trained, or scales and shifts alone")
    content_layers: Mapping[str, float] = Field({"relu3_3": 1.0}, description="equation 3")
    style_layers: Mapping[str, float] = Field(dict.fromkeys(_STYLE_LAYERS, 1.0), description="equation 2")
    content_weight: float = Field(1.0, ge=0, description="lambda_c of equation 1")
    style_weight: float = Field(5.0, ge=0, description="lambda_s")
    tv_weight: float = Field(0.0, ge=0, description="of total variation in [0, 1]; not in the paper")
    lattice_weight: float = Field(0.0, ge=0, description="of what the network's own grid leaves in a painting; ours")
    windows: int = Field(
        1, ge=1, description="cut a painting into so many across and down, each with a style loss, half of all; ours"
    )
    relative: bool = Field(
        False, description="divide each layer's losses by those of a blank picture; not in the paper"
    )
    features: Precision = Field("exact", description="of the network that the losses look through")


DUMOULIN_2017 = ManyStylesConfig()
RELEASED_SLIM = ManyStylesConfig(  # the network that TensorFlow's style demo for telephones came with
    channels=(32, 32, 32),
    num_blocks=6,
    up_channels=(8, 4),
    noise=0.01,
    content_weight=0.12,
    style_weight=1.0,
    style_layers=dict(zip(_STYLE_LAYERS, (0.2, 0.25, 0.3, 0.25), strict=True)),
    tv_weight=1.5,
    lattice_weight=100.0,
    relative=True,
    features="fast",
)

FIT_2017 = FitConfig(  # the appendix's table
    steps=40_000, batch_size=16, optimizer=OptimizerConfig(kind="adam", learning_rate=1e-3)
)
FIT_MODERN = FitConfig(  # ours
    steps=20_000,
    batch_size=4,
    optimizer=OptimizerConfig(kind="adam", learning_rate=1e-3),
    schedule=ScheduleConfig(kind="cosine", warmup_steps=100),
    precision="bfloat16",
    ema_decay=0.995,
)


class ManyStyles(StyleNetwork):
    """The network, and what it learns by."""

    outputs = (Port("result", "photo"),)

    def __init__(self, config: ManyStylesConfig = DUMOULIN_2017) -> None:
        super().__init__(len(config.styles), config.channels, config.num_blocks, config.up_channels)
        self.config = config
        self._targets = StyleTargets(config.style_layers)

    @property
    def inputs(self) -> tuple[Port, ...]:
        """A photo; a map of a quarter of its sides is reflected by one pixel."""
        return (Port("image", "photo", multiple=STRIDE, least=2 * STRIDE, noise=self.config.noise),)

    @property
    def players(self) -> Mapping[str, nn.Module]:
        """One: the whole network, or its scales and shifts alone."""
        return {"network": self} if self.config.train_trunk else {"styles": self.norms}

    def forward(self, image: Image) -> Image:
        """RGB (n, 3, h, w) in [0, 1], sides multiples of 4 and at least 8 -> RGB of the same size, in [0, 1].

        Of several styles it is the first: see `at` and `paint`.
        """
        return self.paint(image, None)

    def turns(self, batch: Stylization, progress: Progress) -> Iterator[Turn]:
        """Equation 1: content and style, and total variation where it is asked for."""
        mixture = F.one_hot(batch.style, len(self.config.styles)).float()
        photos = batch.source + self.config.noise * torch.randn_like(batch.source)
        painted = self.paint(photos, mixture).float()
        with torch.autocast(painted.device.type, enabled=False):  # Gram matrices need their digits
            losses = self._losses(painted, batch)
        yield Turn(next(iter(self.players)), losses)

    def _losses(self, painted: Image, batch: Stylization) -> dict[str, Tensor]:
        config = self.config
        found = self._vgg.to(painted.device)(painted)
        with torch.no_grad():
            wanted = self._content_vgg.to(painted.device)(batch.source)
            targets = self._targets.of(self._vgg, batch.style, batch.style_crops)
        content = feature_loss(found, wanted, config.content_layers, relative=config.relative)
        losses = {
            "content": config.content_weight * content,
            "style": config.style_weight
            * style_loss_in_windows(found, targets, config.style_layers, config.windows, relative=config.relative),
        }
        if config.tv_weight:
            losses["variation"] = config.tv_weight * total_variation(painted)
        if config.lattice_weight:
            losses["lattice"] = config.lattice_weight * lattice(painted, STRIDE)
        return losses

    @cached_property
    def _vgg(self) -> VGG:
        return self._features([*self.config.style_layers, *self.config.content_layers])

    @cached_property
    def _content_vgg(self) -> VGG:
        return self._features(self.config.content_layers)

    def _features(self, layers: Iterable[str]) -> VGG:
        return VGG(layers, precision=self.config.features, device=next(self.parameters()).device)

    def at(self, mixture: Float[Tensor, " styles"]) -> "ManyStyles":
        """The network for one mixture of styles alone, as fast as if it knew no other.

        Args:
            mixture: How much of each style, in the order of `config.styles`; not all must add up to 1.
        """
        alone = ManyStyles(self.config.model_copy(update={"styles": ("mixture",)}))
        alone.load_state_dict(mixed_weights(self, mixture))
        return alone.train(self.training)


class MixedByCaller(nn.Module):
    """The network as one whose caller says with each photo how much of each style it gets.

    Args of the constructor:
        network: Of several styles: of one alone there is nothing to mix.
    """

    outputs = ManyStyles.outputs

    def __init__(self, network: ManyStyles) -> None:
        super().__init__()
        self.network = network

    @property
    def inputs(self) -> tuple[Port, ...]:
        """The photo, and shares in the order of `config.styles`."""
        return (*self.network.inputs, Port("styles", "mixture", len(self.network.config.styles)))

    def forward(self, image: Image, styles: Mixture) -> Image:
        """RGB (n, 3, h, w) in [0, 1] and (n, styles) -> RGB of the same size, in [0, 1]."""
        return self.network.paint(image, styles)
