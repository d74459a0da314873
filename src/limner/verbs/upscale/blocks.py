"""How a picture is cut so that a network enlarges it block by block, exactly and in bounded memory."""

import bisect
import math
from fractions import Fraction
from typing import NamedTuple

from torch import fx, nn

from limner.errors import LimnerError
from limner.ops.resample import Axis
from limner.runtime.cost import Rates, whole_cost
from limner.runtime.operators import Span
from limner.runtime.tiling import Tiled, reach
from limner.runtime.traced import Traced
from limner.tasks.enlarge import Enlarger
from limner.verbs.upscale.upscale import network_input

_BICUBIC_REACH = 3  # pixels of the picture that an enlarged one is made of, on each side, rounded up
_SHRINKING_REACH = 3  # of the picture, beside: two pixels and the rounding of edges, whatever the factor
_PHASE = 8  # blocks begin at multiples of it, whatever the network
_MOST_SIDE = 1024  # pixels of a block; larger ones have hardly a smaller share of halo
_PICTURES = 9  # enlarged pictures of 32-bit floats that are held at once on the way to the network and back
_SHRUNK = 2  # more of them where the result is shrunk
_SIDE = 256  # pixels of the picture that a network is read for


class Footprint(NamedTuple):
    """What a network asks of a block, in pixels of the picture that is enlarged.

    Attributes:
        halo: How far beyond a block it looks; a multiple of `phase`.
        phase: Blocks begin at multiples of it, so that the network's strides fall where they do on the whole.
        bytes_per_pixel: Of memory, while a block is enlarged.
    """

    halo: int
    phase: int
    bytes_per_pixel: float


class Blocks(NamedTuple):
    """The rows of a strip, and the columns of the blocks that it is cut into; in pixels without their halo."""

    rows: int
    columns: int


class RowBytes(NamedTuple):
    """What a row of the picture takes.

    Attributes:
        read: As it is read, with its halo.
        made: In the rows that become of it.
    """

    read: int
    made: int


class Window(NamedTuple):
    """Pixels along one axis that are wanted, and those that a network must see for them."""

    core: Span
    window: Span


class Side(NamedTuple):
    """The length of one side of a picture, and of what it becomes."""

    before: int
    after: int

    def edge(self, position: int) -> int:
        """Where what becomes of the pixels from `position` on begins, rounded."""
        return (2 * self.after * position + self.before) // (2 * self.before)

    def position(self, edge: int) -> int:
        """The first pixel whose `edge` is not before that one."""
        return bisect.bisect_left(range(self.before), edge, key=self.edge)

    def axis(self, window: Window) -> Axis:
        """What a window holds, and what becomes of its core."""
        core = window.core
        return Axis(self.before, window.window.start, self.after, self.edge(core.start), self.edge(core.stop))


def footprint_of(system: Enlarger, scale: int, *, is_shrunk: bool = False) -> Footprint:
    """What a system that enlarges by `scale` asks of a block.

    Args:
        system: The enlarger.
        scale: One of its own.
        is_shrunk: Whether the result is shrunk to a factor between.

    Raises:
        LimnerError: If it takes statistics of whole pictures, or its network cannot be run in parts exactly.
    """
    assert isinstance(system, nn.Module)
    channels, before = network_input(system, scale)
    tiled = Tiled(system, (1, channels, _SIDE, _SIDE))
    if tiled.barriers or system.needs_whole:
        raise LimnerError(
            f"{type(system).__name__} looks at a whole picture at once, so it cannot enlarge one in strips: "
            "allow more memory, or take another model"
        )
    stride = math.lcm(*(ratio.denominator for ratio in _ratios(tiled.traced).values()))
    phase = math.lcm(_PHASE, stride // math.gcd(stride, before))
    halo = -(-reach(system, channels) // before) + _BICUBIC_REACH + is_shrunk * _SHRINKING_REACH
    maps = whole_cost(tiled, Rates.of(1)).peak / _SIDE**2 * before**2
    pictures = _PICTURES + is_shrunk * _SHRUNK
    return Footprint(-(-halo // phase) * phase, phase, maps + pictures * 3 * 4 * scale**2)


def choose_blocks(size: tuple[int, int], rows_cost: RowBytes, footprint: Footprint, memory: int) -> Blocks | None:
    """The blocks for which least is computed beside what is wanted; None if not even the smallest fit.

    Args:
        size: Height and width of the picture that is enlarged.
        rows_cost: What its rows take.
        footprint: What the network asks.
        memory: Bytes that a strip and a block may take.
    """
    phase, border = footprint.phase, 2 * footprint.halo
    found: list[tuple[float, Blocks]] = []
    for rows in range(phase, _MOST_SIDE + 1, phase):
        left = memory - _strip_bytes(rows, rows_cost, footprint)
        columns = int(left / (rows + border) / footprint.bytes_per_pixel) - border
        columns = min(columns, _MOST_SIDE) // phase * phase
        if columns > 0:
            found.append(((1 + border / rows) * (1 + border / columns), Blocks(rows, columns)))
    if not found:
        return None
    rows, columns = min(found)[1]
    return Blocks(_even(size[0], rows, phase), _even(size[1], columns, phase))


def least_bytes(rows_cost: RowBytes, footprint: Footprint) -> int:
    """What the smallest strip and block take."""
    side = footprint.phase + 2 * footprint.halo
    return int(_strip_bytes(footprint.phase, rows_cost, footprint) + side**2 * footprint.bytes_per_pixel) + 1


def _strip_bytes(rows: int, rows_cost: RowBytes, footprint: Footprint) -> int:
    return (rows + 2 * footprint.halo) * rows_cost.read + rows * rows_cost.made


def windows(length: int, step: int, halo: int, begin: int = 0) -> list[Window]:
    """What covers an axis of so many pixels in steps, from `begin` on."""
    cores = [Span(start, min(start + step, length)) for start in range(begin, length, step)]
    return [Window(core, Span(max(0, core.start - halo), min(length, core.stop + halo))) for core in cores]


def _even(length: int, step: int, phase: int) -> int:
    """A step that needs no more steps and makes them about equally long."""
    count = -(-length // step)
    return -(-length // (count * phase)) * phase


def _ratios(traced: Traced) -> dict[fx.Node, Fraction]:
    """The size of every feature map over that of the input, by rows; columns are the same in all networks here."""
    ratios: dict[fx.Node, Fraction] = {}
    for node, one in traced.operators.items():
        before = ratios[one.inputs[0]] if one.inputs else Fraction(1)
        ratios[node] = before * Fraction(one.axes.rows.up, one.axes.rows.down)
    return ratios
