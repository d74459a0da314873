"""AdaIN: any style at once, for it is but the mean and the deviation of each channel of an encoded picture.

Huang and Belongie, "Arbitrary style transfer in real-time with adaptive instance normalization", ICCV 2017,
arXiv:1703.06868.

Differs from the paper: VGG-16 stands for VGG-19, with filters scaled to a mean response of 1, so the mirrored decoder
has one convolution less at a quarter of the size; distances are mean squares, so that weights hold at every size (the
authors' code takes sums over channels in equation 13, and a lambda of 0.01).
`palette`, which is ours and off in the paper's configuration, takes AdaIN once more, of what is painted and the style.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from limner import processes
from limner.config import Config
from limner.data.style_pairs import Styled
from limner.errors import LimnerError
from limner.features.least_side import check_style_sides
from limner.features.vgg_encoder import activations, vgg19_encoder, vgg_encoder
from limner.loops.fit import FitConfig
from limner.loops.optimizers import ClipConfig, OptimizerConfig, ScheduleConfig
from limner.losses.lattice import lattice
from limner.losses.statistics import statistics_loss
from limner.ops.statistics import (
    EPSILON,
    Statistics,
    mean_and_deviation,
    mean_and_deviation_within,
    quick_mean_and_deviation,
    with_statistics,
)
from limner.ops.weighted import weighted_mean
from limner.ports import Port
from limner.types import Image, Progress, Turn

STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1")
"""phi_i of equation 13; the encoder f ends with the last."""

STRIDE = 8
"""Pixels of a picture between two places of what the encoder makes of it."""

LARGEST_STYLE = 1024
"""The longer side, in pixels, of the largest result that a style picture is shown as large as."""

PALETTE_EPSILON = 0.05**2
"""Added to the variances of what is painted before it gets the style's: a picture that is flat all over stays so."""

_ENCODED = 512  # channels of relu4_1


class AdaINConfig(Config):
    """The decoder, and what it learns from."""

    channels: tuple[int, int, int] = Field(
        (256, 128, 64), description="of the decoder g at a quarter, a half and the whole of the size"
    )
    encoder: Literal["vgg16", "vgg19"] = Field(
        "vgg16", description="f: the embedded one, or the paper's own, which a weight file of others brings along"
    )
    unbiased: bool = Field(
        False, description="divide variances by the number of places less 1; with fixed styles those of styles alone"
    )
    style_weight: float = Field(10.0, ge=0, description="lambda of equation 11")
    content_weight: float = Field(1.0, ge=0, description="of L_c; if this and lambda are 0, pictures are all it sees")
    inversion_weight: float = Field(0.0, ge=0, description="of a picture's distance from its decoded code; ours")
    pairings: int = Field(1, ge=1, description="styles of a batch that each content is painted in; ours")
    palette: bool = Field(
        False, description="give the painted red, green and blue the style's mean and deviation, too; ours"
    )
    lattice_weight: float = Field(0.0, ge=0, description="of what the decoder's own grid leaves in a painting; ours")


ADAIN_2017 = AdaINConfig()
# Ours: a decoder of some thousand steps does not read colours from relu4_1 yet, so the palette gives them.
ADAIN_SLIM = AdaINConfig(channels=(128, 64, 32), inversion_weight=100, pairings=2, palette=True, lattice_weight=3000)
ADAIN_INVERSE = AdaINConfig(channels=(128, 64, 32), content_weight=0, style_weight=0, inversion_weight=100)

_STEPS_2017, _DECAY_2017 = 160_000, 5e-5

FIT_2017 = FitConfig(  # section 6.2: Adam, batches of 8 pairs; rates, 1e-4 / (1 + decay step), and steps: authors' code
    steps=_STEPS_2017,
    batch_size=8,
    optimizer=OptimizerConfig(kind="adam", learning_rate=1e-4),
    schedule=ScheduleConfig(kind="inverse", final=1 / (1 + _DECAY_2017 * _STEPS_2017)),
)
FIT_MODERN = FitConfig(  # ours
    steps=20_000,
    batch_size=4,
    optimizer=OptimizerConfig(kind="adam", learning_rate=4e-4, betas=(0.9, 0.99)),
    schedule=ScheduleConfig(kind="cosine", warmup_steps=100),
    clip=ClipConfig(kind="norm", threshold=5.0),
    precision="bfloat16",
    ema_decay=0.995,
)


