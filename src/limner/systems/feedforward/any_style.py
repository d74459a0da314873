"""Any painting at once: its statistics predict the scales and shifts of a network that paints in many styles.

Ghiasi, Lee, Kudlur, Dumoulin and Shlens, "Exploring the structure of a real-time, arbitrary neural artistic stylization
network", BMVC 2017, arXiv:1705.06830.

Differs from the paper: VGG-16 reads the painting in place of Inception-v3, by the means and deviations of four layers
in place of one; the transfer network is the slim one that `many_styles` learns other styles by. The last linear layer,
from the embedding to all scales and shifts, is that network's own mixture of styles (equation 5 of arXiv:1610.07629):
each number of the embedding says how much of a learnt direction there is. Beside it stand the mean and deviation of the
painting's colours before the last sigmoid, which begin as the last norm's own shifts and scales. Losses are those of
AdaIN (equations 11 to 13 of arXiv:1703.06868), relative Gram matrices beside them, and those of `many_styles`.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from limner.config import Config
from limner.data.style_pairs import Styled
from limner.features.least_side import check_style_sides
from limner.features.vgg_encoder import vgg_encoder
from limner.layers.style_network import STRIDE, StyleNetwork
from limner.layers.style_norm import Mixture, mixed_weights
from limner.loops.fit import FitConfig
from limner.loops.optimizers import ClipConfig, OptimizerConfig, ScheduleConfig
from limner.losses.lattice import lattice
from limner.losses.perceptual import feature_loss, gram_targets, style_loss
from limner.losses.statistics import statistics_loss
from limner.losses.total_variation import total_variation
from limner.ops.statistics import Statistics, mean_and_deviation, quick_mean_and_deviation
from limner.ops.weighted import weighted_mean
from limner.ports import Port
from limner.types import Image, Progress, Turn

STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1")
"""What a painting is read by, and paintings are compared by."""

CONTENT_LAYER = "relu3_3"

COLORS = 6
"""Numbers of a mixture, after its constant, that are the means and deviations of the painting's colours."""

STYLE_STRIDE = 8
"""Pixels of a painting between two places of the deepest layer that reads it."""

LARGEST_STYLE = 384
"""The longer side, in pixels, of the largest result that a painting is shown as large as: about what it learns from."""

_CHANNELS = (64, 128, 256, 512)  # of the layers that are read
_LEAST = 0.1  # added to what is read before its logarithm: about a tenth of the mean response to photos
_SMALL = 0.03  # deviation of what the embedding changes in the beginning
_SLOPE = 0.2  # of the units of the predictor that are off
_DARKEST = 0.02  # colours nearer to 0 or 1 are taken as this near


class AnyStyleConfig(Config):
    """The predictor, the network that paints, and what both are trained to lower."""

    channels: tuple[int, int, int] = Field((32, 64, 128), description="at full, half and quarter size, going down")
    num_blocks: int = Field(5, ge=0, description="residual blocks")
    up_channels: tuple[int, int] = Field((64, 32), description="at half and full size, going up")
    hidden: int = Field(256, ge=1, description="units between the painting's statistics and its embedding; ours")
    embedding: int = Field(100, ge=1, description="numbers that a painting comes to beside its colours: S of the paper")
    noise: float = Field(
        0.0, ge=0, description="deviation of what is added to photos, so that strokes find a hold in flat parts; ours"
    )
    content_weight: float = Field(1.0, ge=0, description="of the relative distance of relu3_3: lambda_c")
    style_weight: float = Field(1.0, ge=0, description="of equation 13 of arXiv:1703.06868: lambda_s")
    gram_weight: float = Field(0.0, ge=0, description="of relative Gram matrices, a mean over the same layers")
    tv_weight: float = Field(0.0, ge=0, description="of total variation in [0, 1]; ours")
    lattice_weight: float = Field(0.0, ge=0, description="of what the network's own grid leaves in a painting; ours")


GHIASI_2017 = AnyStyleConfig(gram_weight=1.0)
ANY_SLIM = AnyStyleConfig(
    channels=(32, 32, 32),
    num_blocks=6,
    up_channels=(8, 4),
    embedding=64,
    noise=0.01,
    content_weight=0.3,
    style_weight=0.5,
    gram_weight=1.0,
    tv_weight=1.5,
    lattice_weight=100.0,
)

FIT_2017 = FitConfig(  # TODO
    steps=40_000, batch_size=8, optimizer=OptimizerConfig(kind="adam", learning_rate=1e-3)
)
FIT_MODERN = FitConfig(  # ours
    steps=20_000,
    batch_size=2,
    optimizer=OptimizerConfig(kind="adam", learning_rate=1e-3, betas=(0.9, 0.99)),
    schedule=ScheduleConfig(kind="cosine", warmup_steps=50),
    clip=ClipConfig(kind="norm", threshold=2.0),
    precision="bfloat16",
    ema_decay=0.99,
)


