"""Painters of Lua Torch: jcjohnson/fast-neural-style."""

import math
from collections.abc import Sequence

from torch import Tensor

from limner.importers.checkpoint import Arrays
from limner.importers.format import Format, Source, batch_norm, below, bias_of, instance_norm
from limner.importers.lua_layers import kind, modules_of
from limner.importers.painters import turned
from limner.systems.feedforward.fast_style import FastStyleConfig

_LAYERS = ("SpatialConvolution", "SpatialConvolutionMM", "SpatialFullConvolution")
_NORMS = ("InstanceNormalization", "SpatialBatchNormalization")
_KNOWN = {*_LAYERS, *_NORMS, "SpatialReflectionPadding", "ReLU", "ShaveImage", "CAddTable", "Tanh", "MulConstant",
          "TotalVariation"}  # fmt: skip


def _is_johnson(found: Arrays) -> bool:
    kinds = {kind(one) for one in modules_of(found)}
    return {"SpatialReflectionPadding", "ShaveImage", "SpatialFullConvolution", "Tanh", "MulConstant"} <= kinds


def _layers(source: Source) -> list[int]:
    """Where convolutions stand; refuses what Johnson's network does not have."""
    modules = modules_of(source.found)
    for one in modules:
        if kind(one) not in _KNOWN:
            source.refuse(f"it has a {one.name[:60]}, which that network has not")
        if kind(one) == "MulConstant" and one.fields.get("constant_scalar") != 150:
            source.refuse(f"its result must be 150 tanh, got {one.fields.get('constant_scalar')}: -tanh_constant")
    places = [place for place, one in enumerate(modules) if kind(one) in _LAYERS]
    if len(places) < 6 or len(places) % 2:
        source.refuse(f"it must have six convolutions and two for each block, got {len(places)}")
    return places


def _config(sources: Sequence[Source]) -> FastStyleConfig:
    (source,) = sources
    modules, places = modules_of(source.found), _layers(source)
    blocks = len(places) // 2 - 3
    margin = modules[0].fields.get("pad_l")
    if margin != 8 * blocks:
        source.refuse(f"{blocks} blocks need a reflection by {8 * blocks} pixels, got {margin}: -padding_type")
    kinds = {kind(one) for one in modules}
    return FastStyleConfig.parse(
        {
            "channels": tuple(source.width(f"{place}.bias") for place in places[:3]),
            "num_blocks": blocks,
            "norm": "instance" if "InstanceNormalization" in kinds else "batch",
            "output": "tanh150",
            "range": "caffe",
        }
    )


def _johnson(sources: Sequence[Source], config: FastStyleConfig) -> dict[str, Tensor]:
    (source,) = sources
    narrow, middle, wide = config.channels
    places = iter(_layers(source))
    tensors = dict[str, Tensor]()

    def layer(ours: str, before: int, after: int, kernel: int, *, up: bool = False, normed: bool = True) -> None:
        place = next(places)
        shape = (before, after, kernel, kernel) if up else (after, before, kernel, kernel)
        weight = source.take(f"{place}.weight")
        if weight.numel() != math.prod(shape):
            source.refuse(f"its module {place + 1} must have {'x'.join(map(str, shape))} weights, got {weight.numel()}")
        found = {"weight": weight.view(shape), "bias": bias_of(source, str(place), after)}
        tensors.update(below(f"{ours}.convolution.0", found))
        if normed:
            norm = instance_norm if config.norm == "instance" else batch_norm
            tensors.update(below(f"{ours}.norm", norm(source, str(place + 1), after)))

    layer("down.0", 3, narrow, 9)
    layer("down.1", narrow, middle, 3)
    layer("down.2", middle, wide, 3)
    for number in range(config.num_blocks):
        layer(f"blocks.{number}.first", wide, wide, 3)
        layer(f"blocks.{number}.second", wide, wide, 3)
    layer("up.0", wide, middle, 3, up=True)
    layer("up.1", middle, narrow, 3, up=True)
    layer("last", narrow, 3, 9, normed=False)
    return turned(tensors)


JOHNSON = Format(
    name="johnson-lua",
    title="a model of jcjohnson/fast-neural-style",
    system="fast-style",
    matches=_is_johnson,
    configure=_config,
    convert=_johnson,
)
