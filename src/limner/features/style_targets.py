"""What paintings are to have of their styles in training: Gram matrices of style pictures, each made once in a run."""

from collections.abc import Iterable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from limner.features.vgg16 import VGG
from limner.losses.gram import Gram
from limner.losses.perceptual import mean_gram_targets


class StyleTargets:
    """Targets of `losses.perceptual.style_loss`, known by the numbers of styles.

    Args of the constructor:
        layers: Of the network that the losses look through.
    """

    def __init__(self, layers: Iterable[str]) -> None:
        self._layers = tuple(layers)
        self._known: dict[int, dict[str, Gram]] = {}

    def of(
        self, vgg: VGG, styles: Int[Tensor, " n"], crops: Float[Tensor, "n k 3 s s"]
    ) -> dict[str, Float[Tensor, "n c c"]]:
        """By layer, the mean Gram matrix of each style's crops.

        Args:
            vgg: Gives the layers.
            styles: Numbers; a number means the same picture in a whole run.
            crops: RGB in [0, 1], of each style's picture.
        """
        for number, shown in zip(styles.tolist(), crops, strict=True):
            if number not in self._known:
                self._known[number] = mean_gram_targets(vgg(shown), self._layers)
        return {layer: torch.cat([self._known[number][layer] for number in styles.tolist()]) for layer in self._layers}
