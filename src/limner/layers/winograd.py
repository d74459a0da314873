"""3x3 convolutions with stride 1 by Winograd's minimal filtering, in float32: fewer multiplications, the same sums.

Lavin and Gray, "Fast algorithms for convolutional neural networks", CVPR 2016, arXiv:1509.09308; NNPACK, which is in
torch, computes 6x6 pixels from 8x8 with 64 multiplications instead of 324. Its rounding errors are some times those of
a plain convolution: about 1e-4 of activations of deviation 1.

NNPACK takes channels-first pictures, and its workspace is as large as what it is given and stays held: so a picture is
cut into strips of rows, each of which is turned around on the way in and out if it is in channels last.
"""

import functools
import itertools
from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from limner.processor import layout_on, winograd_pays

Activate = Callable[[Tensor], Tensor]
"""Changes what it is given in place where it can."""

_TILE = 6  # rows and columns of the result that are computed at once
_MOST, _ANY_SIZE = (64, 64), (2**16, 2**16)  # channels that most have no fewer of, and pixels that are enough
_STRIP = 3 * 2**20  # numbers of a strip, which with its workspace should stay in the processor's cache


@functools.cache
def _threads() -> int:
    """How many threads NNPACK works with, which is as many as torch had when it was begun; 0 if it does not work."""
    try:
        if not torch._nnpack_available():  # which also begins it: without, its convolution fails
            return 0
        x, weight = torch.linspace(-1, 1, 2 * 9 * 13).view(1, 2, 9, 13), torch.linspace(-1, 1, 54).view(3, 2, 3, 3)
        away = torch._nnpack_spatial_convolution(x, weight, None, padding=1) - F.conv2d(x, weight, padding=1)
        return torch.get_num_threads() if float(away.abs().max()) < 1e-4 else 0
    except (AttributeError, RuntimeError):
        return 0


def works() -> bool:
    """Whether NNPACK is in this torch, knows this processor and computes what it should."""
    return _threads() > 0


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
    return winograd_pays(weight.shape[1], weight.shape[0], *size) and _threads() == torch.get_num_threads()


def frozen_layout(device: torch.device, dtype: torch.dtype) -> torch.memory_format:
    """The memory layout in which a picture learns fastest through a frozen network of many 3x3 convolutions.

    Where most of them are computed this way, turning pictures around would take a sixth of the time.
    """
    if device.type == "cpu" and dtype == torch.float32 and winograd_pays(*_MOST, *_ANY_SIZE) and works():
        return torch.contiguous_format
    return layout_on(device, "picture")


def convolve(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    padding: tuple[int, int],
    activate: Activate | None = None,
    memory_format: torch.memory_format = torch.contiguous_format,
) -> Tensor:
    """A 3x3 convolution with stride 1; call it where `fits` holds. There are no gradients.

    Args:
        x: (n, c, h, w) float32, contiguous or in channels last.
        weight: (k, c, 3, 3), contiguous.
        bias: (k,) or None.
        padding: Zeros around the picture, rows and columns, at most 2.
        activate: What is made of the result.
        memory_format: Of the result.

    Returns:
        (n, k, H, W).
    """
    height, width = x.shape[2] + 2 * padding[0] - 2, x.shape[3] + 2 * padding[1] - 2
    size = (len(x), len(weight), height, width)
    spans = [*_spans(height, _STRIP // (max(weight.shape[:2]) * width))]
    if len(x) == len(spans) == 1 and memory_format == torch.contiguous_format:
        return _strip(x, weight, bias, padding, (0, height), activate)
    result = torch.empty(size, memory_format=memory_format)
    for one, made in zip(x.split(1), result.split(1), strict=True):
        for start, stop in spans:
            strip = _strip(one, weight, bias, padding, (start, stop), activate)
            _write(made[:, :, start:stop], strip)
    return result


def _spans(height: int, rows: int) -> Iterator[tuple[int, int]]:
    """Strips of about so many rows, whose tiles end where they end; the first is computed with one row more."""
    step = max(2 * _TILE, rows - rows % _TILE)
    cuts = [0, *range(step - 1, height - 1, step), height] if height > step else [0, height]
    return itertools.pairwise(cuts)


def _strip(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    padding: tuple[int, int],
    span: tuple[int, int],
    activate: Activate | None,
) -> Tensor:
    """Some rows of the result, contiguous in channels first."""
    begin, end = span[0] - padding[0], span[1] + 2 - padding[0]
    inside = max(begin, 0), min(end, x.shape[2])
    rows = max(inside[0] - begin, end - inside[1])  # at the picture's border NNPACK pads on both sides
    part = channels_first(x[:, :, slice(*inside)])
    made = _computed(part, weight, bias, (rows, padding[1]))
    if made.shape[2] > span[1] - span[0]:
        skipped = rows - (inside[0] - begin)
        made = made[:, :, skipped : skipped + span[1] - span[0]]
    return activate(made) if activate else made


def _computed(x: Tensor, weight: Tensor, bias: Tensor | None, padding: tuple[int, int]) -> Tensor:
    try:
        made: Tensor = torch._nnpack_spatial_convolution(x, weight, bias, padding=padding)
    except RuntimeError:  # it was not begun, or lacks the memory for its workspace
        made = F.conv2d(x, weight, bias, padding=padding)
    return made


def channels_first(x: Tensor) -> Tensor:
    """Pictures (n, c, h, w), contiguous; torch turns matrices around much faster than pictures."""
    if x.is_contiguous() or not x.is_contiguous(memory_format=torch.channels_last):
        return x.contiguous()
    number, channels, height, width = x.shape
    made = x.new_empty(number, channels, height * width)
    for one, pixels in zip(made, x.permute(0, 2, 3, 1).reshape(number, height * width, channels), strict=True):
        one.copy_(pixels.t())
    return made.view(x.shape)


def _write(result: Tensor, made: Tensor) -> None:
    """Some rows (1, k, h, w) into their place."""
    if result.is_contiguous(memory_format=torch.channels_last):
        pixels = result.permute(0, 2, 3, 1).view(-1, result.shape[1])
        pixels.copy_(made.reshape(len(made[0]), -1).t())
    else:
        result.copy_(made)
