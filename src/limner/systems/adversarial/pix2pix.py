"""pix2pix: a picture of one kind in, one of another kind out, learnt from pairs.

Isola, Zhu, Zhou and Efros, "Image-to-image translation with conditional adversarial networks", CVPR 2017,
arXiv:1611.07004, section 3 and appendix 6.1. The innermost layer has no batch norm, as in the authors' code: it would
take away all that a batch of one says. Batch norm takes the statistics of the batch at hand, at work too (section 3.4).
Dropout is noise, at work too (section 3.2): it is an input of its own here, so that a seed decides the picture. Normal
noise beside x is another configuration, `GAUSSIAN`. `noisy_layers`, `bias` and the norm `seen` are for the networks of
pytorch-CycleGAN-and-pix2pix, whose dropout begins a layer later, and which `limner import` reads.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Annotated, Literal, Self

import torch
import torch.nn.functional as F
from jaxtyping import Float
from pydantic import Field, model_validator
from torch import Tensor, nn

from limner.config import Config
from limner.data.derived import Derivation
from limner.data.pairs import Pair
from limner.layers.game import Game
from limner.layers.patch_gan import MOST, begin_small, patch_gan
from limner.loops.fit import FitConfig
from limner.loops.optimizers import OptimizerConfig
from limner.losses.adversarial import discriminator_loss, generator_loss
from limner.ports import Port
from limner.types import Progress, Turn


class Pix2PixConfig(Config):
    """The U-Net, the PatchGAN, and the loss of equation 4."""

    in_channels: int = Field(3, ge=1, description="of x; the data tell")
    out_channels: int = Field(3, ge=1, description="of y; the data tell")
    derived: Derivation | None = Field(None, description="how x was made from photos, if it was; the data tell")
    class_names: tuple[str, ...] = Field((), description="where x is a label picture; the data tell")
    class_colors: tuple[tuple[int, int, int], ...] = Field((), description="likewise; the data tell")
    base_channels: int = Field(64, ge=1, description="of the first layers; they double up to eight times as many")
    num_downs: int = Field(8, ge=4, le=12, description="layers of the encoder, each halves the sides: 8 for 256 pixels")
    skips: bool = Field(True, description="whether the decoder sees the layers of the encoder (section 3.2.1)")
    dropout: float = Field(0.5, ge=0, lt=1, description="of the first three layers of the decoder: the noise z")
    latent_channels: int = Field(
        0, ge=0, description="of planes of normal noise beside x: z as earlier conditional GANs had it (section 3.2)"
    )
    noisy_layers: tuple[Annotated[int, Field(ge=0)], ...] = Field(
        (0, 1, 2), max_length=12, description="of the decoder, from the innermost on: those with dropout"
    )
    norm: Literal["batch", "instance", "seen"] = Field(
        "batch", description="over a batch, or over each picture alone; seen: by what batches in training were"
    )
    bias: bool = Field(False, description="whether the layers of the encoder without a norm have one")
    upsampling: Literal["transposed", "resize"] = Field(
        "transposed", description="resize: nearest pixels, then a 3x3 convolution, against checkerboards"
    )
    discriminator_layers: int = Field(
        3, ge=0, description="between first and last: 0, 1, 3, 5 see 1, 16, 70, 286 pixels"
    )
    discriminator_channels: int = Field(64, ge=1, description="of its first layer")
    conditional: bool = Field(True, description="whether the discriminator sees x too: equation 1, else equation 2")
    adversarial_weight: float = Field(1.0, ge=0, description="of the generator's loss by the discriminator; 0: none")
    l1_weight: float = Field(100.0, ge=0, description="lambda of equation 4")

    @model_validator(mode="after")
    def _has_a_loss(self) -> Self:
        if not self.adversarial_weight and not self.l1_weight:
            raise ValueError("adversarial_weight and l1_weight are both 0, and the generator needs a loss")
        if not all(number < self.num_downs - 1 for number in self.noisy_layers):
            raise ValueError(f"noisy_layers must be below num_downs - 1, got {self.noisy_layers}")
        return self


PIX2PIX_2017 = Pix2PixConfig()
MODERN = Pix2PixConfig(
    base_channels=32, num_downs=7, discriminator_channels=32
)  # ours: an eighth of the work, for CPUs
ANY_SIZE = MODERN.model_copy(update={"norm": "instance", "upsampling": "resize"})  # ours: exact in parts, no checkers

GAUSSIAN = PIX2PIX_2017.model_copy(update={"dropout": 0.0, "latent_channels": 8})
"""What the paper's first experiments had: the generator learnt to ignore it."""