class Reader(nn.Module):
    """P: a painting in, the mixture of directions that paints like it out. Its encoder is neither trained nor saved."""

    inputs = (Port("style", "photo", multiple=STYLE_STRIDE, least=2 * STYLE_STRIDE),)

    def __init__(self, config: AnyStyleConfig) -> None:
        super().__init__()
        self.encoder = vgg_encoder(STYLE_LAYERS[-1])
        self.first = nn.Linear(COLORS + 2 * sum(_CHANNELS), config.hidden)
        self.last = nn.Linear(config.hidden, config.embedding)

    @property
    def outputs(self) -> tuple[Port, ...]:
        """The mixture."""
        return (Port("mixture", "score", 1 + COLORS + self.last.out_features),)

    def forward(self, style: Image) -> Mixture:
        """(n, 1 + 6 + embedding): a constant 1, the colours, and the embedding."""
        return self.predicted(style, self.activations(style, STYLE_LAYERS))

    def predicted(self, style: Image, found: Mapping[str, Tensor]) -> Mixture:
        """The same by the activations of `STYLE_LAYERS`, where they are known."""
        colors = of_colors(style)
        read = [(_joined(mean_and_deviation(found[layer].float())) + _LEAST).log() for layer in STYLE_LAYERS]
        embedding = self.last(F.leaky_relu(self.first(torch.cat([colors, *read], 1)), _SLOPE))
        return torch.cat([torch.ones_like(colors[:, :1]), colors, embedding], 1)

    def activations(self, image: Image, layers: Collection[str]) -> dict[str, Tensor]:
        """Those of some layers of the encoder."""
        x, found = image, {}
        for name, layer in self.encoder.named_children():
            x = layer(x)
            if name in layers:
                found[name] = x
            if len(found) == len(layers):
                break
        return found


def of_colors(style: Image) -> Float[Tensor, "n 6"]:
    """Means, then deviations, of red, green and blue before the sigmoid that gives them."""
    values = style.clamp(_DARKEST, 1 - _DARKEST)
    return _joined(mean_and_deviation(values.log() - (1 - values).log()))


def _joined(statistics: Statistics) -> Float[Tensor, "n c"]:
    return torch.cat([part.flatten(1) for part in statistics], 1)


class AnyStyle(nn.Module):
    """A photo and a painting in, the photo painted like that one out."""

    outputs = (Port("result", "photo"),)
    largest_style = LARGEST_STYLE
    paints_part_way = False

    def __init__(self, config: AnyStyleConfig = GHIASI_2017) -> None:
        super().__init__()
        self.config = config
        self.reader = Reader(config)
        self.network = self._network(1 + COLORS + config.embedding)
        _begin(self.network)

    def _network(self, num_styles: int) -> StyleNetwork:
        return StyleNetwork(num_styles, self.config.channels, self.config.num_blocks, self.config.up_channels)

    @property
    def inputs(self) -> tuple[Port, ...]:
        """The photo, and the painting."""
        return (_photo("content", self.config.noise), *Reader.inputs)

    @property
    def players(self) -> Mapping[str, nn.Module]:
        """One: what reads paintings and what paints."""
        return {"network": self}

    def forward(self, content: Image, style: Float[Tensor, "n 3 H W"]) -> Image:
        """T(c, P(s)), equation 5: RGB in [0, 1] -> RGB in [0, 1]."""
        return self.network.paint(content, self.reader(style))

    def turns(self, batch: Styled, progress: Progress) -> Iterator[Turn]:
        """Content and style losses, equations 1 to 4, and what else has a weight."""
        with torch.no_grad():
            content = self.reader.activations(batch.source, {CONTENT_LAYER})
            style = self.reader.activations(batch.style, STYLE_LAYERS)
        photos = batch.source + self.config.noise * torch.randn_like(batch.source)
        painted = self.network.paint(photos, self.reader.predicted(batch.style, style)).float()
        found = self.reader.activations(painted, {*STYLE_LAYERS, CONTENT_LAYER})
        with torch.autocast(painted.device.type, enabled=False):  # Gram matrices need their digits
            losses = self._losses(painted, found, content, style)
        yield Turn("network", losses)

    def _losses(
        self, painted: Image, found: Mapping[str, Tensor], content: Mapping[str, Tensor], style: Mapping[str, Tensor]
    ) -> dict[str, Tensor]:
        config = self.config
        wanted = {layer: quick_mean_and_deviation(x) for layer, x in style.items()}
        losses = {
            "content": config.content_weight * feature_loss(found, content, {CONTENT_LAYER: 1.0}, relative=True),
            "style": config.style_weight * statistics_loss(found, wanted, STYLE_LAYERS),
        }
        if config.gram_weight:
            shares = dict.fromkeys(STYLE_LAYERS, config.gram_weight / len(STYLE_LAYERS))
            losses["gram"] = style_loss(found, gram_targets(style, STYLE_LAYERS), shares, relative=True)
        if config.tv_weight:
            losses["variation"] = config.tv_weight * total_variation(painted)
        if config.lattice_weight:
            losses["lattice"] = config.lattice_weight * lattice(painted, STRIDE)
        return losses

    @torch.no_grad()
    def read(self, style: Image, reader: Callable[[Image], Tensor] | None = None) -> Mixture:
        """What the network gets of a painting (n, 3, h, w).

        Args:
            style: The painting.
            reader: What runs `reader`; None runs it as it is.

        Raises:
            LimnerError: If the picture is too small.
        """
        check_style_sides(style, 2 * STYLE_STRIDE)
        return (reader or self.reader)(style)

    @staticmethod
    def mixed(styles: Sequence[Mixture], weights: Sequence[float]) -> Mixture:
        """The style between several, by their weights, which are divided by their sum (section 4.3).

        Raises:
            LimnerError: If there is not one weight for each, one is below 0, or all are 0.
        """
        return weighted_mean(styles, weights)

    def stylizer(self, style: Mixture, alpha: float = 1.0) -> "Stylizer":
        """The network for one painting, or for several that are `mixed`; alpha is 1: see `paints_part_way`."""
        return Stylizer(self._alone(style), self.config.noise)

    def region_stylizer(self, styles: Sequence[Mixture], alpha: float = 1.0) -> "RegionStylizer":
        """The network for paintings that each have their part of the picture."""
        return RegionStylizer([self._alone(one) for one in styles], self.config.noise)

    def _alone(self, style: Mixture) -> StyleNetwork:
        alone = self._network(1)
        alone.load_state_dict(mixed_weights(self.network, style[0]))
        return alone.eval()


