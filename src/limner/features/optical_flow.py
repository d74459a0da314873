"""Optical flow between two pictures: dense inverse search, by OpenCV.

Kroeger, Timofte, Dai and Van Gool, "Fast optical flow using dense inverse search", ECCV 2016, arXiv:1603.03590.
"""

from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from limner.errors import LimnerError

_First = Float[Tensor, "1 3 h w"]
_Second = Float[Tensor, "1 3 H W"]  # of the same size; checked below

_LEAST_SIDE = 16  # pixels; OpenCV refuses 8, and finds little in 12


class BothWays(NamedTuple):
    """The flow from one picture to another, and back.

    Attributes:
        forward: first(x, y) is about second(x + u, y + v).
        backward: second(x, y) is about first(x + u, y + v).
    """

    forward: Float[Tensor, "1 2 h w"]
    backward: Float[Tensor, "1 2 h w"]


def optical_flow(first: _First, second: _Second) -> Float[Tensor, "1 2 h w"]:
    """Where each pixel of the first picture is in the second: to the right and down, in pixels.

    Args:
        first: RGB in [0, 1].
        second: Of the same size.

    Raises:
        LimnerError: If OpenCV is not installed, or the pictures are too small or not of one size.
    """
    cv2 = import_cv2()
    if first.shape != second.shape or min(first.shape[-2:]) < _LEAST_SIDE:
        raise LimnerError(
            f"flow is between two pictures of one size, {_LEAST_SIDE} pixels a side or more, "
            f"got {_size(first)} and {_size(second)}: resize them"
        )
    search = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    search.setFinestScale(0)  # to whole pixels: the preset stops at half the size
    found = search.calc(_gray(first), _gray(second), None)
    return torch.from_numpy(found).permute(2, 0, 1)[None].contiguous()


def both_ways(first: _First, second: _Second) -> BothWays:
    """The flow from the first picture to the second, and from the second to the first.

    Raises:
        LimnerError: As for `optical_flow`.
    """
    return BothWays(optical_flow(first, second), optical_flow(second, first))


def _gray(image: Tensor) -> np.ndarray:
    """BT.601 luma in whole numbers, which is what the search takes."""
    weights = torch.tensor([0.299, 0.587, 0.114])[:, None, None]
    return (255 * (image[0].detach().cpu() * weights).sum(0)).round().clamp(0, 255).to(torch.uint8).numpy()


def _size(image: Tensor) -> str:
    return f"{image.shape[-1]}x{image.shape[-2]}"


def import_cv2(what: str = "optical flow", instead: str = "bring your own .flo files") -> Any:
    """OpenCV.

    Args:
        what: Needs it.
        instead: What can be done without it.

    Raises:
        LimnerError: If it is not installed.
    """
    try:
        import cv2
    except ImportError:
        raise LimnerError(
            f"{what} needs the video extra: pip install '.[video]' in the folder of Limner, or {instead}"
        ) from None
    return cv2