def decoder(config: AdaINConfig) -> nn.Sequential:
    """g: the encoder mirrored, without norm layers; nearest enlarging and reflection padding (section 6.1)."""
    quarter, half, whole = config.channels
    deep = (quarter,) * (4 if config.encoder == "vgg19" else 3)
    stages = ((_ENCODED, quarter), (*deep, half), (half, half, whole), (whole, whole))
    layers: list[nn.Module] = []
    for number, widths in enumerate(stages):
        layers += [nn.Upsample(scale_factor=2)] if number else []
        for in_channels, out_channels in pairwise(widths):
            layers += [_convolution(in_channels, out_channels, 2.0), nn.ReLU()]
    last = _convolution(whole, 3, 0.01)
    nn.init.constant_(last.bias, 0.5)  # type: ignore[arg-type]  # it has one
    return nn.Sequential(*layers, last)


def _convolution(in_channels: int, out_channels: int, gain: float) -> nn.Conv2d:
    """One whose responses have `gain` times the power of what it sees: 2 makes up for a ReLU (arXiv:1502.01852)."""
    convolution = nn.Conv2d(in_channels, out_channels, 3, padding=1, padding_mode="reflect")
    nn.init.normal_(convolution.weight, std=(gain / (9 * in_channels)) ** 0.5)
    nn.init.zeros_(convolution.bias)  # type: ignore[arg-type]  # it has one
    return convolution


def _picture(name: str) -> Port:
    return Port(name, "photo", multiple=STRIDE, least=2 * STRIDE)  # its deepest features are reflected at borders


