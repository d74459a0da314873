"""pix2pix: a picture of one kind in, one of another kind out, learnt from pairs.

Isola, Zhu, Zhou and Efros, "Image-to-image translation with conditional adversarial networks", CVPR 2017,
arXiv:1611.07004, section 3 and appendix 6.1. The innermost layer has no batch norm, as in the authors' code: it would
take away all that a batch of one says. Batch norm takes the statistics of the batch at hand, at work too (section 3.4).
Dropout is noise, at work too (section 3.2): it is an input of its own here, so that a seed decides the picture.
"""

import itertools
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from limner.config import Config
from limner.data.pairs import Pair
from limner.layers.game import Game
from limner.layers.patch_gan import MOST, begin_small, patch_gan
from limner.loops.fit import FitConfig
from limner.loops.optimizers import OptimizerConfig
from limner.losses.adversarial import discriminator_loss, generator_loss
from limner.ports import Port
from limner.types import Progress, Turn

_NOISY = 3  # layers of the decoder with dropout


class Pix2PixConfig(Config):
    """The U-Net, the PatchGAN, and the loss of equation 4."""

    in_channels: int = Field(3, ge=1, description="of x; the data tell")
    out_channels: int = Field(3, ge=1, description="of y; the data tell")
    base_channels: int = Field(64, ge=1, description="of the first layers; they double up to eight times as many")
    num_downs: int = Field(8, ge=4, description="layers of the encoder, each halving the sides: 8 for 256 pixels")
    dropout: float = Field(0.5, ge=0, lt=1, description="of the first three layers of the decoder: the noise z")
    discriminator_layers: int = Field(3, ge=1, description="between first and last: 3 sees 70x70 pixels")
    l1_weight: float = Field(100.0, ge=0, description="lambda of equation 4")


PIX2PIX_2017 = Pix2PixConfig()
MODERN = Pix2PixConfig(base_channels=32, num_downs=7)  # ours: an eighth of the work, for CPUs

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
        pairs = list(itertools.pairwise([config.in_channels, *widths]))
        unnormed = (0, config.num_downs - 1)
        self.downs = nn.ModuleList(_down(*pair, norm=number not in unnormed) for number, pair in enumerate(pairs))
        ups = zip(reversed(widths), [*reversed(widths[:-1]), 0], strict=True)
        self.ups = nn.ModuleList(
            _up(before if number == 0 else 2 * before, after) for number, (before, after) in enumerate(ups) if after
        )
        self.noise_channels = widths[-2 : -2 - _NOISY : -1]
        self.last = nn.ConvTranspose2d(2 * widths[0], config.out_channels, 4, stride=2, padding=1)
        self.apply(begin_small)

    @property
    def inputs(self) -> tuple[Port, ...]:
        """A picture, and the noise of each layer that has some."""
        sides = 2**self.config.num_downs
        noise = [
            Port(f"noise_{number}", "noise", channels, scale=2 ** (number + 1) / sides, uniform=True)
            for number, channels in enumerate(self.noise_channels)
        ]
        return (Port("photo", "photo", self.config.in_channels, multiple=sides, least=sides), *noise)

    @property
    def outputs(self) -> tuple[Port, ...]:
        """A picture of the same size."""
        return (Port("picture", "photo", self.config.out_channels),)

    def forward(
        self,
        photo: Float[Tensor, "n c h w"],
        noise_0: Float[Tensor, "n _ _ _"],
        noise_1: Float[Tensor, "n _ _ _"],
        noise_2: Float[Tensor, "n _ _ _"],
    ) -> Float[Tensor, "n k h w"]:
        """A picture in [0, 1], and noise in [0, 1) for the dropout of three layers -> a picture in [0, 1]."""
        seen = [2 * photo - 1]
        for down in self.downs:
            seen.append(down(seen[-1]))
        x = seen.pop()
        for up, noise in itertools.zip_longest(self.ups, (noise_0, noise_1, noise_2)):
            x = up(F.relu(x))
            x = x if noise is None else dropped(x, noise, self.config.dropout)
            x = torch.cat([x, seen.pop()], 1)
        return (torch.tanh(self.last(F.relu(x))) + 1) / 2


def dropped(x: Tensor, noise: Tensor, share: float) -> Tensor:
    """Dropout of a share of the values, by noise that is uniform in [0, 1)."""
    return torch.where(noise < share, 0.0, x / (1 - share))


def _down(in_channels: int, out_channels: int, *, norm: bool) -> nn.Sequential:
    """Ck of the encoder: a convolution, its norm, and the leaky ReLU before the next one."""
    convolution = nn.Conv2d(in_channels, out_channels, 4, stride=2, padding=1, bias=False)
    return nn.Sequential(convolution, *([_norm(out_channels)] if norm else []), nn.LeakyReLU(0.2))


def _up(in_channels: int, out_channels: int) -> nn.Sequential:
    """Ck of the decoder, twice as large."""
    convolution = nn.ConvTranspose2d(in_channels, out_channels, 4, stride=2, padding=1, bias=False)
    return nn.Sequential(convolution, _norm(out_channels))


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, track_running_stats=False)


class Discriminator(nn.Module):
    """The PatchGAN of appendix 6.1.2: each logit judges a patch of both pictures."""

    def __init__(self, config: Pix2PixConfig) -> None:
        super().__init__()
        self.layers = patch_gan(
            config.in_channels + config.out_channels,
            config.base_channels,
            config.discriminator_layers,
            _norm,
            bias=False,
        )
        self.apply(begin_small)

    def forward(self, source: Tensor, image: Tensor) -> Float[Tensor, "n 1 _ _"]:
        """Two pictures in [0, 1] -> logits, above 0 for what is taken for real."""
        return self.layers(2 * torch.cat([source, image], 1) - 1)


class Pix2Pix(Game):
    """The game of the two networks; `forward` is the generator alone."""

    def __init__(self, config: Pix2PixConfig = PIX2PIX_2017) -> None:
        super().__init__(Generator(config), Discriminator(config))
        self.config = config

    def turns(self, batch: Pair, progress: Progress) -> Iterator[Turn]:
        """Equations 1 and 4; the discriminator's loss is halved, to slow it down (section 3.3)."""
        shapes = [port.shape(len(batch.source), *batch.source.shape[-2:]) for port in self.inputs[1:]]
        fake = self.generator(batch.source, *(torch.rand(shape, device=batch.source.device) for shape in shapes))
        judged = self.discriminator(batch.source, batch.target), self.discriminator(batch.source, fake.detach())
        yield Turn("discriminator", {"adversarial": discriminator_loss(*judged) / 2})
        losses = {
            "adversarial": generator_loss(self.discriminator(batch.source, fake)),
            "l1": self.config.l1_weight * F.l1_loss(2 * fake.float(), 2 * batch.target),  # in [-1, 1]
        }
        yield Turn("generator", losses)
