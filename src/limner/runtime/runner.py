"""One call that runs a trained system on a picture of any size: device, precision and tiles are chosen here alone."""

import math
from collections.abc import Callable
from contextlib import nullcontext
from typing import Protocol

import torch
from torch import Tensor, nn

from limner.runtime.device import Precision, bfloat16_pays, choose_device
from limner.runtime.prepare import prepare
from limner.runtime.tiling import run_tiled

_TILE_BYTES = 2**30  # of activations; larger tiles gain little, since the halo is a small share of them by then


class Convolutional(Protocol):
    """What a system declares so that it can be tiled: see `runtime.tiling`."""

    halo: int
    stride: int
    output_scale: int  # the output's sides over the input's
    peak_channels: int  # float32 values that are held for each input pixel where the network is widest


class Runner:
    """Runs a system's forward pass; build it once, call it often.

    Args of the constructor:
        system: A trained `nn.Module` that is `Convolutional`.
        device: `auto`, `cpu`, `cuda` or `mps`.
        precision: `fast` (bfloat16 where it pays) or `exact` (float32).
        tile: Side of a tile in input pixels; None takes what fits about 1 GiB of activations.
    """

    def __init__(
        self, system: nn.Module, *, device: str = "auto", precision: Precision = "fast", tile: int | None = None
    ) -> None:
        self.device = choose_device(device)
        self.precision = precision
        self.system = prepare(system, self.device, precision)
        self.tile = tile or max(64, int(math.sqrt(_TILE_BYTES / (4 * self._declared.peak_channels))))
        self.on_tile: Callable[[int, int], None] | None = None

    @property
    def _declared(self) -> Convolutional:
        return self.system

    def __call__(self, image: Tensor) -> Tensor:
        """(n, c, h, w) float32 -> the system's output as float32 on the CPU, exactly as without tiles."""
        declared = self._declared
        return run_tiled(
            self._run,
            image,
            scale=declared.output_scale,
            halo=declared.halo,
            stride=declared.stride,
            tile=self.tile,
            on_tile=self.on_tile,
        )

    def _run(self, image: Tensor) -> Tensor:
        half = self.precision == "fast" and self.device.type == "cuda" and bfloat16_pays(self.device)
        autocast = torch.autocast(self.device.type, torch.bfloat16) if half else nullcontext()
        with torch.inference_mode(), autocast:
            return self.system(image.to(self.device)).float().cpu()
