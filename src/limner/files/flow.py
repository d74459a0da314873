"""Optical flow in Middlebury's .flo files.

Baker et al., "A database and evaluation methodology for optical flow", IJCV 92(1), 2011; the format is that of the
evaluation's own flow-code: the number 202021.25, width and height, then u and v of each pixel, row by row, all in 32
bits and with the least byte first. OpenCV reads it too, but answers an empty array to whatever is wrong, needs all of a
file to tell its size, and is no part of a plain install, where flow that somebody brings is to work.
"""

import os
import struct
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from limner.errors import LimnerError

_HEAD = struct.Struct("<fii")
_TAG = 202021.25
_UNKNOWN_ABOVE = 1e9  # a ground truth says so of what could not be measured
_MAX_SIDE = 99_999  # pixels; the limit of the evaluation's reader


def read_flow(path: str | os.PathLike[str]) -> Float[Tensor, "1 2 h w"]:
    """Read a flow: to the right and down, in pixels. What a ground truth leaves unknown becomes NaN.

    Raises:
        LimnerError: There is no such file, or it is damaged, cut short or no .flo.
    """
    path = Path(path)
    width, height = read_flow_size(path)
    values = np.fromfile(path, "<f4", offset=_HEAD.size).reshape(height, width, 2)
    flow = torch.from_numpy(values.astype(np.float32)).permute(2, 0, 1)[None].contiguous()
    return flow.masked_fill((~(flow.abs() <= _UNKNOWN_ABOVE)).any(dim=1, keepdim=True), float("nan"))


def read_flow_size(path: str | os.PathLike[str]) -> tuple[int, int]:
    """The width and height of a flow in pixels, from its head and the length of its file.

    Raises:
        LimnerError: As for `read_flow`.
    """
    path = Path(path)
    if not path.is_file():
        what = "is a folder: name a .flo file in it" if path.is_dir() else "there is no such file: check the name"
        raise LimnerError(f"{path}: {what}")
    with path.open("rb") as file:
        head = file.read(_HEAD.size)
    if len(head) < _HEAD.size or _HEAD.unpack(head)[0] != _TAG:
        raise LimnerError(
            f"{path}: is no .flo file, which begins with the number 202021.25: write it as Middlebury does"
        )
    _, width, height = _HEAD.unpack(head)
    if not (1 <= width <= _MAX_SIDE and 1 <= height <= _MAX_SIDE):
        raise LimnerError(f"{path}: its sides must be 1 to {_MAX_SIDE} pixels, got {width}x{height}: get it once more")
    there, promised = path.stat().st_size, _HEAD.size + 8 * width * height
    if there != promised:
        raise LimnerError(
            f"{path}: a flow of {width}x{height} takes {promised} bytes, got {there}: it is cut short or damaged, "
            "get it once more"
        )
    return width, height