class AdaIN(nn.Module):
    """A content and a style picture in, the one in the style of the other out. Only the decoder is trained and saved.

    The content's sides must be multiples of 8, else what goes beyond them is cut off at the bottom and the right.
    """

    inputs = (_picture("content"), _picture("style"))
    outputs = (Port("result", "photo"),)
    largest_style = LARGEST_STYLE
    paints_part_way = True

    def __init__(self, config: AdaINConfig = ADAIN_2017) -> None:
        super().__init__()
        self.config = config
        self.encoder = (vgg19_encoder if config.encoder == "vgg19" else vgg_encoder)(STYLE_LAYERS[-1])
        self.decoder = decoder(config)

    @property
    def players(self) -> Mapping[str, nn.Module]:
        """One: the decoder."""
        return {"decoder": self.decoder}

    def forward(self, content: Image, style: Float[Tensor, "n 3 H W"]) -> Image:
        """T(c, s) = g(AdaIN(f(c), f(s))), equations 9 and 10: RGB in [0, 1] -> RGB about [0, 1], not clipped."""
        code = self.encoder(content)
        target = with_statistics(code, self._statistics(code), self._statistics(self.encoder(style)))
        painted: Tensor = self.decoder(target)
        return self._in_colors(painted, mean_and_deviation(style)) if self.config.palette else painted

    def _statistics(self, code: Float[Tensor, "n c h w"]) -> Statistics:
        return mean_and_deviation(code, correction=int(self.config.unbiased))

    @staticmethod
    def _in_colors(painted: Image, colors: Statistics) -> Image:
        return with_statistics(painted, mean_and_deviation(painted, PALETTE_EPSILON), colors)

    def turns(self, batch: Styled, progress: Progress) -> Iterator[Turn]:
        """L_c + lambda L_s of equation 11; and how well the decoder inverts the encoder, where that has a weight."""
        with torch.no_grad():
            content, style = self.encoder(batch.source).float(), activations(self.encoder, batch.style, STYLE_LAYERS)
        losses: dict[str, Tensor] = {}
        if self.config.content_weight or self.config.style_weight:
            losses |= self._losses_of_paintings(content, style, batch.style)
        if self.config.inversion_weight:
            pictures, codes = torch.cat([batch.source, batch.style]), torch.cat([content, style[STYLE_LAYERS[-1]]])
            losses["inversion"] = self.config.inversion_weight * F.mse_loss(self.decoder(codes).float(), pictures)
        yield Turn("decoder", losses)

    def _losses_of_paintings(
        self,
        content: Float[Tensor, "n c h w"],
        style: Mapping[str, Float[Tensor, "n _c _h _w"]],
        colors: Float[Tensor, "n 3 H W"],
    ) -> dict[str, Tensor]:
        """Of each content in its own style, and in as many of the next ones as the configuration says."""
        times = self.config.pairings
        wanted = {layer: _with_the_next(quick_mean_and_deviation(x), times) for layer, x in style.items()}
        contents = torch.cat([content] * times)
        target = with_statistics(contents, mean_and_deviation(contents), wanted[STYLE_LAYERS[-1]])  # t
        painted = self.decoder(target).float()
        if self.config.palette:
            painted = self._in_colors(painted, _with_the_next(mean_and_deviation(colors), times))
        found = activations(self.encoder, painted, STYLE_LAYERS)
        content_loss = F.mse_loss(found[STYLE_LAYERS[-1]].float(), target)  # equation 12
        losses = {
            "content": self.config.content_weight * content_loss,
            "style": self.config.style_weight * statistics_loss(found, wanted, STYLE_LAYERS),
        }
        if self.config.lattice_weight:
            losses["lattice"] = self.config.lattice_weight * lattice(painted, STRIDE)
        return losses

    @property
    def reader(self) -> nn.Module:
        """What sees a style."""
        return self.encoder

    @torch.no_grad()
    def read(self, style: Image, reader: Callable[[Image], Tensor] | None = None) -> Statistics:
        """What the network gets of a style: mu(f(s)) and sigma(f(s)), and with a palette those of its colours.

        Args:
            style: (n, 3, h, w).
            reader: What runs the encoder; None runs it as it is.

        Raises:
            LimnerError: If the picture is too small.
        """
        check_style_sides(style, 2 * STRIDE)
        code = self._statistics((reader or self.encoder)(style))
        if not self.config.palette:
            return code
        return Statistics(*(torch.cat(pair, 1) for pair in zip(code, mean_and_deviation(style), strict=True)))

    @staticmethod
    def mixed(styles: Sequence[Statistics], weights: Sequence[float]) -> Statistics:
        """The style between several, by their weights, which are divided by their sum.

        Equation 15 takes the weighted mean of AdaIN(f(c), f(s_k)); as AdaIN is linear in mu(y) and sigma(y), that is
        AdaIN by the weighted means of these.

        Raises:
            LimnerError: If there is not one weight for each, one is below 0, or all are 0.
        """
        means, deviations = [one.mean for one in styles], [one.deviation for one in styles]
        return Statistics(weighted_mean(means, weights), weighted_mean(deviations, weights))

    def stylizer(self, style: Statistics, alpha: float = 1.0) -> "Stylizer":
        """The network for one style, or for several that are `mixed`.

        Args:
            style: As `read` gives it.
            alpha: Of equation 14: 0 keeps the content, 1 takes the style.
        """
        return Stylizer(self, style, alpha)

    def region_stylizer(self, styles: Sequence[Statistics], alpha: float = 1.0) -> "RegionStylizer":
        """The network for styles that each have their part of the picture."""
        return RegionStylizer(self, styles, alpha)


def _with_the_next(statistics: Statistics, times: int) -> Statistics:
    """Of a batch, then of the next picture for each, and so on; the next of the last is another process's first."""
    whole = [processes.gathered(part) for part in statistics]
    return Statistics(*(torch.cat([processes.own_part(one.roll(-by, 0)) for by in range(times)]) for one in whole))


