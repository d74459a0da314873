"""One call that runs a trained system on a picture of any size: device, precision and tiles are chosen here alone."""

from collections.abc import Callable
from contextlib import nullcontext

import torch
from torch import Tensor, nn

from limner.runtime.device import Precision, bfloat16_pays, choose_device
from limner.runtime.prepare import prepare
from limner.runtime.tiling import Grid, Tiled

_PART_BYTES = (
    2**30
)  # of feature maps at a time; larger parts gain little, since halos are a small share of them by then
_SMALLEST = 32  # pixels of a part's side, below which its halo would be most of it


class Runner:
    """Runs a system's forward pass; build it once, call it often.

    Args of the constructor:
        system: A trained `nn.Module`.
        device: `auto`, `cpu`, `cuda` or `mps`.
        precision: `fast` (bfloat16 where it pays) or `exact` (float32).
        tile: Largest side of a part of the result, in pixels; None takes what holds about 1 GiB at a time.

    Raises:
        LimnerError: If the device is not there, or the system's forward pass is no fixed graph.
    """

    def __init__(
        self, system: nn.Module, *, device: str = "auto", precision: Precision = "fast", tile: int | None = None
    ) -> None:
        self.device = choose_device(device)
        self.precision, self.tile = precision, tile
        self.prepared = prepare(system, self.device, precision)
        self.on_tile: Callable[[int, int], None] | None = None
        self._tiled: Tiled | None = None

    def __call__(self, image: Tensor) -> Tensor:
        """(n, c, h, w) float32 -> the system's output as float32 on the CPU, exactly as without tiles."""
        half = self.precision == "fast" and self.device.type == "cuda" and bfloat16_pays(self.device)
        autocast = torch.autocast(self.device.type, torch.bfloat16) if half else nullcontext()
        with torch.inference_mode(), autocast:
            tiled = self._for(tuple(image.shape))
            return tiled(image, grid=self.grid(tiled), on_part=self.on_tile)

    def _for(self, shape: tuple[int, ...]) -> Tiled:
        """The network read for pictures of one size; the last one is kept."""
        if self._tiled is None or self._tiled.input_shapes != (shape,):
            self._tiled = Tiled(self.prepared, shape, device=self.device)
        return self._tiled

    def grid(self, tiled: Tiled) -> Grid:
        """Into which parts a picture is cut: rows as wide as it, as long as these fit, and none if it fits whole."""
        height, width = tiled.output.size
        if self.tile:
            return Grid(-(-height // self.tile), -(-width // self.tile))
        grid = Grid(1, 1)
        while tiled.peak_bytes(grid) > _PART_BYTES:
            if height >= 2 * grid.rows * _SMALLEST:
                grid = Grid(2 * grid.rows, grid.columns)
            elif width >= 2 * grid.columns * _SMALLEST:
                grid = Grid(grid.rows, 2 * grid.columns)
            else:
                break
        return grid
