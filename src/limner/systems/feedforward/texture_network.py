"""Texture networks: noise at several scales in, a new picture of one texture out; or a picture painted in it.

Ulyanov, Lebedev, Vedaldi and Lempitsky, "Texture networks: feed-forward synthesis of textures and stylized images",
ICML 2016, arXiv:1603.03417. Ulyanov, Vedaldi and Lempitsky, "Improved texture networks: maximizing quality and
diversity in feed-forward stylization and texture synthesis", CVPR 2017, arXiv:1701.02096: instance norm, diversity.

Differs from the paper: VGG-16 stands for VGG-19, with filters scaled to a mean response of 1; Gram matrices are divided
by their numbers of places, content and diversity are means over places, so that weights hold at every size. The paper
of 2017 draws textures from one noise vector by a network of its own; here that of 2016 stands for it, in batches of 4,
for diversity needs more than the one of the authors' code.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, Self

import torch
import torch.nn.functional as F
from jaxtyping import Float
from pydantic import Field, model_validator
from torch import Tensor, nn

from limner import processes
from limner.config import Config
from limner.data.style_pairs import Styled
from limner.errors import LimnerError
from limner.features.vgg16 import VGG, Pooling, mean_responses
from limner.loops.fit import FitConfig
from limner.loops.optimizers import OptimizerConfig, ScheduleConfig
from limner.loops.presets import modern_fit
from limner.losses.gram import gram, gram_distance
from limner.ports import PHOTO, Port, least_of, multiple_of
from limner.types import Image, Precision, Progress, Turn

CONTENT_LAYER = "relu4_2"
_FIVE = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
_SAME = 1e-6  # mean square below which two pictures are one


class TextureNetworkConfig(Config):
    """The generator g of figure 2, and what it learns from."""

    num_scales: int = Field(5, ge=2, description="K; the coarsest noise is 2^(K - 1) times as small as the picture")
    channels: int = Field(8, ge=1, description="that each scale adds")
    noise_channels: int = Field(3, ge=1, description="of the noise z_i of each scale")
    kernels: tuple[Literal[1, 3], ...] = Field((3, 3, 1), min_length=1, description="of the convolutions of a block")
    leak: float = Field(0.01, ge=0, lt=1, description="slope of ReLUs below 0")
    border: Literal["circular", "reflect", "replicate", "zeros"] | None = Field(
        None, description="what lies beyond one; none said: the other side of a texture, the reflection of a photo"
    )
    norm: Literal["batch", "instance"] = Field("batch", description="instance is that of the paper of 2017")
    layers: Mapping[str, float] = Field(dict.fromkeys(_FIVE, 1.0), description="L_T of section 3.1, with their weights")
    relative: bool = Field(False, description="divide each layer's loss by that of a blank picture; not in the paper")
    pooling: Pooling = Field("average", description="of the network whose activations are compared")
    diversity_weight: float = Field(0.0, ge=0, description="of the logarithm of distances, arXiv:1701.02096")
    content_weight: float = Field(0.0, ge=0, description="alpha of section 3.3; 0 makes textures, more paints")
    shift: int = Field(
        0,
        ge=0,
        description="a texture is rolled by fewer pixels before it is compared, at random in each step, so that "
        "pooling leaves no mesh; ours",
    )

    @model_validator(mode="after")
    def _only_textures_are_rolled(self) -> Self:
        if self.shift and self.content_weight:
            raise ValueError("shift must be 0 where photos are painted, whose two sides do not meet")
        return self


TEXTURE_2016 = TextureNetworkConfig()
TEXTURE_2017 = TextureNetworkConfig(norm="instance", diversity_weight=1e-3)
TEXTURE_MODERN = TextureNetworkConfig(
    num_scales=6,
    channels=12,
    norm="instance",
    layers=dict(zip(_FIVE, (0.67, 0.22, 0.074, 0.025, 0.008), strict=True)),
    relative=True,
    diversity_weight=2e-3,
    shift=16,
)
STYLE_2017 = TextureNetworkConfig(
    num_scales=6, norm="instance", layers=dict.fromkeys(_FIVE[:4], 1.0), content_weight=1.0
)

FIT_2016 = FitConfig(  # section 4: batches of 16, 2,000 steps; 0.1 falls by 0.7 at 1,000, then every 200
    steps=2_000,
    batch_size=16,
    optimizer=OptimizerConfig(kind="adam", learning_rate=0.1),
    schedule=ScheduleConfig(kind="step", hold=0.4, every=0.1, factor=0.7),
)
FIT_2017 = FitConfig(  # 1e-3 falling by 0.8 every 2,000 steps, as in the authors' code
    steps=50_000,
    batch_size=4,
    optimizer=OptimizerConfig(kind="adam", learning_rate=1e-3),
    schedule=ScheduleConfig(kind="step", every=0.04, factor=0.8),
)
FIT_MODERN = modern_fit(3_000, 2, 0.01, warmup_steps=20, clip_norm=1.0, ema_decay=0.99)  # ours


def convolution(in_channels: int, out_channels: int, kernel: int, config: TextureNetworkConfig) -> nn.Sequential:
    """A convolution, its norm and a leaky ReLU."""
    border = config.border or ("reflect" if config.content_weight else "circular")
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel, padding=kernel // 2, padding_mode=border, bias=False),
        norm(out_channels, config),
        nn.LeakyReLU(config.leak),
    )


def norm(channels: int, config: TextureNetworkConfig) -> nn.Module:
    """Of each channel over the batch, or over each picture alone."""
    return nn.BatchNorm2d(channels) if config.norm == "batch" else nn.InstanceNorm2d(channels, affine=True)


def block(in_channels: int, out_channels: int, config: TextureNetworkConfig) -> nn.Sequential:
    """3x3, 3x3 and 1x1, as in figure 2, or what the configuration says."""
    before = (in_channels, *[out_channels] * (len(config.kernels) - 1))
    sizes = zip(before, config.kernels, strict=True)
    return nn.Sequential(*(convolution(channels, out_channels, kernel, config) for channels, kernel in sizes))


class Join(nn.Module):
    """What coarser scales have made, twice as large, beside what this one adds; norms let neither drown the other."""

    def __init__(self, coarse: int, fine: int, config: TextureNetworkConfig) -> None:
        super().__init__()
        self.coarse, self.fine = norm(coarse, config), norm(fine, config)
        self.block = block(coarse + fine, coarse + fine, config)

    def forward(self, coarse: Tensor, fine: Tensor) -> Tensor:
        """(n, c, h / 2, w / 2) and (n, d, h, w) -> (n, c + d, h, w)."""
        large = F.interpolate(self.coarse(coarse), scale_factor=2.0)
        result: Tensor = self.block(torch.cat([large, self.fine(fine)], 1))
        return result


class TextureNetwork(nn.Module):
    """A generator of one texture, or, with a content weight, a painter in one style."""

    outputs = (Port("result", "photo"),)

    def __init__(self, config: TextureNetworkConfig = TEXTURE_2016) -> None:
        super().__init__()
        self.config = config
        step, scales = config.channels, config.num_scales
        entering = config.noise_channels + (3 if config.content_weight else 0)
        self.entries = nn.ModuleList(block(entering, step, config) for _ in range(scales))
        self.joins = nn.ModuleList(Join(step * number, step, config) for number in range(1, scales))
        self.last = nn.Conv2d(step * scales, 3, 1)
        nn.init.constant_(self.last.bias, 0.5)  # type: ignore[arg-type]  # it has one
        self._targets: dict[str, Tensor] = {}
        self._loss_networks: dict[Precision, VGG] = {}

    @property
    def players(self) -> Mapping[str, nn.Module]:
        """One: the whole network."""
        return {"generator": self}

    @property
    def inputs(self) -> tuple[Port, ...]:
        """The photo, if one is painted, and the noise of each scale, the finest first; the coarsest has two places."""
        scales, channels = self.config.num_scales, self.config.noise_channels
        noise = [
            Port(f"noise_{scale}", "noise", channels, 1 / 2**scale, least=2 if scale + 1 == scales else 1, uniform=True)
            for scale in range(scales)
        ]
        return (PHOTO, *noise) if self.config.content_weight else tuple(noise)

    def forward(self, *tensors: Float[Tensor, "n _ _ _"]) -> Image:
        """What `inputs` says -> RGB about [0, 1], not clipped."""
        maps = self._beside_photo(tensors[0], tensors[1:]) if self.config.content_weight else tensors
        x, *finer = (entry(one) for entry, one in zip(self.entries, reversed(maps), strict=True))
        for join, fine in zip(self.joins, finer, strict=True):
            x = join(x, fine)
        result: Tensor = self.last(x)
        return result

    def _beside_photo(self, photo: Tensor, noise: Sequence[Tensor]) -> list[Tensor]:
        """The noise of each scale with the photo as large as it, section 3.3."""
        return [torch.cat([F.avg_pool2d(photo, 2**scale), one], 1) for scale, one in enumerate(noise)]

    def noise(
        self, number: int, size: tuple[int, int], rng: torch.Generator | None = None, device: torch.device | None = None
    ) -> list[Float[Tensor, "n c _ _"]]:
        """z: uniform in [0, 1) at each scale, the finest first.

        Args:
            number: Of pictures.
            size: Their height and width, multiples of 2^(K - 1).
            rng: None takes the global one.
            device: Where it is to lie.
        """
        height, width = size
        shapes = [(number, self.config.noise_channels, height >> k, width >> k) for k in range(self.config.num_scales)]
        return [torch.rand(shape, generator=rng, device=device) for shape in shapes]

    def turns(self, batch: Styled, progress: Progress) -> Iterator[Turn]:
        """The texture loss, with that of the content where one is painted, and the diversity of arXiv:1701.02096."""
        source = batch.source
        noise = self.noise(len(source), (source.shape[-2], source.shape[-1]), device=source.device)
        result = self(*([source] if self.config.content_weight else []), *noise)
        precision: Precision = "fast" if torch.is_autocast_enabled(result.device.type) else "exact"
        with torch.autocast(result.device.type, enabled=False):  # sums of products need float32
            losses = self._losses(result.float(), batch, self._loss_network(precision, result.device))
        yield Turn("generator", losses)

    def _losses(self, image: Image, batch: Styled, vgg: VGG) -> dict[str, Tensor]:
        config, found = self.config, vgg(self._rolled(image))
        losses = {"texture": self._texture_loss(found, batch.style, vgg)}
        if config.content_weight:
            with torch.no_grad():
                wanted = vgg(batch.source)[CONTENT_LAYER].float()
            losses["content"] = config.content_weight * F.mse_loss(found[CONTENT_LAYER].float(), wanted)
        if config.diversity_weight and len(all_images := processes.gathered(image)) > 1:
            losses["sameness"] = -config.diversity_weight * diversity(all_images)
        return losses

    def _rolled(self, image: Image) -> Image:
        """Moved by fewer than `shift` pixels; what leaves comes in again, for a texture's borders fit each other."""
        if not self.config.shift:
            return image
        return image.roll([int(torch.randint(self.config.shift, ())) for _ in range(2)], (2, 3))

    def _texture_loss(self, found: Mapping[str, Tensor], style: Image, vgg: VGG) -> Tensor:
        """L_T, section 3.1: the distances of Gram matrices from those of the style, which are made once."""
        if not self._targets:
            with torch.no_grad():
                seen = vgg(style[:1])
            self._targets = {layer: _mean_gram(seen[layer]) for layer in self.config.layers}
        distances = [
            weight * gram_distance(_mean_gram(found[layer]), self._targets[layer], relative=self.config.relative)
            for layer, weight in self.config.layers.items()
        ]
        return torch.stack(distances).sum()

    def _loss_network(self, precision: Precision, device: torch.device) -> VGG:
        """What sees the losses: no part of the system, for it is needed in training alone."""
        if precision not in self._loss_networks:
            layers = [*self.config.layers, *([CONTENT_LAYER] if self.config.content_weight else [])]
            vgg = VGG(layers, pooling=self.config.pooling, precision=precision, device=device)
            vgg.normalize(mean_responses(self.config.pooling))
            self._loss_networks[precision] = vgg
        return self._loss_networks[precision].to(device)

    def sample(self, size: tuple[int, int], seed: int = 0, *, number: int = 1, temperature: float = 1.0) -> Image:
        """New pictures of the texture, in [0, 1]. One whose sides are multiples of 2^(K - 1) can be laid like tiles.

        Args:
            size: Height and width, in pixels.
            seed: Of the noise.
            number: Of pictures.
            temperature: k, by which the noise is multiplied; below 1, samples are more alike.

        Raises:
            LimnerError: If the network paints contents, or a side is too small.
        """
        if self.config.content_weight:
            raise LimnerError(
                "this texture network paints pictures in a style, and makes no textures: pass it to limner stylize"
            )
        return self._made(size, seed, number, temperature, None)

    def paint(self, content: Image, seed: int = 0, *, temperature: float = 1.0) -> Image:
        """Pictures in the style, in [0, 1], as large as they are.

        Args:
            content: In [0, 1].
            seed: Of the noise.
            temperature: k, by which the noise is multiplied.

        Raises:
            LimnerError: If the network makes textures, or a side is too small.
        """
        if not self.config.content_weight:
            raise LimnerError("this texture network makes textures from noise alone: train one with a content weight")
        return self._made((content.shape[-2], content.shape[-1]), seed, len(content), temperature, content)

    @torch.no_grad()
    def _made(self, size: tuple[int, int], seed: int, number: int, temperature: float, content: Image | None) -> Image:
        least, multiple = least_of(self.inputs), multiple_of(self.inputs)
        if min(size) < least:
            raise LimnerError(f"sides must have {least} pixels or more, got {size[1]}x{size[0]}: make it larger")
        height, width = (-(-side // multiple) * multiple for side in size)
        noise = self.noise(number, (height, width), torch.Generator().manual_seed(seed))
        tensors = [
            *([] if content is None else [_grown(content, height, width)]),
            *(temperature * one for one in noise),
        ]
        device = self.last.weight.device
        return self(*(one.to(device) for one in tensors))[..., : size[0], : size[1]].clamp(0, 1)


def bytes_per_pixel(config: TextureNetworkConfig) -> int:
    """Of a picture, that its finest feature maps take while they are made: measured, with a tenth to spare."""
    return 4 * 8 * config.channels * config.num_scales


def _grown(image: Image, height: int, width: int) -> Float[Tensor, "n 3 H W"]:
    """The last row and column again."""
    return F.pad(image, (0, width - image.shape[-1], 0, height - image.shape[-2]), mode="replicate")


def _mean_gram(features: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c c"]:
    """G, divided by the number of places."""
    return gram(features) / (features.shape[-2] * features.shape[-1])


def diversity(images: Image) -> Tensor:
    """The mean logarithm of the distance of each picture to the nearest other one, an estimate of their entropy.

    The distance is the root of the mean square, which differs from the paper's by a constant.
    """
    flat = images.flatten(1)
    others = torch.eye(len(flat), device=flat.device) * 1e6  # none is its own neighbour
    squares = (flat[:, None] - flat[None]).square().mean(2) + others
    return (squares.min(1).values + _SAME).log().mean() / 2
