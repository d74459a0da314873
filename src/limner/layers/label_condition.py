"""Label maps as networks take them: a channel for each class."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from limner.ports import Port


def label_ports(num_classes: int, *, edges: bool, multiple: int, least: int) -> tuple[Port, ...]:
    """Of the label map, and of the edges between objects where these are told."""
    labels = Port("labels", "label_map", num_classes, multiple=multiple, least=least)
    return (labels, Port("edges", "mask", 1)) if edges else (labels,)


def by_channels(
    labels: Int[Tensor, "n 1 h w"], num_classes: int, more: Sequence[Float[Tensor, "n e h w"]] = ()
) -> Float[Tensor, "n k h w"]:
    """1 in the channel of each pixel's class, 0 in the others, then what else is known of each pixel.

    >>> by_channels(torch.tensor([[[[0, 2]]]]), 3)[0, :, 0]
    tensor([[1., 0.],
            [0., 0.],
            [0., 1.]])
    """
    one_hot = F.one_hot(labels.squeeze(1), num_classes).permute(0, 3, 1, 2).float()
    return torch.cat([one_hot, *more], 1) if more else one_hot
