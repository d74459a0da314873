"""The networks that the timings are of, with weights that keep their activations sane, and how much they compute."""

import copy
import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.runtime.architectures import AdaINNet, JohnsonNet, ResNetGenerator, UNet, UNet256
from limner.catalog.models import load
from limner.files.image import read_image, to_tensor
from limner.ops.color import luminance
from limner.ops.resample import imresize

PHOTO = Path(__file__).parents[2] / "src" / "limner" / "demo" / "astronaut.jpg"
Convolution = nn.Conv2d | nn.ConvTranspose2d


@dataclass(frozen=True)
class Network:
    """A network and what it is given.

    Attributes:
        title: How the report names it.
        build: Makes it, in evaluation mode, the same at every call.
        multiple: Sides of the input must be multiples of this; smaller pictures are enlarged to it.
        scale: How many times larger the result is than the input; the size of a picture is that of the result.
        channels: Of the input: 3 is RGB, 1 is luminance that was enlarged by 2.
        signed: Whether the input is in [-1, 1] instead of [0, 1].
        reference: Whether it is one of the seven that the summary's medians are of.
    """

    title: str
    build: Callable[[], nn.Module]
    multiple: int = 1
    scale: int = 1
    channels: int = 3
    signed: bool = False
    reference: bool = True

    def input_size(self, height: int, width: int) -> tuple[int, int]:
        """The rows and columns that it is given for a result of at least `height` x `width`."""
        step = self.multiple * self.scale
        return -(-height // step) * self.multiple, -(-width // step) * self.multiple

    def picture(self, height: int, width: int) -> Tensor:
        """What it is given for a result of at least `height` x `width` pixels: (1, channels, h, w) of a photo."""
        rows, columns = self.input_size(height, width)
        photo = to_tensor(read_image(PHOTO))
        if self.channels == 1:
            small = luminance(imresize(photo, size=(-(-rows // 2), -(-columns // 2))))
            return imresize(small, 2)[..., :rows, :columns].clamp(0, 1).contiguous()
        image = imresize(photo, size=(rows, columns)).clamp(0, 1)
        return 2 * image - 1 if self.signed else image


def settled(network: nn.Module, deviation: float, mean: float, *, signed: bool = False) -> nn.Module:
    """Fixed random weights that keep every layer's output on a photo about as large, and the result as asked.

    The layers are scaled to deviation 1 after Mishkin and Matas, "All you need is a good init", arXiv:1511.06422. Batch
    norms keep the statistics of the same photo. The biases of norms are mostly positive: where ReLUs cut half of every
    feature away, a deep random network amplifies every rounding (Yang et al., "A mean field theory of batch
    normalization", arXiv:1902.08129), as no trained one does.
    """
    generator = torch.Generator().manual_seed(0)
    for module in network.modules():
        _randomize(module, generator)
    image = Network("", nn.Identity, signed=signed).picture(256, 256)
    _settle(network, image, deviation, mean)
    if isinstance(network, AdaINNet):
        network.take_style(imresize(torch.rand(1, 3, 32, 32, generator=generator), 8))
        _settle(network, image, deviation, mean)  # the decoder is now given features of another size
    return network.eval().requires_grad_(False)


def _randomize(module: nn.Module, generator: torch.Generator) -> None:
    module.train(isinstance(module, nn.BatchNorm2d))
    if isinstance(module, nn.BatchNorm2d):
        module.momentum = 1.0  # the statistics of one picture alone
    if isinstance(module, Convolution):
        nn.init.kaiming_normal_(module.weight, generator=generator)
        if module.bias is not None:
            nn.init.normal_(module.bias, std=0.1, generator=generator)
    elif isinstance(module, nn.BatchNorm2d | nn.InstanceNorm2d) and module.affine:
        nn.init.uniform_(module.weight, 0.5, 1.5, generator=generator)
        nn.init.normal_(module.bias, 0.5, 0.3, generator=generator)


@torch.no_grad()
def _settle(network: nn.Module, image: Tensor, deviation: float, mean: float) -> None:
    convolutions = [module for module in network.modules() if isinstance(module, Convolution)]
    *inner, last = convolutions
    handles = [module.register_forward_hook(_scaled) for module in inner]
    handles.append(last.register_forward_hook(functools.partial(_shifted, deviation=deviation, mean=mean)))
    network(image)
    for handle in handles:
        handle.remove()


def _scaled(module: Convolution, _: tuple[Tensor, ...], result: Tensor) -> Tensor:
    factor = 1 / result.std()
    module.weight.mul_(factor)
    if module.bias is not None:
        module.bias.mul_(factor)
    return result * factor


def _shifted(module: Convolution, _: tuple[Tensor, ...], result: Tensor, *, deviation: float, mean: float) -> Tensor:
    assert module.bias is not None
    level = result.mean((0, 2, 3), keepdim=True)
    factor = deviation / (result - level).std()
    module.weight.mul_(factor)
    module.bias.sub_(level.flatten()).mul_(factor).add_(mean)
    return (result - level) * factor + mean


NETWORKS = {
    "johnson": Network("Johnson style", lambda: settled(JohnsonNet(), 0.2, 0.5), multiple=4),
    "resnet9": Network("ResNet-9", lambda: settled(ResNetGenerator(), 0.5, 0.0, signed=True), multiple=4, signed=True),
    "unet256": Network("pix2pix U-Net", lambda: settled(UNet256(), 0.5, 0.0, signed=True), multiple=256, signed=True),
    "vdsr": Network("VDSR", lambda: load("vdsr")[0], channels=1),
    "srresnet": Network("SRResNet x4", lambda: load("srresnet")[0], scale=4),
    "unet": Network("U-Net", lambda: settled(UNet(), 0.5, 0.0), multiple=16),
    "adain": Network("AdaIN", lambda: settled(AdaINNet(), 0.2, 0.5), multiple=8),
    "vdsr-fast": Network("VDSR, folded", lambda: load("vdsr-fast")[0], channels=1, reference=False),
}


def gflop(network: nn.Module, shape: tuple[int, ...]) -> float:
    """Twice the multiply-adds of its convolutions for an input of `shape`, in units of 10^9; nothing is computed."""
    counter = FlopCounterMode(display=False)
    with counter, torch.inference_mode():
        copy.deepcopy(network).to("meta")(torch.empty(shape, device="meta"))
    return counter.get_total_flops() / 1e9
