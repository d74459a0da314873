"""StyleGAN: noise becomes a style, and styles with noise of their own at each layer make the picture.

Karras, Laine and Aila, "A style-based generator architecture for generative adversarial networks", CVPR 2019,
arXiv:1812.04948, sections 2 and 3, figure 1 and appendices B and C; what they leave open is as in NVlabs/stylegan.
Differs from the paper: growth is told in shares of a run, batches have one size and learning one rate throughout, the
memory of the optimisers is kept when a level is added, and a style's gain is 1 plus what is learnt (as in the code).
"""

import math
from collections.abc import Iterator
from typing import Literal, Self, TypeAlias

import torch
import torch.nn.functional as F
from jaxtyping import Float
from pydantic import Field, model_validator
from torch import Tensor, nn

from limner.config import Config
from limner.data.labelled import Labelled
from limner.layers.adaptive_augment import AdaptiveAugment, AdaptiveConfig
from limner.layers.equalized import RELU_GAIN, EqualizedConv2d, EqualizedLinear, blur, pixel_norm, with_deviation
from limner.layers.game import Game
from limner.layers.growth import LEAST_SIDE, GrowthConfig, doubled, halved
from limner.loops.fit import FitConfig
from limner.loops.optimizers import OptimizerConfig
from limner.losses.adversarial import GameConfig
from limner.ops.latents import mixed
from limner.ports import Port
from limner.types import Progress, Turn

_Map: TypeAlias = Float[Tensor, "n c h w"]
_Styles: TypeAlias = Float[Tensor, "n l z"]
_Noise: TypeAlias = Float[Tensor, "n m"] | None

_CENTER_DECAY = 0.995  # of the mean style
_SLOPE = 0.2  # of leaky ReLUs