class Stylizer(nn.Module):
    """One style fixed: AdaIN is then an instance norm whose weight is sigma(f(s)) and whose bias is mu(f(s))."""

    inputs = (_picture("image"),)
    outputs = (Port("result", "photo"),)

    def __init__(self, system: AdaIN, style: Statistics, alpha: float = 1.0) -> None:
        super().__init__()
        self.encoder, self.decoder, self.alpha = system.encoder, system.decoder, checked_alpha(alpha)
        code, colors = _apart(style)
        self.norm = _fixed_norm(code, EPSILON)
        self.palette = _fixed_norm(colors, PALETTE_EPSILON) if system.config.palette else None

    def forward(self, image: Image) -> Image:
        """g((1 - alpha) f(c) + alpha AdaIN(f(c), f(s))), equation 14."""
        content = self.encoder(image)
        painted: Tensor = self.decoder(self._between(self.norm(content), content))
        return painted if self.palette is None else self._between(self.palette(painted), painted)

    def _between(self, styled: Tensor, content: Tensor) -> Tensor:
        return styled if self.alpha == 1 else self.alpha * styled + (1 - self.alpha) * content


def _apart(style: Statistics) -> tuple[Statistics, Statistics]:
    """Those of the code, and those of the colours, if there are any."""
    code, colors = zip(*((part[:, :_ENCODED], part[:, _ENCODED:]) for part in style), strict=True)
    return Statistics(*code), Statistics(*colors)


def _fixed_norm(style: Statistics, epsilon: float) -> nn.InstanceNorm2d:
    norm = nn.InstanceNorm2d(style.mean.shape[1], eps=epsilon, affine=True)
    norm.weight = nn.Parameter(style.deviation.detach().flatten(), requires_grad=False)
    norm.bias = nn.Parameter(style.mean.detach().flatten(), requires_grad=False)
    return norm


class RegionStylizer(nn.Module):
    """Several styles fixed, each for its part of the picture (section 7.4, spatial control)."""

    outputs = (Port("result", "photo"),)

    def __init__(self, system: AdaIN, styles: Sequence[Statistics], alpha: float = 1.0) -> None:
        super().__init__()
        self.encoder, self.decoder, self.alpha = system.encoder, system.decoder, checked_alpha(alpha)
        self.num_styles, self.palette = len(styles), system.config.palette
        for number, style in enumerate(styles):
            for what, statistics in zip(("code", "colors"), _apart(style), strict=True):
                self.register_buffer(f"{what}_mean{number}", statistics.mean)
                self.register_buffer(f"{what}_deviation{number}", statistics.deviation)

    @property
    def inputs(self) -> tuple[Port, ...]:
        """The picture and the masks."""
        return (_picture("image"), Port("masks", "mask", self.num_styles, scale=1 / STRIDE))

    def forward(self, image: Image, masks: Float[Tensor, "n k H W"]) -> Image:
        """Each region's features get the statistics of its style, for those that they have within it.

        Args:
            image: Sides are multiples of 8.
            masks: Of each style, in [0, 1] with sums of at most 1, an eighth as large; where none is, all stays.
        """
        painted: Tensor = self.decoder(self._styled(self.encoder(image), masks, "code", EPSILON))
        if not self.palette:
            return painted
        wide = F.interpolate(masks, scale_factor=STRIDE, mode="bilinear")
        return self._styled(painted, wide, "colors", PALETTE_EPSILON)

    def _styled(self, content: Tensor, masks: Tensor, what: str, epsilon: float) -> Tensor:
        result = content
        for number in range(self.num_styles):
            mask = masks[:, number : number + 1]
            style = Statistics(getattr(self, f"{what}_mean{number}"), getattr(self, f"{what}_deviation{number}"))
            styled = with_statistics(content, mean_and_deviation_within(content, mask, epsilon), style)
            result = result + self.alpha * mask * (styled - content)
        return result


def checked_alpha(alpha: float) -> float:
    """The same.

    Raises:
        LimnerError: If it is not in [0, 1].
    """
    if not 0 <= alpha <= 1:
        raise LimnerError(f"alpha must lie in [0, 1], from the content to the style, got {alpha:g}")
    return alpha
