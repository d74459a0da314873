"""CycleGAN: pictures of one kind into another and back, learnt without pairs.

Zhu, Park, Isola and Efros, "Unpaired image-to-image translation using cycle-consistent adversarial networks", ICCV
2017, arXiv:1703.10593, sections 3 and 4 and appendix 7.2.
Differs from the paper: `CYCLEGAN_RELEASED_CODE` has the identity loss for all data, which the paper has for paintings
alone. The discriminators move first, and then judge the same fakes for the generators. What a generator is given twice
in a step goes through it as one batch: instance norm knows each picture for itself. A U-Net as generator, its encoder
as discriminator, and enlarging before a convolution are other configurations; `MODERN` is ours.
"""

import itertools
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from limner.config import Config
from limner.data.unpaired import Level, Unpaired
from limner.errors import LimnerError
from limner.layers.game import Game
from limner.layers.image_pool import ImagePool
from limner.layers.patch_gan import MOST, begin_small, patch_gan
from limner.loops.fit import FitConfig
from limner.loops.optimizers import OptimizerConfig, ScheduleConfig
from limner.losses.adversarial import GameConfig
from limner.ports import Port
from limner.types import Image, Progress, Turn

_STRIDE = 4  # pixels between neighbours in the deepest maps of the ResNet


class CycleGANConfig(Config):
    """The four networks, and the loss of equation 3."""

    domains: tuple[str, str] = Field(("A", "B"), description="what the two kinds are called; the data tell")
    background: tuple[Level, Level, Level] = Field(
        (255, 255, 255), description="R, G and B behind what is transparent; the data tell"
    )
    generator: Literal["resnet", "unet"] = Field("resnet", description="G and F")
    one_way: bool = Field(False, description="there is G alone, without F, as in a file of others: for use alone")
    norm: Literal["instance", "affine", "batch"] = Field(
        "instance",
        description="of the ResNet; affine: over each picture too, with a scale and a shift, as in the Lua code; "
        "batch, by what it has seen, is that of pix2pix's",
    )
    base_channels: int = Field(64, ge=1, description="of the first layer of a generator")
    num_blocks: int = Field(9, ge=1, description="residual blocks: 6 for 128 pixels, 9 for 256")
    upsampling: Literal["transposed", "resize"] = Field("transposed", description="resize leaves no checkerboard")
    num_downs: int = Field(8, ge=2, le=12, description="layers of the U-Net's encoder, each halving the sides")
    discriminator: Literal["patch", "encoder"] = Field("patch", description="encoder: that of the U-Net")
    discriminator_channels: int = Field(64, ge=1, description="of the first layer of a discriminator")
    discriminator_layers: int = Field(3, ge=1, description="between first and last: 3 sees 70x70 pixels")
    discriminator_norm: Literal["instance", "batch"] = Field("instance", description="of patches; batch: over a batch")
    game: GameConfig = Field(
        GameConfig(kind="least_squares"), description="section 4; minimax is the log loss of equation 1"
    )
    cycle_weight: float = Field(10.0, ge=0, description="lambda of equation 3")
    cycle_norm: Literal["l1", "l2"] = Field("l1", description="of equation 2")
    identity_weight: float = Field(0.0, ge=0, description="of section 5.2; it keeps colours")
    pool: int = Field(50, ge=0, description="generated pictures that the discriminators are shown again")


CYCLEGAN_2017 = CycleGANConfig()
CYCLEGAN_RELEASED_CODE = CycleGANConfig(identity_weight=5.0)  # train.lua: 0.5 times lambda
MODERN = CycleGANConfig(  # ours: for 64 to 128 pixels on CPUs
    base_channels=32,
    num_blocks=6,
    upsampling="resize",
    discriminator_channels=32,
    identity_weight=5.0,
)

FIT_2017 = FitConfig(  # 200 epochs of 1,000 pictures: section 4
    steps=200_000,
    batch_size=1,
    optimizer=OptimizerConfig(kind="adam", learning_rate=2e-4, betas=(0.5, 0.999)),
    schedule=ScheduleConfig(kind="linear", hold=0.5),
)
FIT_MODERN = FIT_2017.model_copy(  # ours
    update={"steps": 40_000, "batch_size": 2, "precision": "bfloat16", "ema_decay": 0.999}
)


