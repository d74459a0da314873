"""BigGAN: pictures of classes, by large batches, wide networks and noise at every block.

Brock, Donahue and Simonyan, "Large scale GAN training for high fidelity natural image synthesis", ICLR 2019,
arXiv:1809.11096, sections 3 and 4, and the tables of appendix B; what they leave open is as in ajbrock/BigGAN-PyTorch.
Differs from the paper: the average of weights begins at once, for its decay rises; statistics of a norm are those of
each process.
"""

import itertools
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Self, TypeVar

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from pydantic import Field, model_validator
from torch import Tensor, nn

from limner.config import Config
from limner.data.labelled import Labelled
from limner.layers.game import Game
from limner.layers.spectral import spectral
from limner.loops.fit import FitConfig
from limner.loops.optimizers import OptimizerConfig
from limner.losses.adversarial import GameConfig
from limner.ops.diff_augment import CHANGES, Change, diff_augment
from limner.ports import Port
from limner.types import Progress, Turn

Layer = TypeVar("Layer", nn.Conv2d, nn.Linear, nn.Embedding)

_LEAST_SIDE = 4  # of the generator's first map, in pixels
_UP = {
    32: (4, 4, 4, 4),
    64: (16, 16, 8, 4, 2),
    128: (16, 16, 8, 4, 2, 1),
    256: (16, 16, 8, 8, 4, 2, 1),
    512: (16, 16, 8, 8, 4, 2, 1, 1),
}
"""Of each side of pictures: the widths of the generator's maps, from 4 pixels on, each twice as large as the last."""
_DOWN = {
    32: (4, 4, 4, 4),
    64: (1, 2, 4, 8, 16),
    128: (1, 2, 4, 8, 16, 16),
    256: (1, 2, 4, 8, 8, 16, 16),
    512: (1, 1, 2, 4, 8, 8, 16, 16),
}
"""The widths that the discriminator's blocks give."""
_KEEPING = {32: 2}
"""How many of its last blocks keep the side; elsewhere one."""


class BigGANConfig(Config):
    """Table 4: 128 pixels."""

    num_classes: int = Field(1000, ge=1, description="the data tell")
    channels: int = Field(3, ge=1, description="of the pictures; the data tell")
    side: int = Field(128, description=f"of the pictures, in pixels, one of {', '.join(map(str, _UP))}; the data tell")
    base_channels: int = Field(96, ge=1, description="ch, the unit of the generator's widths")
    discriminator_channels: int = Field(96, ge=1, description="ch, the unit of the discriminator's widths")
    latent_channels: int = Field(120, ge=1, description="of z, normal, 20 for each part where it is split")
    split_latent: bool = Field(True, description="whether each block has a part of z; else the first layer has it all")
    class_channels: int = Field(128, ge=1, description="of a class, for all norms the same")
    attention_side: int = Field(64, ge=0, description="of the maps with self-attention; 0: none")
    orthogonality: float = Field(1e-4, ge=0, description="beta of equation 3")
    discriminator_steps: int = Field(2, ge=1, description="for each of the generator; each has its part of the batch")
    augment: tuple[Change, ...] = Field((), description="changes of what the discriminator sees, for few pictures")
    game: GameConfig = GameConfig(kind="hinge")

    @property
    def latent_parts(self) -> list[int]:
        """How much of z the first layer has, and each block."""
        blocks = len(_UP[self.side]) - 1
        part = self.latent_channels // (blocks + 1)
        return [part] * (blocks + 1) if self.split_latent else [self.latent_channels] + [0] * blocks

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.side not in _UP:
            raise ValueError(
                f"side must be one of {', '.join(map(str, _UP))}, got {self.side}: pass --set data.side=64"
            )
        if sum(self.latent_parts) != self.latent_channels:
            raise ValueError(f"latent_channels must be a multiple of {len(_UP[self.side])}, got {self.latent_channels}")
        return self


