"""How well a network for many styles paints: style and content losses over photos that it has not seen."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from limner.config import Config
from limner.data.stylization import StylizationConfig, read, squares_of
from limner.features.vgg16 import VGG
from limner.losses.perceptual import feature_loss, gram_targets, style_loss
from limner.ops.framing import middle_square
from limner.systems.feedforward.fast_style import FastStyle
from limner.verbs.named_styles import style_picture
from limner.verbs.painter import Painter


class StyleFigures(Config):
    """Of one style, means over photos; losses are relative to a blank picture, lower is better."""

    style: float
    """Of the paintings: equation 4 of arXiv:1603.08155 over the layers of the network's configuration."""
    photo_style: float
    """The same of the photos as they are."""
    content: float
    """Of the paintings: equation 2."""


def figures_of(network: FastStyle, photos: Sequence[Path], side: int = 256) -> dict[str, StyleFigures]:
    """The figures of every style that a network knows and that comes with Limner under its name.

    Args:
        network: Trained.
        photos: Their middle squares are painted.
        side: Of these, in pixels.

    Raises:
        LimnerError: If a picture cannot be read, or the network knows another style.
    """
    config = network.config
    vgg = VGG([*config.style_layers, *config.content_layers])
    squares = torch.cat([middle_square(read(path)[None], side) for path in photos])
    found = {}
    with torch.inference_mode():
        seen = vgg(squares)
        for number, name in enumerate(config.styles):
            mixture = torch.nn.functional.one_hot(torch.tensor(number), len(config.styles)).float()
            painted = vgg(Painter(network.at(mixture), precision="exact").paint(squares))
            targets = _mean_targets(
                vgg(squares_of(read(style_picture(name)), StylizationConfig().style_size)), config.style_layers
            )
            found[name] = StyleFigures(
                style=style_loss(painted, targets, config.style_layers, relative=True).item(),
                photo_style=style_loss(seen, targets, config.style_layers, relative=True).item(),
                content=feature_loss(painted, seen, config.content_layers, relative=True).item(),
            )
    return found


def _mean_targets(style: Mapping[str, Tensor], layers: Mapping[str, float]) -> dict[str, Tensor]:
    return {layer: gram.mean(0, keepdim=True) for layer, gram in gram_targets(style, layers).items()}