ABLATIONS: Mapping[str, Mapping[str, float | bool]] = {
    "L1": {"adversarial_weight": 0},
    "GAN": {"conditional": False, "l1_weight": 0},
    "cGAN": {"l1_weight": 0},
    "L1+GAN": {"conditional": False},
    "L1+cGAN": {},
    "L1, no skips": {"adversarial_weight": 0, "skips": False},
    "L1+cGAN, no skips": {"skips": False},
}
"""What the rows of tables 1 and 2 change of a configuration."""


def ablated(config: Pix2PixConfig, name: str) -> Pix2PixConfig:
    """A configuration as a row of tables 1 and 2 has it.

    >>> ablated(PIX2PIX_2017, "L1+GAN").conditional
    False
    """
    return config.model_copy(update=dict(ABLATIONS[name]))


FIT_2017 = FitConfig(  # appendix 6.2: Adam, 200 epochs of the 400 facades, a batch of one
    steps=80_000,
    batch_size=1,
    optimizer=OptimizerConfig(kind="adam", learning_rate=2e-4, betas=(0.5, 0.999)),
)
FIT_MODERN = FIT_2017.model_copy(update={"steps": 40_000, "precision": "bfloat16"})  # ours


class Generator(nn.Module):
    """The U-Net of appendix 6.1.1: each layer of the decoder also sees the layer of the encoder that is as large."""

    def __init__(self, config: Pix2PixConfig = PIX2PIX_2017) -> None:
        super().__init__()
        self.config = config
        widths = [config.base_channels * min(2**number, MOST) for number in range(config.num_downs)]
        pairs = list(itertools.pairwise([config.in_channels + config.latent_channels, *widths]))
        unnormed = (0, config.num_downs - 1)
        self.downs = nn.ModuleList(
            _down(*pair, norm=None if number in unnormed else config.norm, bias=config.bias and number in unnormed)
            for number, pair in enumerate(pairs)
        )
        seen = 2 if config.skips else 1
        back = list(itertools.pairwise(reversed(widths)))
        self.ups = nn.ModuleList(
            nn.Sequential(
                _enlarging(before if number == 0 else seen * before, after, config, bias=False),
                _norm(after, config.norm),
            )
            for number, (before, after) in enumerate(back)
        )
        self.noise_channels = {number: back[number][1] for number in config.noisy_layers}
        self.last = _enlarging(seen * widths[0], config.out_channels, config, bias=True)
        self.apply(begin_small)

    @property
    def inputs(self) -> tuple[Port, ...]:
        """A picture, the noise of each layer that has some, and z where there are planes of it."""
        sides = 2**self.config.num_downs
        noise = [
            Port(f"noise_{number}", "noise", channels, scale=2 ** (number + 1) / sides, uniform=True)
            for number, channels in self.noise_channels.items()
        ]
        if self.config.latent_channels:
            noise.append(Port("z", "noise", self.config.latent_channels))
        return (Port("photo", "photo", self.config.in_channels, multiple=sides, least=sides), *noise)

    @property
    def outputs(self) -> tuple[Port, ...]:
        """A picture of the same size."""
        return (Port("picture", "photo", self.config.out_channels),)

    def forward(self, photo: Float[Tensor, "n c h w"], *more: Tensor) -> Float[Tensor, "n k h w"]:
        """A picture in [0, 1] -> a picture in [0, 1].

        Args:
            photo: The picture.
            more: Noise in [0, 1) for the dropout of each noisy layer; and normal noise (n, z, h, w), if any.
        """
        noise = dict(zip(self.noise_channels, more, strict=False))
        z = more[len(noise) :]
        seen = [torch.cat([2 * photo - 1, *z], 1)]
        for down in self.downs:
            seen.append(down(seen[-1]))
        x = seen.pop()
        for number, up in enumerate(self.ups):
            x = up(F.relu(x))
            x = dropped(x, noise[number], self.config.dropout) if number in noise else x
            x = torch.cat([x, seen.pop()], 1) if self.config.skips else x
        return (torch.tanh(self.last(F.relu(x))) + 1) / 2


def _drawn(port: Port, source: Tensor) -> Tensor:
    """Noise for a batch."""
    draw = torch.rand if port.uniform else torch.randn
    return draw(port.shape(len(source), *source.shape[-2:]), device=source.device)