BIGGAN_2018 = BigGANConfig()
BIGGAN_256 = BigGANConfig(side=256, latent_channels=140)
BIGGAN_512 = BigGANConfig(side=512, latent_channels=160)
CIFAR_PORT = BigGANConfig(  # of BigGAN-PyTorch: four steps of the discriminator, no penalty
    num_classes=10, side=32, base_channels=64, discriminator_channels=64, latent_channels=128, split_latent=False,
    attention_side=0, orthogonality=0.0, discriminator_steps=4,
)  # fmt: skip
MODERN = BigGANConfig(  # ours: for 32 pixels on CPUs
    num_classes=10, side=32, base_channels=32, discriminator_channels=32, latent_channels=80, class_channels=32,
    attention_side=16, augment=CHANGES,
)  # fmt: skip

FIT_2018 = FitConfig(
    steps=200_000,
    batch_size=2 * 2048,  # for two steps of the discriminator
    optimizer=OptimizerConfig(learning_rate=5e-5, betas=(0.0, 0.999)),
    players={"discriminator": OptimizerConfig(learning_rate=2e-4, betas=(0.0, 0.999))},
    ema_decay=0.9999,
)
FIT_CIFAR = FIT_2018.model_copy(
    update={
        "batch_size": 4 * 50,
        "optimizer": OptimizerConfig(learning_rate=2e-4, betas=(0.0, 0.999)),
        "players": {},
    }
)
FIT_MODERN = FitConfig(  # ours
    steps=20_000,
    batch_size=2 * 25,
    optimizer=OptimizerConfig(learning_rate=2e-4, betas=(0.0, 0.999)),
    players={"discriminator": OptimizerConfig(learning_rate=4e-4, betas=(0.0, 0.999))},
    precision="bfloat16",
    ema_decay=0.999,
)