class ResNetGenerator(nn.Module):
    """Appendix 7.2: down to a quarter of the sides, residual blocks there, and up again."""

    outputs = (Port("picture", "photo"),)

    def __init__(self, config: CycleGANConfig) -> None:
        super().__init__()
        narrow, middle, wide = (config.base_channels * factor for factor in (1, 2, 4))
        self.layers = nn.Sequential(
            nn.ReflectionPad2d(3),
            *_normed(nn.Conv2d(3, narrow, 7), narrow, config),
            *_normed(nn.Conv2d(narrow, middle, 3, stride=2, padding=1), middle, config),
            *_normed(nn.Conv2d(middle, wide, 3, stride=2, padding=1), wide, config),
            *(Residual(wide, config) for _ in range(config.num_blocks)),
            *_up(wide, middle, 3, config),
            *_up(middle, narrow, 3, config),
            nn.ReflectionPad2d(3),
            nn.Conv2d(narrow, 3, 7),
        )
        self.apply(begin_small)

    @property
    def inputs(self) -> tuple[Port, ...]:
        """A picture; a reflection needs more pixels than it is wide."""
        return (Port("photo", "photo", multiple=_STRIDE, least=2 * _STRIDE),)

    def forward(self, photo: Image) -> Image:
        """RGB in [0, 1], sides multiples of 4 and at least 8 -> the same size, in [0, 1]."""
        return (torch.tanh(self.layers(2 * photo - 1).float()) + 1) / 2


class Residual(nn.Module):
    """R of appendix 7.2: two 3x3 convolutions beside the input, without a ReLU after the sum."""

    def __init__(self, channels: int, config: CycleGANConfig) -> None:
        super().__init__()
        first, second = (nn.Conv2d(channels, channels, 3) for _ in range(2))
        normed = _normed(first, channels, config)
        self.layers = nn.Sequential(
            nn.ReflectionPad2d(1), *normed, nn.ReflectionPad2d(1), second, _norm(channels, config)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, h, w) -> (n, c, h, w)."""
        return x + self.layers(x)


class Encoder(nn.Module):
    """The way down of pix2pix's U-Net, with instance norm; the innermost map may be one pixel, so it has none."""

    def __init__(self, base_channels: int, num_downs: int) -> None:
        super().__init__()
        self.widths = [base_channels * min(2**number, MOST) for number in range(num_downs)]
        self.layers = nn.ModuleList()
        for number, (before, after) in enumerate(itertools.pairwise([3, *self.widths])):
            norm = [nn.InstanceNorm2d(after)] if 0 < number < num_downs - 1 else []
            self.layers.append(
                nn.Sequential(nn.Conv2d(before, after, 4, stride=2, padding=1), *norm, nn.LeakyReLU(0.2))
            )

    def forward(self, x: Tensor) -> list[Tensor]:
        """(n, 3, h, w) -> maps of h/2, h/4, ... rows."""
        maps = []
        for layer in self.layers:
            x = layer(x)
            maps.append(x)
        return maps


class UNetGenerator(nn.Module):
    """Each layer of the decoder also sees the map of the encoder that is as large."""

    outputs = (Port("picture", "photo"),)

    def __init__(self, config: CycleGANConfig) -> None:
        super().__init__()
        self.encoder = Encoder(config.base_channels, config.num_downs)
        given = [self.encoder.widths[-1], *(2 * width for width in self.encoder.widths[-2::-1])]
        self.ups = nn.ModuleList(
            nn.Sequential(*_up(before, after, 4, config))
            for before, after in zip(given, self.encoder.widths[-2::-1], strict=False)
        )
        self.last = nn.Sequential(*_enlarged(given[-1], 3, 4, config))
        self._multiple = 2**config.num_downs
        self.apply(begin_small)

    @property
    def inputs(self) -> tuple[Port, ...]:
        """A picture."""
        return (Port("photo", "photo", multiple=self._multiple, least=2 * self._multiple),)

    def forward(self, photo: Image) -> Image:
        """RGB in [0, 1], sides multiples of 2^num_downs -> the same size, in [0, 1]."""
        *seen, x = self.encoder(2 * photo - 1)
        for up in self.ups:
            x = torch.cat([up(x), seen.pop()], 1)
        return (torch.tanh(self.last(x).float()) + 1) / 2


