"""Pictures compared by the activations of a trained network.

Johnson, Alahi and Fei-Fei, "Perceptual losses for real-time style transfer and super-resolution", ECCV 2016,
arXiv:1603.08155, section 3.2.
"""

from collections.abc import Iterable, Mapping
from typing import TypeAlias

import torch
from torch import Tensor

from limner.losses.gram import Gram, gram, gram_distances

Activations: TypeAlias = Mapping[str, Tensor]
"""Feature maps (n, c, h, w) by the names of their layers, of any precision."""

_NOTHING = 1e-12  # below what any picture's responses come to


def feature_loss(
    found: Activations, wanted: Activations, weights: Mapping[str, float], *, relative: bool = False
) -> Tensor:
    """Sum over layers of weight * ||found - wanted||^2 / (c h w), the mean over the batch (equation 2).

    Args:
        found: Of the pictures that are made.
        wanted: Of those that they should be like.
        weights: By layer; other layers are left out.
        relative: Divide each picture's distance by that of one without any response.
    """
    terms = [
        weight * _distance(found[layer].float(), wanted[layer].float(), relative) for layer, weight in weights.items()
    ]
    return torch.stack(terms).sum()


def _distance(found: Tensor, wanted: Tensor, relative: bool) -> Tensor:
    """Mean squared difference of each picture, then the mean over pictures."""
    distances = (found - wanted).square().flatten(1).mean(1)
    if relative:
        distances = distances / wanted.square().flatten(1).mean(1).clamp(min=_NOTHING)
    return distances.mean()


def in_windows(activations: Activations, across: int) -> dict[str, Tensor]:
    """Cut into `across` x `across` windows, each a picture of its own: (n across^2, c, h // across, w // across).

    A map of fewer places across, or down, is cut into so many.
    """
    return {layer: _windows(x, min(across, *x.shape[-2:])) for layer, x in activations.items()}


def _windows(x: Tensor, across: int) -> Tensor:
    n, c, h, w = x.shape
    height, width = h // across, w // across
    cut = x[..., : across * height, : across * width].reshape(n, c, across, height, across, width)
    return cut.permute(0, 2, 4, 1, 3, 5).flatten(0, 2)


def gram_targets(style: Activations, layers: Iterable[str]) -> dict[str, Gram]:
    """The Gram matrices of a layer, divided by c h w (equation 3)."""
    return {layer: gram(style[layer]) / style[layer][0].numel() for layer in layers}


def mean_gram_targets(style: Activations, layers: Iterable[str]) -> dict[str, Gram]:
    """Of each layer (1, c, c), the mean of `gram_targets` over pictures that show one style."""
    return {layer: target.mean(0, keepdim=True) for layer, target in gram_targets(style, layers).items()}


def style_loss(
    found: Activations, targets: Mapping[str, Gram], weights: Mapping[str, float], *, relative: bool = False
) -> Tensor:
    """Sum over layers of weight * ||G(found) - target||_F^2, the mean over the batch (equation 4).

    Args:
        found: Of the pictures that are made.
        targets: As `gram_targets` gives them: one for all pictures (1, c, c), for each, or for each few in a row.
        weights: By layer.
        relative: Divide each picture's distance by that of one without any response.
    """
    terms = []
    for layer, weight in weights.items():
        distances = gram_distances(found[layer], targets[layer])
        if relative:
            blank = targets[layer].square().sum((1, 2)).clamp(min=_NOTHING)
            distances = distances / blank.repeat_interleave(len(distances) // len(blank))
        terms.append(weight * distances.mean())
    return torch.stack(terms).sum()


def style_loss_in_windows(
    found: Activations,
    targets: Mapping[str, Gram],
    weights: Mapping[str, float],
    across: int,
    *,
    relative: bool = False,
) -> Tensor:
    """The mean of the style loss of whole pictures and of that of their windows.

    Args:
        found: As for `style_loss`, like `targets`, `weights` and `relative`.
        targets: Of whole pictures.
        weights: By layer.
        across: Windows across, and down; 1 gives the style loss alone.
        relative: Divide each picture's distance by that of one without any response.
    """
    whole = style_loss(found, targets, weights, relative=relative)
    if across == 1:
        return whole
    return (whole + style_loss(in_windows(found, across), targets, weights, relative=relative)) / 2
