"""What is known of a network that was read for inputs of one size: its operators, sizes and values."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

import torch
from torch import Tensor, fx, nn

from limner.runtime.operators import POINTWISE, Axes, Region

Work: TypeAlias = Callable[[Sequence[Any], Region], Any]
"""Runs an operator on parts of its inputs; the region is where that of the first lies in the whole."""


class Reading(NamedTuple):
    """How an operator is run on parts.

    Attributes:
        axes: Which parts of its inputs make a part of its result.
        run: How; None runs it as it is.
        is_bound: Whether it means the size of the whole, so that a part alone would make something else of it.
    """

    axes: Axes
    run: Work | None = None
    is_bound: bool = False


_AS_IT_IS = Reading(POINTWISE)


@dataclass
class Operator:
    """A spatial node: how to run it on parts of its inputs, and which parts these are.

    Without inputs it is a placeholder; or what is the same at every place (`is_spread`), made for each part alone; or a
    map that no picture has made, such as coordinates (`is_fixed`), computed whole once.
    """

    node: fx.Node
    size: tuple[int, int]
    inputs: tuple[fx.Node, ...] = ()
    reading: Reading = _AS_IT_IS
    normalises: bool = False
    """Whether it needs the statistics of its input first."""
    is_spread: bool = False
    is_fixed: bool = False

    @property
    def axes(self) -> Axes:
        """Which parts of its inputs make a part of its result."""
        return self.reading.axes

    @property
    def is_bound(self) -> bool:
        """Whether a part of the picture alone would make something else of it."""
        return self.is_fixed or self.reading.is_bound


@dataclass
class Traced:
    """A network read for inputs of one size."""

    module: fx.GraphModule
    operators: dict[fx.Node, Operator] = field(default_factory=dict)
    shapes: dict[fx.Node, tuple[int, ...]] = field(default_factory=dict)
    dtypes: dict[fx.Node, torch.dtype] = field(default_factory=dict)
    plain: dict[fx.Node, Any] = field(default_factory=dict)
    """Values that do not depend on any picture's pixels: sizes, numbers."""
    wholes: dict[fx.Node, fx.Node] = field(default_factory=dict)
    """Statistics over whole feature maps -> the spatial node that they are of."""
    several: set[fx.Node] = field(default_factory=set)
    """Whose value is a tuple of tensors; `shapes` has that of the first."""
    pooled: dict[fx.Node, tuple[int, int]] = field(default_factory=dict)
    """Max poolings that also give places -> the sides of their windows, where these do not overlap."""
    results: tuple[fx.Node, ...] = ()
    gives_several: bool = False
    """Whether the network gives a tuple."""

    @property
    def spatial_results(self) -> list[Operator]:
        """The results that are pictures or feature maps."""
        return [self.operators[node] for node in self.results if node in self.operators]

    def submodule(self, node: fx.Node) -> nn.Module:
        """The module that a `call_module` node calls."""
        return self.module.get_submodule(str(node.target))

    def arguments(self, node: fx.Node, *names: str) -> dict[str, Any]:
        """What a node is called with, by name; nodes stand for all but plain values."""
        args, kwargs = fx.node.map_arg((node.args, node.kwargs), lambda n: self.plain.get(n, n))
        return dict(zip(names, args, strict=False)) | kwargs

    def called(self, node: fx.Node) -> str:
        """The name of what a node calls, for people."""
        if node.op == "call_module":
            return type(self.submodule(node)).__name__
        return str(node.target) if isinstance(node.target, str) else getattr(node.target, "__name__", str(node.target))


def tensors_in(value: Any) -> list[Tensor]:
    """The tensors of a value: itself, or those of a tuple or list."""
    values = value if isinstance(value, tuple | list) else [value]
    return [one for one in values if isinstance(one, Tensor)]