def _photo(name: str, noise: float, multiple: int = STRIDE) -> Port:
    """Maps of a quarter of its sides are reflected by one pixel."""
    return Port(name, "photo", multiple=multiple, least=2 * multiple, noise=noise)


class Stylizer(nn.Module):
    """The network for one painting."""

    outputs = (Port("result", "photo"),)

    def __init__(self, network: StyleNetwork, noise: float) -> None:
        super().__init__()
        self.network, self.noise = network, noise

    @property
    def inputs(self) -> tuple[Port, ...]:
        """A photo."""
        return (_photo("image", self.noise),)

    def forward(self, image: Image) -> Image:
        """RGB in [0, 1], sides multiples of 4 and at least 8 -> RGB of the same size, in [0, 1]."""
        return self.network.paint(image, None)


class RegionStylizer(nn.Module):
    """Several paintings, each for its part of the picture: the photo is painted like each of them."""

    outputs = (Port("result", "photo"),)

    def __init__(self, networks: Sequence[StyleNetwork], noise: float) -> None:
        super().__init__()
        self.networks, self.noise = nn.ModuleList(networks), noise

    @property
    def inputs(self) -> tuple[Port, ...]:
        """The photo with the noise that gives strokes a hold and without it, and the masks."""
        masks = Port("masks", "mask", len(self.networks), scale=1 / STYLE_STRIDE)
        return (_photo("image", self.noise, STYLE_STRIDE), _photo("photo", 0.0, STYLE_STRIDE), masks)

    def forward(self, image: Image, photo: Image, masks: Float[Tensor, "n k H W"]) -> Image:
        """What is painted where the masks are, the photo where none is.

        Args:
            image: Sides are multiples of 8.
            photo: The same without noise.
            masks: Of each painting, in [0, 1] with sums of at most 1, an eighth as large.
        """
        wide = F.interpolate(masks, scale_factor=STYLE_STRIDE, mode="bilinear")
        result = photo
        for number, network in enumerate(self.networks):
            result = result + wide[:, number : number + 1] * (network.paint(image, None) - photo)  # type: ignore[operator]  # a StyleNetwork
        return result


@torch.no_grad()
def _begin(network: StyleNetwork) -> None:
    """The constant is a plain instance norm, colours are those of the last one, other directions are small."""
    for norm in network.norms:
        for values, constant in ((norm.weight, 1.0), (norm.bias, 0.0)):
            nn.init.normal_(values, std=_SMALL)
            values[0], values[1 : 1 + COLORS] = constant, 0.0
    last = network.norms[-1]
    last.weight[0] = 0.0
    last.bias[1:4], last.weight[4:7] = torch.eye(3), torch.eye(3)
