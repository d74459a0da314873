"""Run an engine on a large picture part by part, exactly, though the engine does not show its feature maps."""

import functools
import math
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from limner.runtime.operators import Region, Span, crop
from limner.runtime.plan import Grid
from limner.runtime.regions import wanted_regions
from limner.runtime.storage import Source
from limner.runtime.tiling import Tiled
from limner.types import OnProgress


def run_in_parts(
    engine: Callable[..., Any],
    *inputs: Tensor,
    tiled: Tiled,
    grid: Grid,
    on_part: OnProgress | None = None,
) -> Tensor:
    """What an engine makes of pictures, put together from parts of them; the result is that of the whole.

    Args:
        engine: Runs the network.
        inputs: What it is given; all pictures among them are of one size.
        tiled: The same network, read for inputs of that size; `can_be_parted` holds.
        grid: Into which parts the result is cut.
        on_part: Called after each part with how many of how many are done.
    """
    result: Tensor | None = None
    for (rows, columns), part in parts_by(engine, *inputs, tiled=tiled, grid=grid, on_part=on_part):
        if result is None:
            result = torch.empty(*part.shape[:2], *tiled.output.size, dtype=part.dtype)
        result[..., rows.start : rows.stop, columns.start : columns.stop] = part
    assert result is not None
    return result


def parts_by(
    engine: Callable[..., Any],
    *inputs: Tensor | Source,
    tiled: Tiled,
    grid: Grid,
    on_part: OnProgress | None = None,
) -> Iterator[tuple[Region, Tensor]]:
    """The same part after part, of pictures that may be read part by part.

    The engine sees, for each part of the result, all pixels that the part depends on. What it makes of those near the
    edge is wrong, for there it pads, and is cut away.
    """
    factors, total = _factors(tiled), grid.rows * grid.columns
    for done, region in enumerate(grid.parts(tiled.output.size), start=1):
        if region.rows.length and region.columns.length:
            need = _needed(tiled, region)
            corner = (need.rows.start * factors[0], need.columns.start * factors[1])
            yield region, crop(engine(*(_seen(one, need) for one in inputs)), corner, region)
        if on_part:
            on_part(done, total)


def _seen(one: Tensor | Source, need: Region) -> Tensor:
    """What an engine is given of an input for a part of the result."""
    if isinstance(one, Tensor):
        return crop(one, (0, 0), need) if one.dim() == 4 else one
    return one.read(need)


def can_be_parted(tiled: Tiled) -> bool:
    """Whether a part of the pictures alone tells an engine all that it needs for a part of the one result.

    So there are no statistics of the whole picture, nothing else that depends on its size, and no enlargement by a
    factor that is not whole; and all pictures that go in have one size.
    """
    operators, (height, width) = [*tiled.traced.operators.values()], tiled.output.size
    (rows, columns), *others = {one.size for one in operators if one.node.op == "placeholder"}
    whole = tiled.barriers or tiled.traced.gives_several or any(one.is_bound for one in operators)
    return not whole and not others and not height % rows and not width % columns


def _needed(tiled: Tiled, region: Region) -> Region:
    """The part of the pictures that go in that a part of the result depends on."""
    wanted = wanted_regions(tiled.traced, {tiled.output.node: region}, ())
    need = functools.reduce(Region.hull, (wanted[node] for node in wanted if node.op == "placeholder"))
    return Region(*(_begun_at(span, step) for span, step in zip(need, _steps(tiled), strict=True)))


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


def _input_size(tiled: Tiled) -> tuple[int, int]:
    return next(one.size for one in tiled.traced.operators.values() if one.node.op == "placeholder")


def _factors(tiled: Tiled) -> tuple[int, int]:
    (height, width), (rows, columns) = tiled.output.size, _input_size(tiled)
    return height // rows, width // columns


def _steps(tiled: Tiled) -> tuple[int, int]:
    """By how many pixels a picture must be shifted so that every feature map is shifted by whole pixels."""
    height, width = _input_size(tiled)
    sizes = [one.size for one in tiled.traced.operators.values()]
    return math.lcm(*(max(1, round(height / size[0])) for size in sizes)), math.lcm(
        *(max(1, round(width / size[1])) for size in sizes)
    )


def _begun_at(span: Span, step: int) -> Span:
    """A span that begins at a multiple of `step`, no later than before."""
    return Span(span.start - span.start % step, span.stop)
