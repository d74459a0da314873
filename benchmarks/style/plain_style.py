"""Fast style transfer as it is commonly trained: eager float32, channels first, VGG-16 over the painting and the photo.

The losses are those of Limner's presets but for what these add to the papers, so that both ways lower the same; how
they are computed is the plain way.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from benchmarks.runtime.architectures import JohnsonNet
from limner.data.stylization import Stylization
from limner.features.vgg16 import EMBEDDED, VGG, read_weights
from limner.systems.feedforward.fast_style import FastStyle, FastStyleConfig
from limner.types import Image

COMMON = {"leak": 0.0, "windows": 1, "spike_weight": 0.0, "lattice_weight": 0.0}
"""A preset without what the papers do not have, so that both ways train the same."""


class PlainVGG(nn.Module):
    """VGG-16 up to relu4_3 as modules; all activations by name."""

    mean: Tensor
    deviation: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleDict()
        for one, weight, bias in read_weights(EMBEDDED).convolutions:
            if one.name == "5_1":
                break
            if self.layers and one.name.endswith("_1"):
                self.layers[f"pool{one.name}"] = nn.MaxPool2d(2)
            convolution = nn.Conv2d(one.in_channels, one.out_channels, 3, padding=1)
            convolution.weight.data, convolution.bias = weight.float(), nn.Parameter(bias.float())
            self.layers[f"conv{one.name}"], self.layers[f"relu{one.name}"] = convolution, nn.ReLU()
        known = VGG(["relu1_1"])
        self.register_buffer("mean", known.mean)
        self.register_buffer("deviation", known.deviation)
        self.requires_grad_(False)

    def forward(self, image: Image) -> dict[str, Tensor]:
        """RGB (n, 3, h, w) in [0, 1] -> (n, c, h', w') by name."""
        x, found = (image - self.mean) / self.deviation, {}
        for name, layer in self.layers.items():
            x = found[name] = layer(x)
        return found


def plain_gram(x: Tensor) -> Tensor:
    """(n, c, h, w) -> (n, c, c)."""
    n, c, h, w = x.shape
    flat = x.view(n, c, h * w)
    return flat.bmm(flat.transpose(1, 2)) / (c * h * w)


def relative(found: Tensor, wanted: Tensor) -> Tensor:
    """Squared distances relative to those of nothing, the mean over the batch."""
    distances, norms = ((x**2).flatten(1).sum(1) for x in (found - wanted, wanted))
    return (distances / norms).mean()


class PlainTraining:
    """A network of one style, Adam, and how it makes a step.

    Args of the constructor:
        start: The network whose weights it begins with.
        style: The pictures whose mean Gram matrices are wanted, (n, 3, s, s).
        learning_rate: Of Adam.
        device: Where.
    """

    def __init__(self, start: FastStyle, style: Image, learning_rate: float, device: torch.device) -> None:
        self.config, self.device = start.config, device
        self.network = JohnsonNet(start.config.channels).to(device)
        copy_weights(start, self.network)
        self.vgg = PlainVGG().to(device)
        self.optimizer = torch.optim.Adam(self.network.parameters(), learning_rate)
        found = self.vgg(style.to(device))
        self.grams = {name: plain_gram(found[name]).mean(0, keepdim=True) for name in self.config.style_layers}

    def step(self, batch: Stylization) -> float:
        """The loss, which it has lowered."""
        photos = batch.source.to(self.device)
        self.optimizer.zero_grad()
        painted = self.network(photos + self.config.noise * torch.randn_like(photos)) + 0.5
        loss = plain_loss(painted, self.vgg(painted), self.vgg(photos), self.grams, self.config)
        loss.backward()
        self.optimizer.step()
        return loss.item()


def plain_loss(
    painted: Image,
    found: Mapping[str, Tensor],
    wanted: Mapping[str, Tensor],
    grams: Mapping[str, Tensor],
    config: FastStyleConfig,
) -> Tensor:
    """Content, style and total variation, weighted.

    Args:
        painted: RGB (n, 3, h, w).
        found: Its activations.
        wanted: Those of the photos.
        grams: Gram matrices (1, c, c) of the style.
        config: Of which all losses are relative.
    """
    content = sum(weight * relative(found[name], wanted[name]) for name, weight in config.content_layers.items())
    style = sum(weight * relative(plain_gram(found[name]), grams[name]) for name, weight in config.style_layers.items())
    across, down = painted[..., :-1, 1:] - painted[..., :-1, :-1], painted[..., 1:, :-1] - painted[..., :-1, :-1]
    variation = (across**2 + down**2).mean()
    return config.content_weight * content + config.style_weight * style + config.tv_weight * variation


def copy_weights(source: nn.Module, target: nn.Module) -> None:
    """Between `FastStyle` and `JohnsonNet`, whose layers stand in one order."""
    pairs = zip(source.parameters(), target.parameters(), strict=True)
    with torch.no_grad():
        for given, taken in pairs:
            taken.copy_(given)
