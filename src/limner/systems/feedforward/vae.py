"""Variational autoencoder: a picture to a distribution of latents and back; latents of chance give new pictures.

Kingma and Welling, "Auto-encoding variational Bayes", ICLR 2014, arXiv:1312.6114.
Differs from the paper: -log p(x | z) of the Bernoulli decoder is less the entropy of the pixels, a constant that is 0
where all are black or white, so that a perfect picture costs nothing. The `gaussian` decoder of our presets is that of
Rybkin, Daniilidis and Levine 2021, arXiv:2006.13202, section 4: one variance, the best for the batch.
"""

import itertools
import math
from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from limner.config import Config
from limner.data.labelled import Labelled
from limner.layers.upsampling import upsampling
from limner.loops.fit import FitConfig
from limner.loops.optimizers import OptimizerConfig, ScheduleConfig
from limner.ports import Port
from limner.types import Progress, Turn

_LEAST_VARIANCE = 1e-6  # of pixels in [0, 1]


class VAEConfig(Config):
    """The encoder q(z | x) and the decoder p(x | z)."""

    channels: int = Field(1, ge=1, description="of the pictures; the data tell")
    side: int = Field(28, ge=4, description="of the pictures, in pixels; the data tell")
    latent_channels: int = Field(20, ge=1, description="of z")
    network: Literal["mlp", "convolutional"] = Field("mlp", description="the paper's, or ours")
    hidden_units: int = Field(500, ge=1, description="of the one hidden layer of either network, if mlp")
    base_channels: int = Field(
        32, ge=1, description="at half the side, twice as many at each halving, if convolutional"
    )
    upsampling: Literal["transposed", "resize"] = Field(
        "transposed", description="of the convolutional decoder: 4x4 of stride 2, or resized before a 3x3 convolution"
    )
    decoder: Literal["bernoulli", "gaussian", "gaussian-per-pixel"] = Field(
        "bernoulli", description="p(x | z): of gray values as chances; of one variance; of a variance for each pixel"
    )
    kl_weight: float = Field(1.0, gt=0, description="of the KL divergence; 1 is the bound on the likelihood")


VAE_2014 = VAEConfig()
MODERN = VAEConfig(network="convolutional", latent_channels=32, decoder="gaussian")  # ours

FIT_2014 = FitConfig(  # section 5 takes the best of the rates 0.01, 0.02 and 0.1; figure 2 shows 10^8 samples
    steps=1_000_000, batch_size=100, optimizer=OptimizerConfig(kind="adagrad", learning_rate=0.02)
)
FIT_MODERN = FitConfig(  # ours
    steps=20_000,
    batch_size=64,
    optimizer=OptimizerConfig(learning_rate=1e-3),
    schedule=ScheduleConfig(kind="cosine", warmup_steps=200),
    precision="bfloat16",
    ema_decay=0.999,
)


class Gaussian(NamedTuple):
    """A normal distribution with a diagonal covariance."""

    mean: Float[Tensor, "n z"]
    log_variance: Float[Tensor, "n z"]

    def sample(self) -> Float[Tensor, "n z"]:
        """Section 2.4: mu + sigma epsilon, through which gradients reach both."""
        return self.mean + (self.log_variance / 2).exp() * torch.randn_like(self.mean)

    def divergence(self) -> Float[Tensor, " n"]:
        """KL to the standard normal, in nats: -1/2 sum(1 + log sigma^2 - mu^2 - sigma^2), appendix B.

        >>> Gaussian(torch.tensor([[1.0]]), torch.tensor([[0.0]])).divergence()
        tensor([0.5000])
        """
        return -0.5 * (1 + self.log_variance - self.mean.square() - self.log_variance.exp()).sum(1)


class VAE(nn.Module):
    """Both networks; `forward` is the decoder alone, which makes pictures from latents."""

    def __init__(self, config: VAEConfig = VAE_2014) -> None:
        super().__init__()
        self.config = config
        for_each_pixel = config.channels * (2 if config.decoder == "gaussian-per-pixel" else 1)
        parts = _mlp if config.network == "mlp" else _convolutional
        self.encoder, self.decoder = parts(config, for_each_pixel)

    @property
    def inputs(self) -> tuple[Port, ...]:
        """Z."""
        return (Port("latent", "latent", self.config.latent_channels),)

    @property
    def outputs(self) -> tuple[Port, ...]:
        """A picture of one size."""
        return (Port("picture", "photo", self.config.channels, scale=self.config.side),)

    @property
    def players(self) -> Mapping[str, nn.Module]:
        """One: both networks, which lower one loss."""
        return {"network": self}

    def forward(self, latent: Float[Tensor, "n z"]) -> Float[Tensor, "n c h w"]:
        """Latents -> the means of p(x | z), in [0, 1]."""
        return torch.sigmoid(self.decoder(latent)[:, : self.config.channels])

    def encode(self, image: Float[Tensor, "n c h w"]) -> Gaussian:
        """Pictures in [0, 1] -> q(z | x)."""
        mean, log_variance = self.encoder(image).float().chunk(2, 1)
        return Gaussian(mean, log_variance)

    def latents(self, image: Float[Tensor, "n c h w"]) -> Float[Tensor, "n z"]:
        """Pictures in [0, 1] -> the means of q(z | x)."""
        return self.encode(image).mean

    def turns(self, batch: Labelled, progress: Progress) -> Iterator[Turn]:
        """Equation 10 with one sample each, its sign turned: nats of a picture."""
        latent = self.encode(batch.image)
        given = self.decoder(latent.sample()).float()
        yield Turn(
            "network",
            {
                "reconstruction": _REMAINDER[self.config.decoder](given, batch.image).mean(),
                "divergence": self.config.kl_weight * latent.divergence().mean(),
            },
        )


