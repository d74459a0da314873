"""What painters give to their networks: a photo with noise on it or beside it, the same for a part as for the whole."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limner.ops.noise import noise_at
from limner.systems.feedforward.texture_network import TextureNetwork
from limner.types import Image


class Feed(Protocol):
    """One input of a network."""

    @property
    def shrink(self) -> int:
        """How many times smaller its sides are than those of the photo."""

    @property
    def channels(self) -> int:
        """Of the input."""

    def __call__(self, photo: Image, top: int, left: int) -> Tensor:
        """A part of the input.

        Args:
            photo: The part (1 or more, 3, shrink h, shrink w) of the photo that it is made from, in [0, 1].
            top: Its first row in the input.
            left: Its first column in the input.

        Returns:
            (n, channels, h, w).
        """


@dataclass(frozen=True)
class NoisyPhoto:
    """The photo, with noise of so great a deviation on it."""

    deviation: float
    seed: int
    shrink: int = 1
    channels: int = 3

    def __call__(self, photo: Image, top: int, left: int) -> Tensor:
        """(n, 3, h, w) -> (n, 3, h, w); all pictures get the same noise."""
        if not self.deviation:
            return photo
        return photo + noise_at(top, left, photo.shape[-2], photo.shape[-1], seed=self.seed).mul_(self.deviation)


@dataclass(frozen=True)
class PhotoBesideNoise:
    """The photo made smaller, and uniform noise beside it: one scale of a texture network."""

    shrink: int
    noise_channels: int
    seed: int

    @property
    def channels(self) -> int:
        """Three of them are the photo's."""
        return 3 + self.noise_channels

    def __call__(self, photo: Image, top: int, left: int) -> Tensor:
        """(n, 3, shrink h, shrink w) -> (n, channels, h, w)."""
        small = F.avg_pool2d(photo, self.shrink)
        height, width = small.shape[-2:]
        noise = noise_at(top, left, height, width, channels=self.noise_channels, kind="uniform", seed=self.seed)
        return torch.cat([small, noise.expand(len(small), -1, -1, -1)], 1)


class FedNetwork(NamedTuple):
    """A network that paints, and how it is given a photo.

    Attributes:
        network: What can be run in parts.
        feeds: Its inputs, in order; no two of them get the same noise.
        multiple: Of the sides of photos that it takes, in pixels.
        least_side: Of these, in pixels.
    """

    network: nn.Module
    feeds: Sequence[Feed]
    multiple: int
    least_side: int


def fed(network: nn.Module, seed: int) -> FedNetwork:
    """A network as painters run it, with noise of a seed."""
    if not isinstance(network, TextureNetwork):
        multiple = int(getattr(network, "size_multiple", 1))
        least = int(getattr(network, "least_side", multiple))
        return FedNetwork(network, [NoisyPhoto(float(getattr(network, "input_noise", 0.0)), seed)], multiple, least)
    scales, channels = network.config.num_scales, network.config.noise_channels
    feeds = [PhotoBesideNoise(2**scale, channels, seed * scales + scale) for scale in range(scales)]
    return FedNetwork(network.unrolled(), feeds, network.multiple, network.least_side)
