"""Which 3x3 convolutions are faster by Winograd's way (`limner.layers.nnpack`), and what that means for layouts."""

import torch
from torch import Tensor

from limner.layers import nnpack
from limner.processor import layout_on, winograd_pays

_MOST, _ANY_SIZE = (64, 64), (2**16, 2**16)  # channels that most have no fewer of, and pixels that are enough


def fits(weight: Tensor, padding: tuple[int, int], shape: tuple[int, ...]) -> bool:
    """Whether a 3x3 convolution with stride 1 of a picture (n, c, h, w) is faster this way on this processor.

    Args:
        weight: (k, c, 3, 3).
        padding: Zeros around the picture, rows and columns, at most 2.
        shape: Of the picture.
    """
    if weight.dtype != torch.float32 or weight.shape[2:] != (3, 3) or max(padding) > 2:
        return False
    size = shape[2] + 2 * padding[0] - 2, shape[3] + 2 * padding[1] - 2
    return winograd_pays(weight.shape[1], weight.shape[0], *size) and nnpack.is_ready()


def frozen_layout(device: torch.device, dtype: torch.dtype) -> torch.memory_format:
    """The memory layout in which a picture learns fastest through a frozen network of many 3x3 convolutions.

    Where most of them are computed this way, turning pictures around would take a sixth of the time.
    """
    if device.type == "cpu" and dtype == torch.float32 and winograd_pays(*_MOST, *_ANY_SIZE) and nnpack.works():
        return torch.contiguous_format
    return layout_on(device, "picture")