class StyleGANConfig(Config):
    """Figure 1b; `generator=traditional` is figure 1a."""

    generator: Literal["style", "traditional"] = "style"
    channels: int = Field(3, ge=1, description="of the pictures; the data tell")
    side: int = Field(1024, ge=8, description="of the pictures, in pixels, a power of two; the data tell")
    latent_channels: int = Field(512, ge=1, description="of z, normal, and of w")
    mapping_layers: int = Field(8, ge=1, description="from z to w")
    mapping_rate: float = Field(0.01, gt=0, description="of the mapping's learning rate to that of all else")
    channels_at_64: int = Field(256, ge=1, description="of maps of 64 pixels a side; twice as many at each halving")
    most_channels: int = Field(512, ge=1, description="but no more than these")
    mixing: float = Field(0.9, ge=0, le=1, description="share of pictures that are made of two latents in training")
    noise: bool = Field(True, description="whether there is noise at each layer")
    epsilon: float = Field(1e-8, gt=0, lt=1, description="added to variances in AdaIN")
    blurred_bias: bool = Field(False, description="doubling layers have a bias before the blur, as ports of others do")
    deviation_group: int = Field(4, ge=1, description="pictures whose differences the discriminator sees; 1: none")
    growth: GrowthConfig = GrowthConfig()
    adaptive: AdaptiveConfig = AdaptiveConfig()
    game: GameConfig = GameConfig(r1=10.0)

    @property
    def sides(self) -> list[int]:
        """Of the maps, from 4 pixels on."""
        return [LEAST_SIDE * 2**level for level in range(int(math.log2(self.side / LEAST_SIDE)) + 1)]

    @property
    def num_layers(self) -> int:
        """That have a style: two of each side."""
        return 2 * len(self.sides)

    @property
    def noise_channels(self) -> int:
        """Numbers of noise of a picture: a plane for each layer."""
        return sum(2 * side**2 for side in self.sides) if self.noise and self.generator == "style" else 0

    def channels_at(self, side: int) -> int:
        """Of the maps of that side."""
        return max(1, min(self.most_channels, 64 * self.channels_at_64 // side))

    @model_validator(mode="after")
    def _sides_are_reached(self) -> Self:
        if self.side != self.sides[-1]:
            raise ValueError(f"side must be a power of two, got {self.side}: pass --set data.side=64, or a data.margin")
        if self.growth.phase_share and self.growth.first_side not in self.sides:
            raise ValueError(f"growth must begin with one of the sides {self.sides}, got {self.growth.first_side}")
        return self


STYLEGAN_2019 = StyleGANConfig()
TRADITIONAL_2019 = StyleGANConfig(generator="traditional")
FIXED_2019 = StyleGANConfig(growth=GrowthConfig(phase_share=0.0))
MODERN = StyleGANConfig(  # ours: for 64 pixels on CPUs
    side=64, latent_channels=128, channels_at_64=32, most_channels=128,
    growth=GrowthConfig(first_side=32, phase_share=0.25), game=GameConfig(r1=5.0, penalty_every=16),
)  # fmt: skip

FIT_2019 = FitConfig(  # 25 M pictures
    steps=25_000_000 // 32,
    batch_size=32,
    optimizer=OptimizerConfig(learning_rate=1e-3, betas=(0.0, 0.99)),
    ema_decay=0.5 ** (32 / 10_000),
)
FIT_MODERN = FitConfig(  # ours
    steps=40_000, batch_size=24, optimizer=OptimizerConfig(learning_rate=2e-3, betas=(0.0, 0.99)),
    precision="bfloat16", ema_decay=0.998,
)  # fmt: skip


class Mapping(nn.Module):
    """Section 2: eight layers from z, of length 1, to w."""

    def __init__(self, config: StyleGANConfig) -> None:
        super().__init__()
        size = config.latent_channels
        self.layers = nn.ModuleList(
            EqualizedLinear(size, size, rate=config.mapping_rate) for _ in range(config.mapping_layers)
        )

    def forward(self, latent: Float[Tensor, "n z"]) -> Float[Tensor, "n z"]:
        """Standard normal -> styles."""
        x = pixel_norm(latent)
        for layer in self.layers:
            x = F.leaky_relu(layer(x), _SLOPE)
        return x


class Constant(nn.Module):
    """The first map of figure 1b: learnt, the same for all pictures."""

    def __init__(self, config: StyleGANConfig) -> None:
        super().__init__()
        self.map = nn.Parameter(torch.ones(1, config.channels_at(LEAST_SIDE), LEAST_SIDE, LEAST_SIDE))

    def forward(self, style: Float[Tensor, "n z"]) -> Float[Tensor, "n c 4 4"]:
        """It hangs on nothing."""
        return self.map.expand(style.shape[0], -1, -1, -1)  # len would be a constant of an export


class FirstMap(nn.Module):
    """The first map of figure 1a: made of z, of length 1."""

    def __init__(self, config: StyleGANConfig) -> None:
        super().__init__()
        units = config.channels_at(LEAST_SIDE) * LEAST_SIDE**2
        self.linear = EqualizedLinear(config.latent_channels, units, gain=RELU_GAIN / 4, bias=False)

    def forward(self, latent: Float[Tensor, "n z"]) -> Float[Tensor, "n c 4 4"]:
        """Standard normal z."""
        return self.linear(pixel_norm(latent)).unflatten(1, (-1, LEAST_SIDE, LEAST_SIDE))


class Modulated(nn.Module):
    """What comes after each convolution of figure 1b: noise, bias, leaky ReLU, and a style."""

    def __init__(self, channels: int, config: StyleGANConfig) -> None:
        super().__init__()
        self.noise_gain = nn.Parameter(torch.zeros(channels, 1, 1)) if config.noise else None
        self.bias = nn.Parameter(torch.zeros(channels, 1, 1))
        self.style, self.epsilon = EqualizedLinear(config.latent_channels, 2 * channels, gain=1.0), config.epsilon

    def forward(self, x: _Map, style: Float[Tensor, "n z"], noise: Float[Tensor, "n 1 h w"] | None) -> _Map:
        """Equation 1, y_s being 1 plus what is learnt."""
        if self.noise_gain is not None and noise is not None:
            x = x + (self.noise_gain * noise).to(x.dtype)
        x = F.instance_norm(F.leaky_relu(x + self.bias.to(x.dtype), _SLOPE), eps=self.epsilon)
        scale, shift = self.style(style)[:, :, None, None].to(x.dtype).chunk(2, 1)
        return x * (scale + 1) + shift


class Plain(nn.Module):
    """What comes after each convolution of figure 1a: bias, leaky ReLU and pixel norm."""

    def __init__(self, channels: int, config: StyleGANConfig) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels, 1, 1))

    def forward(self, x: _Map, style: Float[Tensor, "n z"], noise: Float[Tensor, "n 1 h w"] | None) -> _Map:
        """Neither style nor noise counts."""
        return pixel_norm(F.leaky_relu(x + self.bias.to(x.dtype), _SLOPE))


