"""Run an engine on a large picture part by part, exactly, though nobody can look into the engine."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from limner.runtime.operators import Region, Span, crop
from limner.runtime.plan import Grid
from limner.runtime.regions import wanted_regions
from limner.runtime.tiling import Tiled


def run_in_parts(
    engine: Callable[[Tensor], Tensor],
    image: Tensor,
    *,
    tiled: Tiled,
    grid: Grid,
    on_part: Callable[[int, int], None] | None = None,
) -> Tensor:
    """What an engine makes of a picture, put together from parts of it; the result is that of the whole.

    The engine sees, for each part of the result, all pixels that the part depends on. What it makes of those near the
    edge is wrong, for there it pads, and is cut away.

    Args:
        engine: Runs the network.
        image: (n, c, h, w) float32.
        tiled: The same network, read for pictures of that size; `can_be_parted` holds.
        grid: Into which parts the result is cut.
        on_part: Told after each part how many of how many are done.
    """
    (source,) = (node for node in tiled.nodes if node.op == "placeholder")
    factors = _factors(tiled)
    result: Tensor | None = None
    total = grid.rows * grid.columns
    for done, region in enumerate(grid.parts(tiled.output.size), start=1):
        if region.rows.length and region.columns.length:
            need = wanted_regions(tiled.traced, {tiled.output.node: region}, ())[source]
            need = Region(*(_begun_at(span, step) for span, step in zip(need, _steps(tiled), strict=True)))
            part = engine(crop(image, (0, 0), need))
            if result is None:
                result = torch.empty(*part.shape[:2], *tiled.output.size)
            corner = (need.rows.start * factors[0], need.columns.start * factors[1])
            rows, columns = region
            result[..., rows.start : rows.stop, columns.start : columns.stop] = crop(part, corner, region)
        if on_part:
            on_part(done, total)
    assert result is not None
    return result


def can_be_parted(tiled: Tiled) -> bool:
    """Whether a network needs no statistics of the whole picture and enlarges by whole factors, if at all."""
    height, width = tiled.output.size
    return not tiled.barriers and not height % tiled.input_shapes[0][-2] and not width % tiled.input_shapes[0][-1]


def fitting_grid(tiled: Tiled, max_bytes: int, *, smallest: int = 32) -> Grid:
    """The fewest rows of parts whose feature maps fit into so many bytes; no part is lower than `smallest` pixels."""
    grid = Grid(1, 1)
    while _peak_bytes(tiled, grid) > max_bytes and tiled.output.size[0] >= 2 * grid.rows * smallest:
        grid = Grid(2 * grid.rows, 1)
    return grid


def _peak_bytes(tiled: Tiled, grid: Grid) -> int:
    """About how much an engine holds at once: the largest feature map and one as large that is made from it."""
    wanted = wanted_regions(tiled.traced, {tiled.output.node: grid.middle(tiled.output.size)}, ())
    return 2 * max(tiled.num_bytes(node, part) for node, part in wanted.items())


def _factors(tiled: Tiled) -> tuple[int, int]:
    height, width = tiled.output.size
    return height // tiled.input_shapes[0][-2], width // tiled.input_shapes[0][-1]


def _steps(tiled: Tiled) -> tuple[int, int]:
    """By how many pixels a picture must be shifted so that every feature map is shifted by whole pixels."""
    height, width = tiled.input_shapes[0][-2:]
    sizes = [one.size for one in tiled.traced.operators.values()]
    return math.lcm(*(max(1, round(height / size[0])) for size in sizes)), math.lcm(
        *(max(1, round(width / size[1])) for size in sizes)
    )


def _begun_at(span: Span, step: int) -> Span:
    """A span that begins at a multiple of `step`, no later than before."""
    return Span(span.start - span.start % step, span.stop)