def _convolution(in_channels: int, out_channels: int, kernel: int, *, bias: bool = True) -> nn.Conv2d:
    convolution = nn.Conv2d(in_channels, out_channels, kernel, padding=kernel // 2, bias=bias)
    return spectral(_begun(convolution))


def _linear(in_channels: int, out_channels: int, *, bias: bool = True) -> nn.Linear:
    return spectral(_begun(nn.Linear(in_channels, out_channels, bias=bias)))


def _begun(layer: Layer) -> Layer:
    """Orthogonal weights, no biases."""
    nn.init.orthogonal_(layer.weight)
    if not isinstance(layer, nn.Embedding) and layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


class ConditionalNorm(nn.Module):
    """Batch norm whose gain, about 1, and bias are linear in the class and a part of z."""

    def __init__(self, condition_channels: int, channels: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False)
        self.gain = _linear(condition_channels, channels, bias=False)
        self.bias = _linear(condition_channels, channels, bias=False)

    def forward(self, x: Float[Tensor, "n c h w"], condition: Float[Tensor, "n k"]) -> Float[Tensor, "n c h w"]:
        """Maps, and what they are conditioned on."""
        gain, bias = (part(condition)[:, :, None, None].to(x.dtype) for part in (self.gain, self.bias))
        return self.norm(x) * (1 + gain) + bias


class Attention(nn.Module):
    """Self-attention: Zhang et al. 2018, arXiv:1805.08318, section 3; keys and values of a quarter of the places."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        few = max(1, channels // 8)
        self.query, self.key = (_convolution(channels, few, 1, bias=False) for _ in range(2))
        self.value = _convolution(channels, max(1, channels // 2), 1, bias=False)
        self.out = _convolution(max(1, channels // 2), channels, 1, bias=False)
        self.share = nn.Parameter(torch.zeros(()))

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        """At first, the same maps."""
        query = self.query(x).flatten(2).transpose(1, 2)
        key, value = (F.max_pool2d(part(x), 2).flatten(2) for part in (self.key, self.value))
        seen = torch.softmax(query @ key, -1) @ value.transpose(1, 2)
        return x + self.share.to(x.dtype) * self.out(seen.transpose(1, 2).unflatten(2, tuple(x.shape[-2:])))


class Up(nn.Module):
    """Figure 15b: a residual block that doubles the side."""

    def __init__(self, in_channels: int, out_channels: int, condition_channels: int) -> None:
        super().__init__()
        self.first_norm = ConditionalNorm(condition_channels, in_channels)
        self.second_norm = ConditionalNorm(condition_channels, out_channels)
        self.first = _convolution(in_channels, out_channels, 3)
        self.second = _convolution(out_channels, out_channels, 3)
        self.shortcut = _convolution(in_channels, out_channels, 1)

    def forward(self, x: Float[Tensor, "n c h w"], condition: Float[Tensor, "n k"]) -> Float[Tensor, "n d h2 w2"]:
        """A convolution of one pixel and nearest neighbours come to the same in either order."""
        inner = self.first(_doubled(F.relu(self.first_norm(x, condition))))
        inner = self.second(F.relu(self.second_norm(inner, condition)))
        return inner + _doubled(self.shortcut(x))


class Generator(nn.Module):
    """Table 4a: z and the class to 4x4 pixels, then blocks, the last of which has all pixels."""

    def __init__(self, config: BigGANConfig = BIGGAN_2018) -> None:
        super().__init__()
        self.config = config
        widths = [config.base_channels * width for width in _UP[config.side]]
        first, *parts = config.latent_parts
        self.embedding = _begun(nn.Embedding(config.num_classes, config.class_channels))
        self.first = _linear(first, _LEAST_SIDE**2 * widths[0])
        self.blocks, self.attention = nn.ModuleList(), nn.ModuleDict()
        for number, ((before, after), part) in enumerate(zip(itertools.pairwise(widths), parts, strict=True)):
            self.blocks.append(Up(before, after, config.class_channels + part))
            if _LEAST_SIDE * 2 ** (number + 1) == config.attention_side:
                self.attention[str(number)] = Attention(after)
        self.norm = nn.BatchNorm2d(widths[-1])
        self.last = _convolution(widths[-1], config.channels, 3)

    @property
    def inputs(self) -> tuple[Port, ...]:
        """Z and the class."""
        return (Port("latent", "latent", self.config.latent_channels), Port("label", "class", self.config.num_classes))

    @property
    def outputs(self) -> tuple[Port, ...]:
        """A picture of one size."""
        return (Port("picture", "photo", self.config.channels, scale=self.config.side),)

    def forward(self, latent: Float[Tensor, "n z"], label: Int[Tensor, " n"]) -> Float[Tensor, "n c h w"]:
        """Normal noise and classes -> pictures in [0, 1]."""
        return self.picture_of(latent, self.kinds_of(label))

    def kinds_of(self, label: Int[Tensor, " n"]) -> Float[Tensor, "n k"]:
        """The embeddings of classes, which all norms share."""
        kinds: Tensor = self.embedding(label)
        return kinds

    def picture_of(self, latent: Float[Tensor, "n z"], kind: Float[Tensor, "n k"]) -> Float[Tensor, "n c h w"]:
        """Normal noise and embeddings of classes, or what is between these -> pictures in [0, 1]."""
        first, *parts = latent.split(self.config.latent_parts, 1)
        x = self.first(first).unflatten(1, (-1, _LEAST_SIDE, _LEAST_SIDE))
        for number, (block, part) in enumerate(zip(self.blocks, parts, strict=True)):
            x = block(x, torch.cat([kind, part], 1))
            if str(number) in self.attention:
                x = self.attention[str(number)](x)
        return (torch.tanh(self.last(F.relu(self.norm(x)))) + 1) / 2


class Down(nn.Module):
    """Figure 15c: a residual block that halves the side; the first one of all begins without a ReLU."""

    def __init__(self, in_channels: int, out_channels: int, *, first: bool, halves: bool) -> None:
        super().__init__()
        self.is_first, self.halves = first, halves
        self.first = _convolution(in_channels, out_channels, 3)
        self.second = _convolution(out_channels, out_channels, 3)
        learnt = in_channels != out_channels or halves
        self.shortcut = _convolution(in_channels, out_channels, 1) if learnt else None

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d h2 w2"]:
        """An average and a convolution of one pixel come to the same in either order."""
        inner = self.second(F.relu(self.first(x if self.is_first else F.relu(x))))
        if self.halves:
            inner, x = F.avg_pool2d(inner, 2), F.avg_pool2d(x, 2)
        return inner + (x if self.shortcut is None else self.shortcut(x))


class Discriminator(nn.Module):
    """Table 4b: a logit of the picture alone, and the projection of its class (Miyato and Koyama, arXiv:1802.05637)."""

    def __init__(self, config: BigGANConfig) -> None:
        super().__init__()
        self.augment = config.augment
        widths = [config.channels, *(config.discriminator_channels * width for width in _DOWN[config.side])]
        self.blocks, last = nn.Sequential(), len(widths) - 1 - _KEEPING.get(config.side, 1)
        for number, (before, after) in enumerate(itertools.pairwise(widths)):
            self.blocks.append(Down(before, after, first=not number, halves=number < last))
            if number < last and config.side // 2 ** (number + 1) == config.attention_side:
                self.blocks.append(Attention(after))
        self.logit = _linear(widths[-1], 1)
        self.embedding = spectral(_begun(nn.Embedding(config.num_classes, widths[-1])))

    def forward(self, image: Float[Tensor, "n c h w"], label: Int[Tensor, " n"]) -> Float[Tensor, "n 1"]:
        """Pictures in [0, 1], changed first, and their classes -> logits, above 0 for what is taken for real."""
        seen = F.relu(self.blocks(diff_augment(2 * image - 1, self.augment))).sum((2, 3))
        logits: Tensor = self.logit(seen) + (self.embedding(label) * seen).sum(1, keepdim=True)
        return logits


class BigGAN(Game):
    """The game of the two networks; `forward` is the generator alone."""

    generator: Generator

    def __init__(self, config: BigGANConfig = BIGGAN_2018) -> None:
        super().__init__(Generator(config), Discriminator(config))
        self.config = config

    def turns(self, batch: Labelled, progress: Progress) -> Iterator[Turn]:
        """Section 3 and appendix C: the discriminator's steps, then the generator's, each with fakes of its own."""
        config, game = self.config, self.config.game
        parts = [part.chunk(config.discriminator_steps) for part in batch]
        for image, label in zip(*parts, strict=True):
            with torch.no_grad():
                fake, asked = self._made(len(image), image.device)
            real_logits, fake_logits = self._judged([(image, label), (fake, asked)], progress)
            penalties = game.penalties(partial(self._logits, label=label), image, fake, progress)
            yield Turn("discriminator", {"adversarial": game.discriminator(real_logits, fake_logits)} | penalties)
        made = self._made(len(parts[0][0]), batch.image.device)
        losses = {"adversarial": game.generator(*self._judged([made], progress))}
        if config.orthogonality:
            losses["orthogonality"] = config.orthogonality * unorthogonality(self.generator)
        yield Turn("generator", losses)

    def _made(self, number: int, device: torch.device) -> tuple[Float[Tensor, "n c h w"], Int[Tensor, " n"]]:
        """Fakes of random classes."""
        label = torch.randint(self.config.num_classes, (number,), device=device)
        return self.generator(torch.randn(number, self.config.latent_channels, device=device), label), label

    def _logits(self, image: Tensor, label: Tensor) -> Tensor:
        logits: Tensor = self.discriminator(image, label)
        return logits

    def _judged(self, shown: Sequence[tuple[Tensor, Tensor]], progress: Progress) -> tuple[Tensor, ...]:
        """Real and made pictures in one batch: without batch norm that comes to the same, and is faster."""
        images, labels = (torch.cat(part) for part in zip(*shown, strict=True))
        logits = self._logits(self.config.game.noisy(images, progress), labels)
        return logits.split([len(image) for image, _ in shown])


def unorthogonality(generator: nn.Module) -> Tensor:
    """Equation 3 without beta, a scalar: the squares of all products of two filters of a layer, embeddings left out.

    Of a layer of more filters than these have numbers the smaller Gram matrix is taken: its squares have the same sum.
    What is left of two large sums is no matter for half precision.
    """
    found = []
    for name, weight in generator.named_parameters():
        if weight.dim() > 1 and not name.startswith("embedding"):
            with torch.autocast(weight.device.type, enabled=False):
                filters = weight.flatten(1).float()
                products = filters.T @ filters if len(filters) > filters.shape[1] else filters @ filters.T
                found.append(products.square().sum() - filters.square().sum(1).square().sum())
    return torch.stack(found).sum()


def _doubled(x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h2 w2"]:
    return F.interpolate(x, scale_factor=2.0, mode="nearest")
