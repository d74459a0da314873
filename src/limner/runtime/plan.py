"""How a picture is cut, and what is kept between the passes over it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple, TypeAlias

from torch import fx

from limner.runtime.operators import Region, Span

Storage: TypeAlias = Literal["memory", "disk"]


class Grid(NamedTuple):
    """Into how many rows and columns of parts every feature map is cut."""

    rows: int
    columns: int

    def parts(self, size: tuple[int, int]) -> Iterator[Region]:
        """The parts of a feature map, in order; some are empty if it is smaller than the grid."""
        for row in range(self.rows):
            for column in range(self.columns):
                yield Region(_share(size[0], row, self.rows), _share(size[1], column, self.columns))

    def middle(self, size: tuple[int, int]) -> Region:
        """A part that has neighbours on all sides, if any has."""
        return Region(_share(size[0], self.rows // 2, self.rows), _share(size[1], self.columns // 2, self.columns))

    def __str__(self) -> str:
        return f"{self.rows}x{self.columns}"


def _share(length: int, number: int, count: int) -> Span:
    return Span(length * number // count, length * (number + 1) // count)


class Plan(NamedTuple):
    """A way to run a network on a picture in parts.

    Attributes:
        grid: Into which parts every feature map is cut.
        keep: The numbers of the passes whose feature maps later passes start from; the others compute them again.
        storage: Where they are kept.
        spare_bytes: With `disk`, bytes of memory that some of them may take all the same.
    """

    grid: Grid
    keep: tuple[int, ...] = ()
    storage: Storage = "memory"
    spare_bytes: int = 0


class Stage(NamedTuple):
    """One pass over the picture.

    Attributes:
        barriers: What needs a statistic, and the feature map that it is of; empty for the last pass, which makes the
            result.
        kept: The feature maps that are kept for later passes.
        stored: Those that earlier passes have kept and that are still needed.
    """

    barriers: Mapping[fx.Node, fx.Node]
    kept: tuple[fx.Node, ...]
    stored: frozenset[fx.Node]

    def targets(self, results: Sequence[fx.Node]) -> list[fx.Node]:
        """The feature maps that are computed part by part."""
        return list(dict.fromkeys([*self.barriers.values(), *self.kept] if self.barriers else results))