def dropped(x: Tensor, noise: Tensor, share: float) -> Tensor:
    """Dropout of a share of the values, by noise that is uniform in [0, 1)."""
    return torch.where(noise < share, 0.0, x / (1 - share))


def _down(in_channels: int, out_channels: int, *, norm: str | None, bias: bool) -> nn.Sequential:
    """Ck of the encoder: a convolution, its norm, and the leaky ReLU before the next one."""
    convolution = nn.Conv2d(in_channels, out_channels, 4, stride=2, padding=1, bias=bias)
    return nn.Sequential(convolution, *([_norm(out_channels, norm)] if norm else []), nn.LeakyReLU(0.2))


def _enlarging(in_channels: int, out_channels: int, config: Pix2PixConfig, *, bias: bool) -> nn.Module:
    """Twice as large: by the paper, or as Odena et al. 2016, doi:10.23915/distill.00003, who leave no checkerboard."""
    if config.upsampling == "transposed":
        return nn.ConvTranspose2d(in_channels, out_channels, 4, stride=2, padding=1, bias=bias)
    return nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=bias))


def _norm(channels: int, kind: str) -> nn.Module:
    if kind == "instance":
        return nn.InstanceNorm2d(channels, affine=True)
    return nn.BatchNorm2d(channels, track_running_stats=kind == "seen")


class Discriminator(nn.Module):
    """The PatchGAN of appendix 6.1.2: each logit judges a patch of the picture, and of x where it is conditional."""

    def __init__(self, config: Pix2PixConfig) -> None:
        super().__init__()
        self.config = config
        channels = config.out_channels + config.conditional * config.in_channels
        norm = partial(_norm, kind=config.norm)
        self.layers = (
            patch_gan(channels, config.discriminator_channels, config.discriminator_layers, norm, bias=False)
            if config.discriminator_layers
            else _pixels(channels, config)
        )
        self.apply(begin_small)

    def forward(self, source: Tensor, image: Tensor) -> Float[Tensor, "n 1 _ _"]:
        """Two pictures in [0, 1] -> logits, above 0 for what is taken for real."""
        seen = torch.cat([source, image], 1) if self.config.conditional else image
        return self.layers(2 * seen - 1)


def _pixels(channels: int, config: Pix2PixConfig) -> nn.Sequential:
    """Each logit sees a pixel."""
    width = config.discriminator_channels
    second = nn.Conv2d(width, 2 * width, 1, bias=False)
    return nn.Sequential(
        nn.Conv2d(channels, width, 1), nn.LeakyReLU(0.2), second, _norm(2 * width, config.norm), nn.LeakyReLU(0.2),
        nn.Conv2d(2 * width, 1, 1),
    )  # fmt: skip


class Pix2Pix(Game):
    """The game of the two networks; `forward` is the generator alone."""

    def __init__(self, config: Pix2PixConfig = PIX2PIX_2017) -> None:
        super().__init__(Generator(config), Discriminator(config) if config.adversarial_weight else nn.Identity())
        self.config = config

    @property
    def players(self) -> Mapping[str, nn.Module]:
        """Two: the discriminator moves first; the generator alone, where there is no game."""
        return super().players if self.config.adversarial_weight else {"generator": self.generator}

    def turns(self, batch: Pair, progress: Progress) -> Iterator[Turn]:
        """Equations 1 to 4; the discriminator's loss is halved, to slow it down (section 3.3)."""
        fake = self.generator(batch.source, *(_drawn(port, batch.source) for port in self.inputs[1:]))
        losses = {}
        if self.config.adversarial_weight:
            real_logits, fake_logits = self._judged(batch.source, batch.target, fake.detach())
            yield Turn("discriminator", {"adversarial": discriminator_loss(real_logits, fake_logits) / 2})
            gained = generator_loss(self.discriminator(batch.source, fake))
            losses["adversarial"] = self.config.adversarial_weight * gained
        if self.config.l1_weight:
            losses["l1"] = self.config.l1_weight * F.l1_loss(2 * fake.float(), 2 * batch.target)  # in [-1, 1]
        yield Turn("generator", losses)

    def _judged(self, source: Tensor, real: Tensor, fake: Tensor) -> Sequence[Tensor]:
        """The logits of two pictures: of one pass, where no norm takes statistics over both."""
        if self.config.norm != "instance":
            return self.discriminator(source, real), self.discriminator(source, fake)
        both: Tensor = self.discriminator(source.repeat(2, 1, 1, 1), torch.cat([real, fake]))
        return both.chunk(2)