def bernoulli(logits: Float[Tensor, "n c h w"], image: Float[Tensor, "n c h w"]) -> Float[Tensor, " n"]:
    """-log p(x | z) of appendix C.1, less the entropy of the pixels: their KL divergence, in nats of a picture."""
    entropy = -(torch.xlogy(image, image) + torch.xlogy(1 - image, 1 - image))
    return (F.binary_cross_entropy_with_logits(logits, image, reduction="none") - entropy).flatten(1).sum(1)


def gaussian(logits: Float[Tensor, "n c h w"], image: Float[Tensor, "n c h w"]) -> Float[Tensor, " n"]:
    """-log N(x; mean, sigma^2) with sigma^2 the mean squared error of the batch: D/2 (log 2 pi sigma^2 + ...)."""
    squares = (torch.sigmoid(logits) - image).square().flatten(1)
    variance = squares.mean() + _LEAST_VARIANCE
    return 0.5 * (squares / variance + torch.log(2 * math.pi * variance)).sum(1)


def gaussian_per_pixel(given: Float[Tensor, "n d h w"], image: Float[Tensor, "n c h w"]) -> Float[Tensor, " n"]:
    """-log N(x; mean, sigma^2) of appendix C.2, both given for each pixel, the mean kept in [0, 1] by a sigmoid."""
    logits, log_variance = given.chunk(2, 1)
    log_variance = log_variance.clamp(min=math.log(_LEAST_VARIANCE))
    squares = (torch.sigmoid(logits) - image).square()
    return 0.5 * (squares * (-log_variance).exp() + log_variance + math.log(2 * math.pi)).flatten(1).sum(1)


_REMAINDER = {"bernoulli": bernoulli, "gaussian": gaussian, "gaussian-per-pixel": gaussian_per_pixel}


def _mlp(config: VAEConfig, for_each_pixel: int) -> tuple[nn.Sequential, nn.Sequential]:
    """Appendix C: one hidden layer of tanh each."""
    shape = (for_each_pixel, config.side, config.side)
    encoder = nn.Sequential(
        nn.Flatten(),
        nn.Linear(config.channels * config.side**2, config.hidden_units),
        nn.Tanh(),
        nn.Linear(config.hidden_units, 2 * config.latent_channels),
    )
    decoder = nn.Sequential(
        nn.Linear(config.latent_channels, config.hidden_units),
        nn.Tanh(),
        nn.Linear(config.hidden_units, math.prod(shape)),
        nn.Unflatten(1, shape),
    )
    for module in (*encoder, *decoder):
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=0.01)  # section 5
    return encoder, decoder


def _convolutional(config: VAEConfig, for_each_pixel: int) -> tuple[nn.Sequential, nn.Sequential]:
    """Half as large at each step while the side is even and above 4, then a linear layer; the decoder is its mirror."""
    least, widths = config.side, [config.channels]
    while least % 2 == 0 and least > 4:
        least, widths = least // 2, [*widths, config.base_channels * 2 ** (len(widths) - 1)]
    encoder, decoder = nn.Sequential(), nn.Sequential()
    for before, after in itertools.pairwise(widths):
        encoder += nn.Sequential(nn.Conv2d(before, after, 4, 2, 1), *_normed(after))
    encoder += nn.Sequential(nn.Flatten(), nn.Linear(widths[-1] * least**2, 2 * config.latent_channels))
    widths[0] = for_each_pixel
    decoder += nn.Sequential(
        nn.Linear(config.latent_channels, widths[-1] * least**2), nn.Unflatten(1, (widths[-1], least, least))
    )
    for after, before in zip(reversed(widths[:-1]), reversed(widths[1:]), strict=True):
        decoder += nn.Sequential(*_normed(before), _doubling(config, before, after))
    return encoder, decoder


def _doubling(config: VAEConfig, before: int, after: int) -> nn.Module:
    """(n, c, h, w) -> (n, d, 2h, 2w)."""
    if config.upsampling == "resize":
        return upsampling("resize", before, after)
    return nn.ConvTranspose2d(before, after, 4, 2, 1)


def _normed(channels: int) -> tuple[nn.Module, nn.Module]:
    return nn.BatchNorm2d(channels), nn.SiLU()
