"""The trained network by whose activations pictures are compared in training."""

from collections.abc import Iterable
from pathlib import Path

import torch

from limner.features.vgg16 import VGG, Pooling, mean_responses
from limner.types import Precision


def loss_network(
    layers: Iterable[str], *, weights: Path | None = None, device: torch.device, pooling: Pooling = "max"
) -> VGG:
    """A VGG with fixed weights: that of a file, or the embedded VGG-16 whose filters respond with a mean of 1.

    It computes in bfloat16 where a run does.

    Args:
        layers: As for `VGG`.
        weights: A file of VGG-16 or VGG-19.
        device: Where pictures are compared.
        pooling: As for `VGG`.

    Raises:
        LimnerError: If the file is no such network, or lacks a layer.
    """
    precision: Precision = "fast" if torch.is_autocast_enabled(device.type) else "exact"
    vgg = VGG(layers, weights=weights, precision=precision, device=device, pooling=pooling)
    if weights is None:
        vgg.normalize(mean_responses(pooling))
    return vgg
