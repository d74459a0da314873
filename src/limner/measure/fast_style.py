"""How well a network for many styles paints: style and content losses over photos that it has not seen."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import torch

from limner.config import Config
from limner.data.stylization import StylizationConfig, read, squares_of
from limner.features.vgg16 import VGG
from limner.losses.gram import Gram
from limner.losses.perceptual import feature_loss, mean_gram_targets, style_loss
from limner.measure.report import Column, Report, Row, Table, figure
from limner.ops.framing import middle_square
from limner.runtime.run_options import RunOptions
from limner.systems.feedforward.fast_style import FastStyle
from limner.verbs.stylize.named_styles import style_picture
from limner.verbs.stylize.network_painter import Painter


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
            painted = vgg(Painter(network.at(mixture), options=RunOptions(precision="exact")).paint(squares))
            targets = style_targets(vgg, name, config.style_layers)
            found[name] = StyleFigures(
                style=style_loss(painted, targets, config.style_layers, relative=True).item(),
                photo_style=style_loss(seen, targets, config.style_layers, relative=True).item(),
                content=feature_loss(painted, seen, config.content_layers, relative=True).item(),
            )
    return found


def style_targets(vgg: VGG, style: str, layers: Iterable[str]) -> dict[str, Gram]:
    """What `style_loss` is to compare with: the means over both ends of a style that comes with Limner.

    Args:
        vgg: With all of the layers.
        style: Its name, or a picture.
        layers: Of the style.
    """
    ends = squares_of(read(style_picture(style)), StylizationConfig().style_size)
    return mean_gram_targets(vgg(ends), layers)


def styles_report(found: Mapping[str, StyleFigures], num_photos: int, side: int) -> Report:
    """The losses of every style, which the card keeps."""
    rows = [Row(name, "fast-style", one.model_dump()) for name, one in found.items()]
    columns = (
        Column("style", lambda row: row.case),
        figure("style loss: photo", "photo_style", ".3f"),
        figure("painting", "style", ".3f"),
        figure("content loss", "content", ".3f"),
    )
    what = "Losses in VGG-16, each layer divided by that of a blank picture."
    in_card = dict.fromkeys(StyleFigures.model_fields, ".4g")
    table = Table(f"style and content losses, {num_photos} photos at {side}", what, columns, tuple(rows), in_card)
    return Report.here(f"Styles in one pass, means of {num_photos} photos at {side}x{side}", table)
