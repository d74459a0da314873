"""VDSR: twenty convolutions that learn what bicubic enlargement leaves out, one network for every scale.

Kim, Lee, Lee, "Accurate image super-resolution using very deep convolutional networks", CVPR 2016, arXiv:1511.04587.
Differs from the paper: no biases (as in its published model: 664,704 weights); the loss is the mean squared error, not
half of it; theta of the adjustable clip, which the paper does not give, is ours; and so is `VDSR_FAST`.
"""

import itertools
from collections.abc import Iterator, Mapping

import torch
import torch.nn.functional as F
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from limner.config import Config
from limner.data.pairs import Pair
from limner.loops.fit import FitConfig
from limner.loops.optimizers import ClipConfig, OptimizerConfig, ScheduleConfig
from limner.loops.presets import modern_fit
from limner.ops.color import rgb_to_ycbcr, ycbcr_to_rgb
from limner.ops.resample import imresize
from limner.ports import Port
from limner.types import Forward, Image, Luminance, Progress, Turn


class VDSRConfig(Config):
    """The network of section 3.1."""

    num_layers: int = Field(20, ge=2, description="convolution layers, d in the paper")
    channels: int = Field(64, ge=1, description="filters of each hidden layer")
    fold: int = Field(
        1, ge=1, description="side of the pixel blocks that are folded into channels; 1 is the paper's network"
    )


VDSR_2016 = VDSRConfig()
VDSR_FAST = VDSRConfig(fold=2)
"""Works on 2x2 blocks folded into channels: a quarter of the arithmetic, twice the receptive field."""

FIT_2016 = FitConfig(  # "Training Parameters": 9,960 steps are 80 epochs; 0.1 falls by 10 every 20 (clip: section 3.2)
    steps=9_960,
    batch_size=64,
    optimizer=OptimizerConfig(kind="sgd", learning_rate=0.1, momentum=0.9, weight_decay=1e-4),
    schedule=ScheduleConfig(kind="step", every=0.25, factor=0.1),
    clip=ClipConfig(kind="adjustable", threshold=0.01),
)
FIT_MODERN = modern_fit(100_000, 8, 5e-4, clip_norm=1.0)  # ours, for hours instead of days


class VDSR(nn.Module):
    """f(x) = x + residual(x) on bicubically enlarged luminance."""

    scales = (2, 3, 4)
    inputs = (Port("image", "luminance", 1),)
    outputs = (Port("result", "luminance", 1),)
    needs_whole = False
    """Whether `enlarge` must be given a whole picture, not its parts."""

    def __init__(self, config: VDSRConfig = VDSR_2016) -> None:
        super().__init__()
        self.config = config
        folded = config.fold**2
        widths = [folded, *[config.channels] * (config.num_layers - 1), folded]
        layers: list[nn.Module] = []
        for in_channels, out_channels in itertools.pairwise(widths):
            convolution = nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False)
            nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")  # section 4.2: He et al.
            layers += [convolution, nn.ReLU(inplace=True)]
        self.residual = nn.Sequential(*layers[:-1])

    @property
    def players(self) -> Mapping[str, nn.Module]:
        """One: the residual network."""
        return {"network": self.residual}

    def forward(self, interpolated: Luminance) -> Luminance:
        """Sharpen a bicubically enlarged luminance; sides that the fold does not divide are padded, then cut."""
        height, width = interpolated.shape[-2:]
        fold = self.config.fold
        padded = F.pad(interpolated, (0, -width % fold, 0, -height % fold))
        residual = self.residual(F.pixel_unshuffle(padded, fold))  # (n, fold^2, h/fold, w/fold)
        return interpolated + F.pixel_shuffle(residual, fold)[..., :height, :width]

    def turns(self, batch: Pair, progress: Progress) -> Iterator[Turn]:
        """Half the squared error of section 3.2, without the half."""
        yield Turn("network", {"mse": F.mse_loss(self(batch.source).float(), batch.target)})

    def enlarge(self, image: Image, scale: int, run: Forward | None = None) -> Float[Tensor, "n 3 H W"]:
        """Enlarge RGB: luminance by the network, chroma bicubically; `run` stands for `forward` where given."""
        enlarged = imresize(rgb_to_ycbcr(image), scale)
        sharp = (run or self)(enlarged[:, :1])
        return ycbcr_to_rgb(torch.cat([sharp, enlarged[:, 1:]], dim=1)).clamp(0, 1)

    def enlarge_luminance(
        self, luminance: Luminance, scale: int, run: Forward | None = None
    ) -> Float[Tensor, "n 1 H W"]:
        """Enlarge a luminance, as the paper's tables do."""
        return (run or self)(imresize(luminance, scale))