def _normed(convolution: nn.Module, channels: int, config: CycleGANConfig) -> list[nn.Module]:
    return [convolution, _norm(channels, config), nn.ReLU()]


def _norm(channels: int, config: CycleGANConfig) -> nn.Module:
    if config.norm == "batch":
        return nn.BatchNorm2d(channels)
    return nn.InstanceNorm2d(channels, affine=config.norm == "affine")


def _up(in_channels: int, out_channels: int, kernel: int, config: CycleGANConfig) -> list[nn.Module]:
    """Twice as large, normed."""
    return [*_enlarged(in_channels, out_channels, kernel, config), _norm(out_channels, config), nn.ReLU()]


def _enlarged(in_channels: int, out_channels: int, kernel: int, config: CycleGANConfig) -> list[nn.Module]:
    if config.upsampling == "resize":
        return [nn.Upsample(scale_factor=2), nn.ReflectionPad2d(1), nn.Conv2d(in_channels, out_channels, 3)]
    return [nn.ConvTranspose2d(in_channels, out_channels, kernel, stride=2, padding=1, output_padding=kernel % 2)]


class Generators(nn.Module):
    """G from A to B and, but for `one_way`, F from B to A: what is used of the system; `forward` is G."""

    def __init__(self, config: CycleGANConfig = CYCLEGAN_2017) -> None:
        super().__init__()
        self.config = config
        build = ResNetGenerator if config.generator == "resnet" else UNetGenerator
        self.a_to_b = build(config)
        self.b_to_a = None if config.one_way else build(config)
        self.inputs, self.outputs = self.a_to_b.inputs, self.a_to_b.outputs

    @property
    def domains(self) -> tuple[str, str]:
        """What A and B are called."""
        return self.config.domains

    @property
    def background(self) -> tuple[int, int, int]:
        """The colour behind what is transparent."""
        return self.config.background

    @property
    def directions(self) -> Mapping[str, nn.Module]:
        """The generators that there are."""
        return {"AB": self.a_to_b} | ({} if self.b_to_a is None else {"BA": self.b_to_a})

    def forward(self, photo: Image) -> Image:
        """A picture of A in [0, 1] -> one of B."""
        made: Tensor = self.a_to_b(photo)
        return made


class EncoderDiscriminator(nn.Module):
    """The U-Net's encoder, and a logit for each place of its innermost map."""

    def __init__(self, config: CycleGANConfig) -> None:
        super().__init__()
        self.encoder = Encoder(config.discriminator_channels, config.num_downs)
        self.last = nn.Conv2d(self.encoder.widths[-1], 1, 1)

    def forward(self, image: Image) -> Float[Tensor, "n 1 _ _"]:
        """In [-1, 1] -> logits."""
        return self.last(self.encoder(image)[-1])


class Discriminators(nn.Module):
    """D_A and D_B, which tell real pictures of A and of B from generated ones."""

    def __init__(self, config: CycleGANConfig) -> None:
        super().__init__()
        self.a, self.b = _discriminator(config), _discriminator(config)
        self.apply(begin_small)

    def judge(self, domain: Literal["a", "b"], image: Image) -> Float[Tensor, "n 1 _ _"]:
        """Pictures in [0, 1] -> logits, above 0 for what is taken for real (with least squares near 1)."""
        network = self.a if domain == "a" else self.b
        return network(2 * image - 1)


def _discriminator(config: CycleGANConfig) -> nn.Module:
    if config.discriminator == "encoder":
        return EncoderDiscriminator(config)
    of_batches = config.discriminator_norm == "batch"
    norm = partial(nn.BatchNorm2d, track_running_stats=False) if of_batches else nn.InstanceNorm2d
    return patch_gan(3, config.discriminator_channels, config.discriminator_layers, norm, bias=not of_batches)


