"""Layers of networks of Lua Torch: what kinds of modules follow each other, and their arrays in that order."""

import math
from collections.abc import Iterator

from torch import Tensor

from limner.importers.checkpoint import Arrays
from limner.importers.format import Source, bias_of
from limner.importers.lua_t7 import LuaObject

_LETTERS = {
    "SpatialConvolution": "C",
    "SpatialConvolutionMM": "C",
    "SpatialFullConvolution": "F",
    "SpatialBatchNormalization": "N",
    "InstanceNormalization": "N",
    "ReLU": "A",
    "LeakyReLU": "A",
    "SpatialAveragePooling": "P",
    "NoiseFill": "Z",
    "GenNoise": "Z",
    "SpatialUpSamplingNearest": "U",
    "Identity": "I",
    "CAddTable": "S",
    "JoinTable": "J",
    "Dropout": "D",
    "Tanh": "H",
    "Sigmoid": "G",
}
_UNSEEN = ("SpatialCircularPadding", "SpatialReplicationPadding", "SpatialReflectionPadding", "TVLoss")
_BORDERS = {"Circular": "circular", "Replication": "replicate", "Reflection": "reflect"}


def kind(module: LuaObject) -> str:
    """Its class, whatever computes it: cudnn's are those of nn."""
    return module.name.rpartition(".")[2]


def modules_of(found: Arrays) -> list[LuaObject]:
    """All modules of a file of Lua's; none of another file."""
    modules: list[LuaObject] = found.extras.get("lua", [])
    return modules


def spelled(found: Arrays) -> str:
    """A letter for each module but padding, in their order, such as `CNA` for a convolution, its norm and a ReLU."""
    kinds = map(kind, modules_of(found))
    return "".join(_LETTERS.get(one, "?") for one in kinds if one not in _UNSEEN)


class Layers:
    """Takes the convolutions and the norms of a file in their order.

    Args of the constructor:
        source: The file.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self.modules = modules_of(source.found)
        for one in self.modules:
            if _LETTERS.get(kind(one)) == "N" and one.fields.get("eps", 1e-5) != 1e-5:
                source.refuse(f"its norms must add 1e-5 to variances, got {one.fields['eps']}")
        self._convolutions, self._norms = iter(self.places("CF")), iter(self.places("N"))

    def places(self, letters: str) -> list[int]:
        """Where modules of some letters stand."""
        return [place for place, one in enumerate(self.modules) if _LETTERS.get(kind(one), "?") in letters]

    def first(self, letters: str) -> LuaObject:
        """The first module of some letters."""
        return self.modules[self.places(letters)[0]]

    def convolution(self, after: int, before: int, kernel: int, *, up: bool = False) -> tuple[Tensor, Tensor]:
        """Weight and bias of the next one, of these channels; `up`: of a transposed one."""
        place = next(self._convolutions)
        shape = (before, after, kernel, kernel) if up else (after, before, kernel, kernel)
        weight = self.source.take(f"{place}.weight")
        if weight.numel() != math.prod(shape):
            wanted = "x".join(map(str, shape))
            self.source.refuse(f"its module {place + 1} must have {wanted} weights, got {weight.numel()}")
        return weight.view(shape), bias_of(self.source, str(place), after)

    def norm(self) -> str:
        """The place of the next one."""
        return str(next(self._norms))

    def borders(self) -> Iterator[str]:
        """What convolutions of more than a pixel see beyond a border, of each."""
        for place in self.places("C"):
            fields, before = self.modules[place].fields, self.modules[place - 1] if place else None
            if fields.get("kW") == 1:
                continue
            pad = kind(before).removeprefix("Spatial").removesuffix("Padding") if before else ""
            yield _BORDERS.get(pad, "zeros" if fields.get("padW") else "none")


def width(layers: Layers, number: int) -> int:
    """Channels that the convolution of that number gives; -1 is the last one.

    Raises:
        LimnerError: If it has no bias, which all of Lua's have.
    """
    return layers.source.width(f"{layers.places('CF')[number]}.bias")
