"""Two frames with a ground-truth flow between them, and how much their paintings differ where nothing hides."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from limner.files.image import read_image, to_tensor
from limner.ops.resample import imresize
from limner.ops.warp import rescale_flow, warp
from limner.types import Image

PAIRS = {
    "RubberWhale": ("rubberwhale", "rubberwhale1.png", "rubberwhale2.png"),
    "FlyingChairs 0": ("flyingchairs0", "img0.png", "img1.png"),
    "FlyingChairs 1": ("flyingchairs1", "img0.png", "img1.png"),
}
"""Folder, first and second frame, by name."""
_UNKNOWN = 1e8  # a longer flow is none
_LANDING = 1.0  # pixels by which the flows that land on one pixel may differ, if neither hides the other


@dataclass(frozen=True)
class FlowPair:
    """Two frames and how the first moves to the second.

    Attributes:
        first: (1, 3, h, w).
        second: As large.
        truth: (1, 2, h, w) in pixels, NaN where it is not known.
    """

    first: Image
    second: Image
    truth: Tensor

    @classmethod
    def read(cls, folder: Path, name: str) -> "FlowPair":
        """At the size of its files."""
        place, *files = PAIRS[name]
        first, second = (to_tensor(read_image(folder / place / file)) for file in files)
        flow = torch.from_numpy(np.load(folder / place / "flow_gt.npz")["flow"].astype(np.float32))
        known = (flow.abs() < _UNKNOWN).all(-1, keepdim=True)
        return cls(first, second, flow.masked_fill(~known, math.nan).permute(2, 0, 1)[None])

    def scaled(self, longest: int) -> "FlowPair":
        """With so many pixels on the longer side."""
        scale = longest / max(self.first.shape[-2:])
        size = (round(scale * self.first.shape[-2]), round(scale * self.first.shape[-1]))
        first, second = (imresize(one, size=size).clamp(0, 1) for one in (self.first, self.second))
        return FlowPair(first, second, rescale_flow(self.truth, size))


def in_sight(truth: Tensor) -> Tensor:
    """Where a pixel of the first frame is in the second: inside, its flow known, and alone where it lands.

    Pixels whose flows differ and that land on one pixel hide each other, and it is not told which: all are left out.
    """
    height, width = truth.shape[-2:]
    inside = warp(truth, truth).inside[0, 0]
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    flow = truth[0].nan_to_num()
    x = (columns + flow[0]).round().long().clamp(0, width - 1)
    y = (rows + flow[1]).round().long().clamp(0, height - 1)
    places, values = (y * width + x)[inside], flow[:, inside]
    shortest, longest = (
        torch.full((2, height * width), start).scatter_reduce(1, places.expand(2, -1), values, way)
        for start, way in ((math.inf, "amin"), (-math.inf, "amax"))
    )
    alone = ((longest - shortest).nan_to_num().abs().amax(0) < _LANDING)[y * width + x]
    return inside & alone


def temporal_error(first: Image, second: Image, pair: FlowPair) -> float:
    """Root mean square over the pixels in sight, in levels of 255."""
    seen = in_sight(pair.truth)
    apart = (first - warp(second, pair.truth).image)[..., seen]
    return 255 * apart.square().mean().sqrt().item()