class Generator(nn.Module):
    """Figure 1: a map of 4 pixels a side, then two layers of each side, the first of which doubles it."""

    center: Tensor
    """The mean style, (z,)."""
    shown: Tensor
    """How much of a level's picture stands before that of the level below, (levels,): 1 where it is grown."""

    def __init__(self, config: StyleGANConfig = STYLEGAN_2019) -> None:
        super().__init__()
        self.config = config
        self.has_styles = config.generator == "style"
        self.layer_sides = tuple(side for side in config.sides for _ in range(2))
        self.mapping = Mapping(config) if self.has_styles else None
        self.first = Constant(config) if self.has_styles else FirstMap(config)
        self.convolutions, self.layers, self.pictures = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        after = Modulated if self.has_styles else Plain
        for side in config.sides:
            before, channels = config.channels_at(max(side // 2, LEAST_SIDE)), config.channels_at(side)
            if side > LEAST_SIDE:
                doubling = EqualizedConv2d(before, channels, side="doubled", bias=config.blurred_bias)
                self.convolutions.append(doubling)
            self.convolutions.append(EqualizedConv2d(channels, channels, bias=False))
            self.layers += [after(channels, config), after(channels, config)]
            if config.growth.phase_share or side == config.side:
                self.pictures.append(EqualizedConv2d(channels, config.channels, 1, gain=1.0))
        self.register_buffer("center", torch.zeros(config.latent_channels))
        self.register_buffer("shown", torch.ones(len(self.pictures)))

    @property
    def inputs(self) -> tuple[Port, ...]:
        """Z, and the noise of all layers in a row."""
        latent = Port("latent", "latent", self.config.latent_channels)
        noise = Port("noise", "latent", self.config.noise_channels)
        return (latent, noise) if self.config.noise_channels else (latent,)

    @property
    def outputs(self) -> tuple[Port, ...]:
        """A picture of one size."""
        return (Port("picture", "photo", self.config.channels, scale=self.config.side),)

    def forward(self, latent: Float[Tensor, "n z"], noise: _Noise = None) -> _Map:
        """Normal z and noise, or none at all -> pictures in [0, 1]."""
        return self.picture_of(self.styles_of(latent), noise)

    def styles_of(self, latent: Float[Tensor, "n z"]) -> _Styles:
        """The styles of all layers, w: of one latent all are the same."""
        w: Tensor = latent if self.mapping is None else self.mapping(latent)
        return w[:, None].expand(-1, self.config.num_layers, -1)

    def picture_of(self, styles: _Styles, noise: _Noise = None) -> _Map:
        """Styles and noise -> pictures in [0, 1]."""
        return ((self.synthesis(styles, noise) + 1) / 2).clamp(0, 1)

    def synthesis(self, styles: _Styles, noise: _Noise = None, level: int | None = None) -> _Map:
        """Styles and noise -> pictures about [-1, 1], of the side of a level; None is the last one."""
        planes = [None] * self.config.num_layers if noise is None else self._planes(noise)
        last = len(self.config.sides) - 1 if level is None else level
        x, convolutions = self.first(styles[:, 0]), iter(self.convolutions)
        picture: Tensor | None = None
        for layer in range(2 * last + 2):
            if layer:
                x = next(convolutions)(x)
                x = blur(x) if self.has_styles and layer % 2 == 0 else x
            x = self.layers[layer](x, styles[:, layer], planes[layer])
            if layer % 2 and len(self.pictures) > 1:
                own = self.pictures[layer // 2](x)
                shown = self.shown[layer // 2].to(own.dtype)
                picture = own if picture is None else torch.lerp(doubled(picture), own, shown)
        return self.pictures[-1](x) if picture is None else picture

    def _planes(self, noise: Float[Tensor, "n m"]) -> list[Tensor]:
        parts = noise.split([side**2 for side in self.layer_sides], 1)
        return [part.unflatten(1, (1, side, side)) for part, side in zip(parts, self.layer_sides, strict=True)]


class Discriminator(nn.Module):
    """The traditional one (table 2 of arXiv:1710.10196), with blur: the generator's mirror image."""

    def __init__(self, config: StyleGANConfig = STYLEGAN_2019) -> None:
        super().__init__()
        self.config = config
        least = config.channels_at(LEAST_SIDE)
        self.maps, self.blocks = nn.ModuleList(), nn.ModuleList()  # of all sides; of those above 4
        for side in config.sides:
            if config.growth.phase_share or side == config.side:
                self.maps.append(EqualizedConv2d(config.channels, config.channels_at(side), 1))
            if side > LEAST_SIDE:
                self.blocks.append(Halving(config.channels_at(side), config.channels_at(side // 2), config))
        self.last = EqualizedConv2d(least + (config.deviation_group > 1), least)
        self.units = EqualizedLinear(least * LEAST_SIDE**2, least)
        self.logit = EqualizedLinear(least, 1, gain=1.0)

    def forward(self, image: Float[Tensor, "n c h w"], shown: float = 1.0) -> Float[Tensor, "n 1"]:
        """Pictures about [-1, 1] of any of its sides -> logits, above 0 for what is taken for real.

        Args:
            image: The pictures.
            shown: How much of the pictures' own level counts; the rest is of the level below.
        """
        level = self.config.sides.index(image.shape[-1])
        x = F.leaky_relu(self.maps[level if len(self.maps) > 1 else 0](image), _SLOPE)
        for number in reversed(range(level)):
            x = self.blocks[number](x)
            if number == level - 1 and shown < 1:
                x = torch.lerp(F.leaky_relu(self.maps[number](halved(image)), _SLOPE), x, shown)
        x = with_deviation(x, self.config.deviation_group) if self.config.deviation_group > 1 else x
        x = F.leaky_relu(self.last(x), _SLOPE).flatten(1)
        logits: Tensor = self.logit(F.leaky_relu(self.units(x), _SLOPE))
        return logits


class Halving(nn.Module):
    """Two layers of the discriminator, the second of which halves the side."""

    def __init__(self, in_channels: int, out_channels: int, config: StyleGANConfig) -> None:
        super().__init__()
        self.first = EqualizedConv2d(in_channels, in_channels)
        self.second = EqualizedConv2d(in_channels, out_channels, side="halved")
        self.blurs = config.generator == "style"

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d h2 w2"]:
        """Maps."""
        x = F.leaky_relu(self.first(x), _SLOPE)
        return F.leaky_relu(self.second(blur(x) if self.blurs else x), _SLOPE)


class StyleGAN(Game):
    """The game of the two networks; `forward` is the generator alone."""

    generator: Generator

    def __init__(self, config: StyleGANConfig = STYLEGAN_2019) -> None:
        super().__init__(Generator(config), Discriminator(config))
        self.config = config
        self.augment = AdaptiveAugment(config.adaptive)

    def turns(self, batch: Labelled, progress: Progress) -> Iterator[Turn]:
        """Section 2 and appendix C; classes do not count."""
        config, game = self.config, self.config.game
        growth = config.growth.at(progress, config.sides)
        if len(self.generator.shown) > 1:
            self.generator.shown.copy_(growth.of_levels(len(config.sides)))

        def judge(image: Tensor) -> Tensor:
            logits: Tensor = self.discriminator(game.noisy(image, progress), growth.shown)
            return logits

        styles = self._mixed_styles(len(batch.image), 2 * growth.level + 2)
        noise = torch.randn(len(styles), config.noise_channels, device=styles.device) if config.noise_channels else None
        fake = self.generator.synthesis(styles, noise, level=growth.level)
        real = self.augment(growth.seen(2 * batch.image - 1, len(config.sides)))
        judged = judge(real), judge(self.augment(fake.detach()))
        self.augment.observe(judged[0])
        penalties = game.penalties(judge, real, fake, progress)
        yield Turn("discriminator", {"adversarial": game.discriminator(*judged)} | penalties)
        yield Turn("generator", {"adversarial": game.generator(judge(self.augment(fake)))})

    def _mixed_styles(self, number: int, layers: int) -> _Styles:
        """Section 3.1: for some pictures of two latents, the second one from a random one of the layers on."""
        config, generator = self.config, self.generator
        device = generator.center.device
        styles = generator.styles_of(torch.randn(number, config.latent_channels, device=device))
        if not generator.has_styles:
            return styles
        generator.center.lerp_(styles[:, 0].detach().float().mean(0), 1 - _CENTER_DECAY)
        others = generator.styles_of(torch.randn(number, config.latent_channels, device=device))
        first = torch.randint(1, layers, (number,), device=device)
        first = torch.where(torch.rand(number, device=device) < config.mixing, first, layers)
        return mixed(styles, others, first)
