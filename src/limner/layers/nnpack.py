"""Convolutions with stride 1 in float32 by NNPACK, which is in torch: fewer multiplications, the same sums.

3x3 ones by Winograd's minimal filtering: Lavin and Gray, "Fast algorithms for convolutional neural networks", CVPR
2016, arXiv:1509.09308: 6x6 pixels from 8x8 with 64 multiplications instead of 324. Its rounding errors are some times
those of a plain convolution: about 1e-4 of activations of deviation 1. Wider ones by Fourier transforms: Mathieu,
Henaff and LeCun, "Fast training of convolutional networks through FFTs", 2013, arXiv:1312.5851: they round as plain
ones do.

It has threads of its own. OpenMP's, which compute all other layers, would meanwhile wait for the next one at full
speed, and take the cores from them: so these end before it begins, and are made anew after it.

NNPACK takes channels-first pictures, and its workspace is as large as what it is given and stays held: so a picture is
cut into strips of rows, each of which is turned around on the way in and out if it is in channels last.
"""

import ctypes
import functools
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

Activate = Callable[[Tensor], Tensor]
"""Changes what it is given in place where it can."""

_TILE, _WIDE_TILE = 6, 8  # rows and columns of the result that are computed at once, of 3x3 and of wider ones
_WIDE_STRIP = 32  # rows of the result, of wider ones: each pixel becomes four numbers
_SOFTLY = 1  # omp_pause_soft: settings stay
_STRIP = 3 * 2**20  # numbers of a strip, which with its workspace should stay in the processor's cache


@functools.cache
def threads() -> int:
    """How many threads NNPACK works with, which is as many as torch had when it was begun; 0 if it does not work."""
    try:
        if not torch._nnpack_available():  # which also begins it: without, its convolution fails
            return 0
        x, weight = torch.linspace(-1, 1, 2 * 9 * 13).view(1, 2, 9, 13), torch.linspace(-1, 1, 54).view(3, 2, 3, 3)
        away = torch._nnpack_spatial_convolution(x, weight, None, padding=1) - F.conv2d(x, weight, padding=1)
        return torch.get_num_threads() if float(away.abs().max()) < 1e-4 else 0
    except (AttributeError, RuntimeError):
        return 0


@functools.cache
def _pause() -> Callable[[int], int] | None:
    """What ends the threads of GNU OpenMP, from the library that torch has loaded; None where it has another."""
    try:
        maps = Path("/proc/self/maps").read_text().split()
        library = ctypes.CDLL(next(part for part in maps if "libgomp" in part))
        found: Callable[[int], int] = library.omp_pause_resource_all
    except (OSError, StopIteration, AttributeError):
        return None
    return found


def end_openmp_threads() -> bool:
    """End the threads that wait for the next parallel work of this thread, which makes new ones; False if it cannot."""
    pause = _pause()
    return pause is not None and torch.get_num_threads() > 1 and pause(_SOFTLY) == 0


def works() -> bool:
    """Whether NNPACK is in this torch, knows this processor and computes what it should."""
    return threads() > 0


def is_ready() -> bool:
    """Whether it works, and with as many threads as torch does now."""
    return 0 < threads() == torch.get_num_threads()


def convolve(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    padding: tuple[int, int],
    activate: Activate | None = None,
    memory_format: torch.memory_format = torch.contiguous_format,
) -> Tensor:
    """A convolution with stride 1 and an odd kernel of 3x3 or more; it needs no gradients, and where NNPACK `works`.

    Args:
        x: (n, c, h, w) float32, contiguous or in channels last.
        weight: (k, c, p, q), contiguous.
        bias: (k,) or None.
        padding: Zeros around the picture, rows and columns, at most p - 1 and q - 1.
        activate: What is made of the result.
        memory_format: Of the result.

    Returns:
        (n, k, H, W).
    """
    rows, columns = weight.shape[2:]
    height, width = x.shape[2] + 2 * padding[0] - rows + 1, x.shape[3] + 2 * padding[1] - columns + 1
    size = (len(x), len(weight), height, width)
    at_once = (_STRIP // (max(weight.shape[:2]) * width), _TILE) if rows == 3 else (_WIDE_STRIP, _WIDE_TILE)
    spans = [*_spans(height, *at_once)]
    if len(x) == len(spans) == 1 and memory_format == torch.contiguous_format:
        return _strip(x, weight, bias, padding, (0, height), activate)
    result = torch.empty(size, memory_format=memory_format)
    for one, made in zip(x.split(1), result.split(1), strict=True):
        for start, stop in spans:
            strip = _strip(one, weight, bias, padding, (start, stop), activate)
            _write(made[:, :, start:stop], strip)
    return result


def _spans(height: int, rows: int, tile: int = _TILE) -> Iterator[tuple[int, int]]:
    """Strips of about so many rows, whose tiles end where they end; the first is computed with one row more."""
    step = max(2 * tile, rows - rows % tile)
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
    begin, end = span[0] - padding[0], span[1] + weight.shape[2] - 1 - padding[0]
    inside = max(begin, 0), min(end, x.shape[2])
    rows = max(inside[0] - begin, end - inside[1])  # at the picture's border NNPACK pads on both sides
    part = channels_first(x[:, :, slice(*inside)])
    made = _computed(part, weight, bias, (rows, padding[1]))
    if made.shape[2] > span[1] - span[0]:
        skipped = rows - (inside[0] - begin)
        made = made[:, :, skipped : skipped + span[1] - span[0]]
    return activate(made) if activate else made


def _computed(x: Tensor, weight: Tensor, bias: Tensor | None, padding: tuple[int, int]) -> Tensor:
    end_openmp_threads()
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