class CycleGAN(Game):
    """The game of the four networks; `forward` shows all that they make of pictures of either kind."""

    generator: Generators
    discriminator: Discriminators
    training_layout = torch.contiguous_format  # instance norm has no other, and turning maps took a fifth of a step

    def __init__(self, config: CycleGANConfig = CYCLEGAN_2017) -> None:
        if config.one_way:
            raise LimnerError("a game needs both generators, got one_way: it is for models that others have trained")
        super().__init__(Generators(config), Discriminators(config))
        self.config = config
        self.pool_a, self.pool_b = ImagePool(config.pool), ImagePool(config.pool)
        (port,) = self.inputs
        self.inputs = tuple(Port(name, "photo", multiple=port.multiple, least=port.least) for name in ("a", "b"))
        self.outputs = tuple(Port(name, "photo") for name in ("fake_b", "cycled_a", "fake_a", "cycled_b"))

    @property
    def _both(self) -> tuple[nn.Module, nn.Module]:
        there, back = self.generator.directions.values()
        return there, back

    def forward(self, a: Image, b: Image) -> tuple[Image, Image, Image, Image]:  # type: ignore[override]  # as its ports say
        """Pictures of A and of B -> G(a), F(G(a)), F(b) and G(F(b))."""
        there, back = self._both
        fake_b, fake_a = there(a), back(b)
        return fake_b, back(fake_b), fake_a, there(fake_a)

    def turns(self, batch: Unpaired, progress: Progress) -> Iterator[Turn]:
        """Equation 3 for either player; the discriminators' loss is halved (section 7.1)."""
        there, back = self._both
        fake_b, same_b = self._made(there, *batch)
        fake_a, same_a = self._made(back, batch.b, batch.a)
        told = self._told("a", batch.a, self.pool_a(fake_a), progress)
        yield Turn("discriminator", told | self._told("b", batch.b, self.pool_b(fake_b), progress))
        game, weight = self.config.game, self.config.identity_weight
        losses = {
            "adversarial_a": game.generator(self._judged("a", fake_a, progress)),
            "adversarial_b": game.generator(self._judged("b", fake_b, progress)),
            "cycle_a": self.config.cycle_weight * self._cycle(back(fake_b), batch.a),
            "cycle_b": self.config.cycle_weight * self._cycle(there(fake_a), batch.b),
        }
        if weight:
            losses["identity_a"] = weight * _l1(same_a, batch.a)
            losses["identity_b"] = weight * _l1(same_b, batch.b)
        yield Turn("generator", losses)

    def _made(self, generator: nn.Module, photo: Image, own: Image) -> tuple[Image, Image]:
        """What becomes of pictures and, where that counts, of those that are of the wanted kind already."""
        if not self.config.identity_weight:
            return generator(photo), own
        made, same = generator(torch.cat([photo, own])).chunk(2)
        return made, same

    def _told(self, domain: Literal["a", "b"], real: Image, fake: Image, progress: Progress) -> dict[str, Tensor]:
        """The losses of one discriminator; real and fake pictures are one batch, if no norm is over batches."""
        game = self.config.game
        if self.config.discriminator_norm == "batch":
            real_logits, fake_logits = (self._judged(domain, one, progress) for one in (real, fake))
        else:
            real_logits, fake_logits = self._judged(domain, torch.cat([real, fake]), progress).chunk(2)
        losses = {"adversarial": game.discriminator(real_logits, fake_logits) / 2}
        losses |= game.penalties(lambda image: self._judged(domain, image, progress), real, fake, progress)
        return {f"{name}_{domain}": loss for name, loss in losses.items()}

    def _judged(self, domain: Literal["a", "b"], image: Image, progress: Progress) -> Tensor:
        return self.discriminator.judge(domain, self.config.game.noisy(image, progress))

    def _cycle(self, cycled: Image, photo: Image) -> Tensor:
        """Equation 2, on pictures in [-1, 1]."""
        return _l1(cycled, photo) if self.config.cycle_norm == "l1" else F.mse_loss(2 * cycled, 2 * photo)


def _l1(one: Image, other: Image) -> Tensor:
    return F.l1_loss(2 * one, 2 * other)
