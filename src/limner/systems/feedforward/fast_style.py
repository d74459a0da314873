"""Style transfer in one pass: a network that is trained once for a style, or for several, and then paints any photo.

Johnson, Alahi and Fei-Fei, "Perceptual losses for real-time style transfer and super-resolution", ECCV 2016,
arXiv:1603.08155, section 4.1 and table 1 of its supplement. Instance norm: Ulyanov, Vedaldi and Lempitsky, "Instance
normalization: the missing ingredient for fast stylization", 2016, arXiv:1607.08022. Many styles in one network:
Dumoulin, Shlens and Kudlur, "A learned representation for artistic style", ICLR 2017, arXiv:1610.07629.

Differs from the paper: the weights of the losses, which it chose for each style, are those of its authors' code.
`JOHNSON_RELEASED_CODE` is that code, whose own models have half of these channels; `JOHNSON_IN` and `SLIM` are ours.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from limner.config import Config
from limner.data.stylization import Stylization
from limner.features.style_targets import StyleTargets
from limner.features.vgg16 import VGG
from limner.layers.style_norm import Layer, Mixture, ResidualBlock, mixed_weights, style_norm
from limner.loops.fit import FitConfig
from limner.loops.optimizers import OptimizerConfig
from limner.loops.presets import modern_fit
from limner.losses.lattice import lattice
from limner.losses.perceptual import feature_loss, style_loss_in_windows
from limner.losses.spikes import entering, spikes
from limner.losses.total_variation import total_variation
from limner.ports import Port
from limner.types import Image, Precision, Progress, Turn

_CAFFE_MEAN = (123.68 / 255, 116.779 / 255, 103.939 / 255)
_JOHNSON_LAYERS = ("relu1_2", "relu2_2", "relu3_3", "relu4_3")
STRIDE = 4
"""Pixels between neighbours in the deepest feature maps; the sides of photos are multiples."""
_PADS = {"each": nn.ReflectionPad2d, "replicate": nn.ReplicationPad2d, "zeros": nn.ZeroPad2d}
_PUBLISHED_TV = 1e-6 * 255**2 * 3 * 256**2  # 1e-6 of the sum over the values, in 0..255, of a picture of 256x256


class FastStyleConfig(Config):
    """The image transformation network, and what it is trained to lower."""

    styles: tuple[str, ...] = Field(("style",), min_length=1, description="names; several share all but the norms")
    channels: tuple[int, int, int] = Field((32, 64, 128), description="at full, half and quarter size")
    num_blocks: int = Field(5, ge=0, description="residual blocks")
    norm: Literal["batch", "instance"] = Field("batch", description="arXiv:1607.08022, equations 2 and 3")
    padding: Literal["once", "each", "replicate", "zeros"] = Field(
        "once",
        description="reflection by 40 pixels before a network of valid residual blocks, or at each convolution; "
        "replicate: the last pixels again there, as texture_nets has it; zeros: as TensorFlow's SAME",
    )
    upsampling: Literal["transposed", "resize"] = Field("transposed", description="resize leaves no checkerboard")
    range: Literal["unit", "caffe"] = Field(
        "unit", description="what the first convolution takes: RGB in [0, 1], or in 0..255 without the mean colour"
    )
    leak: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="slope of ReLUs below 0; without it places whose last ReLUs are all off stay so; ours",
    )
    output: Literal["tanh", "tanh150", "tanh150gray", "linear"] = Field(
        "tanh",
        description="(tanh + 1) / 2; the mean colour, or middle gray, + 150/255 tanh; or the last convolution itself",
    )
    last_norm: bool = Field(False, description="norm the last convolution, too; not in the paper")
    noise: float = Field(
        0.0, ge=0, description="deviation of what is added to photos, so that strokes find a hold in flat parts; ours"
    )
    content_layers: Mapping[str, float] = Field({"relu2_2": 1.0}, description="equation 2")
    style_layers: Mapping[str, float] = Field(dict.fromkeys(_JOHNSON_LAYERS, 1.0), description="equation 4")
    content_weight: float = Field(1.0, ge=0, description="lambda_c of equation 5")
    style_weight: float = Field(5.0, ge=0, description="lambda_s")
    tv_weight: float = Field(_PUBLISHED_TV, ge=0, description="lambda_TV, of the mean over pixels in [0, 1]")
    spike_weight: float = Field(0.0, ge=0, description="of what keeps blots from ruling the instance norms; ours")
    lattice_weight: float = Field(0.0, ge=0, description="of what the network's own grid leaves in a painting; ours")
    windows: int = Field(
        1,
        ge=1,
        description="cut a painting into so many across and down, each with a style loss, half of all; else flat parts "
        "may stay bare; ours",
    )
    relative: bool = Field(
        False, description="divide each layer's losses by those of a blank picture; not in the paper"
    )
    features: Precision = Field("exact", description="of the network that the losses look through")


JOHNSON_2016 = FastStyleConfig()
JOHNSON_RELEASED_CODE = FastStyleConfig(  # the defaults of jcjohnson/fast-neural-style, train.lua: layer 16 of VGG-16
    norm="instance",
    output="tanh150",
    content_layers={"relu3_3": 1.0},
)
JOHNSON_IN = FastStyleConfig(  # ours
    norm="instance",
    padding="each",
    upsampling="resize",
    leak=0.2,
    output="linear",
    noise=0.04,
    style_weight=1.0,
    content_weight=0.15,
    tv_weight=1.0,
    spike_weight=2.0,
    lattice_weight=100.0,
    windows=3,
    content_layers={"relu3_3": 1.0},
    style_layers=dict(zip(_JOHNSON_LAYERS, (0.5, 0.25, 0.15, 0.1), strict=True)),
    relative=True,
    features="fast",
)
SLIM = JOHNSON_IN.model_copy(update={"channels": (16, 32, 64)})

FIT_2016 = FitConfig(  # section 4.1
    steps=40_000, batch_size=4, optimizer=OptimizerConfig(kind="adam", learning_rate=1e-3)
)
FIT_MODERN = modern_fit(20_000, 4, 1e-3, warmup_steps=100, clip_norm=10.0, ema_decay=0.995)  # ours


class FastStyle(nn.Module):
    """The image transformation network f_W: a photo in, a painting of the same size out."""

    outputs = (Port("result", "photo"),)

    mean_color: Tensor

    def __init__(self, config: FastStyleConfig = JOHNSON_2016) -> None:
        super().__init__()
        self.config = config
        narrow, middle, wide = config.channels
        self.down = nn.ModuleList(
            [self._layer(3, narrow, 9), self._layer(narrow, middle, 3, 2), self._layer(middle, wide, 3, 2)]
        )
        self.blocks = nn.ModuleList(self._block(wide) for _ in range(config.num_blocks))
        self.up = nn.ModuleList([self._layer(wide, middle, 3, up=True), self._layer(middle, narrow, 3, up=True)])
        self.last = Layer(self._convolution(narrow, 3, 9), self._norm(3) if config.last_norm else None, None)
        self.register_buffer("mean_color", torch.tensor(_CAFFE_MEAN)[:, None, None], persistent=False)
        self._targets = StyleTargets(config.style_layers)

    def _layer(self, inputs: int, outputs: int, kernel: int, stride: int = 1, *, up: bool = False) -> Layer:
        convolution = self._upsampling(inputs, outputs) if up else self._convolution(inputs, outputs, kernel, stride)
        return Layer(convolution, self._norm(outputs), self._relu())

    def _convolution(self, inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Sequential:
        if self.config.padding == "once":
            return nn.Sequential(nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2))
        before = after = kernel // 2
        if self.config.padding == "zeros":  # as few as there must be, an odd one after the picture
            before, after = (kernel - stride) // 2, (kernel - stride + 1) // 2
        pad = _PADS[self.config.padding]((before, after) * 2)
        return nn.Sequential(pad, nn.Conv2d(inputs, outputs, kernel, stride))

    def _upsampling(self, inputs: int, outputs: int) -> nn.Sequential:
        if self.config.upsampling == "transposed" and self.config.padding == "zeros":
            return nn.Sequential(nn.ConvTranspose2d(inputs, outputs, 4, 2, 1))
        if self.config.upsampling == "transposed":
            return nn.Sequential(nn.ConvTranspose2d(inputs, outputs, 3, 2, 1, output_padding=1))
        return nn.Sequential(nn.Upsample(scale_factor=2), *self._convolution(inputs, outputs, 3))

    def _relu(self) -> nn.Module:
        return nn.LeakyReLU(self.config.leak) if self.config.leak else nn.ReLU()

    def _norm(self, channels: int) -> nn.Module:
        if self.config.norm == "batch":
            return nn.BatchNorm2d(channels)
        return style_norm(channels, len(self.config.styles))

    def _block(self, channels: int) -> ResidualBlock:
        def layer(relu: nn.Module | None) -> Layer:
            valid = nn.Sequential(nn.Conv2d(channels, channels, 3))
            same = self.config.padding != "once"
            return Layer(self._convolution(channels, channels, 3) if same else valid, self._norm(channels), relu)

        return ResidualBlock(layer(self._relu()), layer(None), crop=2 if self.config.padding == "once" else 0)

    @property
    def inputs(self) -> tuple[Port, ...]:
        """The photo; a reflection needs more pixels than it is wide."""
        least = 2 * STRIDE * self.config.num_blocks + 1 if self.config.padding == "once" else 2 * STRIDE
        return (Port("image", "photo", multiple=STRIDE, least=least, noise=self.config.noise),)

    @property
    def players(self) -> Mapping[str, nn.Module]:
        """One: the whole network."""
        return {"network": self}

    def forward(self, image: Image) -> Image:
        """RGB (n, 3, h, w) in [0, 1], sides multiples of 4 -> RGB of the same size, about [0, 1], not clipped.

        Of several styles it is the first: see `at` and `paint`.
        """
        return self.paint(image, None)

    def paint(self, image: Image, mixture: Mixture | None) -> Image:
        """The same with a mixture of styles for each photo; None is the first style."""
        x = self._padded(image)
        x = 255 * (x - self.mean_color) if self.config.range == "caffe" else x
        for layer in self.down:
            x = layer(x, mixture)  # (n, 128, h/4, w/4)
        for block in self.blocks:
            x = block(x, mixture)
        for layer in self.up:
            x = layer(x, mixture)
        return self._in_unit_range(self.last(x, mixture))

    def _padded(self, image: Tensor) -> Tensor:
        if self.config.padding != "once":
            return image
        shrunk = 4 * self.config.num_blocks  # at a quarter of the size
        return F.pad(image, (2 * shrunk,) * 4, mode="reflect")

    def _in_unit_range(self, x: Tensor) -> Tensor:
        if self.config.output == "linear":
            return x + 0.5
        if self.config.output == "tanh":
            return (torch.tanh(x) + 1) / 2
        middle = 0.5 if self.config.output == "tanh150gray" else self.mean_color
        return 150 / 255 * torch.tanh(x) + middle

    def turns(self, batch: Stylization, progress: Progress) -> Iterator[Turn]:
        """Equation 5: content, style and total variation."""
        mixture = F.one_hot(batch.style, len(self.config.styles)).float()
        photos = batch.source + self.config.noise * torch.randn_like(batch.source)
        with entering(self._late_norms() if self.config.spike_weight else ()) as maps:
            painted = self.paint(photos, mixture).float()
        with torch.autocast(painted.device.type, enabled=False):  # Gram matrices need their digits
            losses = self._losses(painted, batch)
            if self.config.spike_weight:
                losses["spikes"] = self.config.spike_weight * spikes(maps)
        yield Turn("network", losses)

    def _late_norms(self) -> list[nn.Module]:
        """Those in which blots grow: after the downsampling, where edges stand out as they should."""
        layers = [part for stage in (self.blocks, self.up) for part in stage.modules() if isinstance(part, Layer)]
        return [layer.norm for layer in layers if layer.norm is not None]

    def _losses(self, painted: Image, batch: Stylization) -> dict[str, Tensor]:
        config = self.config
        found = self._vgg.to(painted.device)(painted)
        with torch.no_grad():
            wanted = self._content_vgg.to(painted.device)(batch.source)
            targets = self._targets.of(self._vgg, batch.style, batch.style_crops)
        content = feature_loss(found, wanted, config.content_layers, relative=config.relative)
        style = style_loss_in_windows(found, targets, config.style_layers, config.windows, relative=config.relative)
        losses = {"content": config.content_weight * content, "style": config.style_weight * style}
        if config.tv_weight:
            losses["variation"] = config.tv_weight * total_variation(painted)
        if config.lattice_weight:
            losses["lattice"] = config.lattice_weight * lattice(painted, STRIDE)
        return losses

    @cached_property
    def _vgg(self) -> VGG:
        return self._features([*self.config.style_layers, *self.config.content_layers])

    @cached_property
    def _content_vgg(self) -> VGG:
        return self._features(self.config.content_layers)

    def _features(self, layers: Iterable[str]) -> VGG:
        return VGG(layers, precision=self.config.features, device=self.mean_color.device)

    def at(self, mixture: Float[Tensor, " styles"]) -> "FastStyle":
        """The network for one mixture of styles alone, as fast as if it knew no other.

        Args:
            mixture: How much of each style, in the order of `config.styles`; not all must add up to 1.
        """
        alone = FastStyle(self.config.model_copy(update={"styles": ("mixture",)}))
        alone.load_state_dict(mixed_weights(self, mixture))
        return alone.train(self.training)
