"""Networks of others that segment."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from limner.importers.format import Format, Source, batch_norm, below, bias_of, count, has
from limner.systems.segmentation.unet import UNetConfig


def _unet_config(sources: Sequence[Source]) -> UNetConfig:
    (source,) = sources
    values = source.found.extras.get("mask_values")
    found = max(2, source.width("outc.conv.weight"))
    return UNetConfig.parse(
        {
            "in_channels": source.width("inc.double_conv.0.weight", 1),
            "num_classes": found,
            "class_colors": _colors(values, found),
            "channels": source.width("inc.double_conv.0.weight"),
            "depth": count(source, r"down(\d+)\.") - 1,
            "valid": False,
            "norm": "batch",
            "upsampling": "transposed" if source.has("up1.up.weight") else "corners",
            "range": "unit",
            "dropout": 0.0,
        }
    )


def _colors(values: Any, number: int) -> tuple[tuple[int, int, int], ...]:
    """The colours of classes in the masks that it learnt from, where the file tells them all."""
    if not isinstance(values, list) or len(values) != number:
        return ()
    colors = [tuple(one) if isinstance(one, list | tuple) else (one, one, one) for one in values]
    is_color = all(len(one) == 3 and all(isinstance(v, int) and 0 <= v <= 255 for v in one) for one in colors)
    return tuple(colors) if is_color and max(map(max, colors)) > 1 else ()


def _unet(sources: Sequence[Source], config: UNetConfig) -> dict[str, Tensor]:
    (source,) = sources
    depth, thin = config.depth, config.upsampling == "corners"
    widths = [config.channels * 2**number for number in range(depth + 1)]
    deep = [*widths[:-1], widths[-1] // 2] if thin else widths
    tensors = _twice(source, "inc", "downs.0", (config.in_channels, widths[0], widths[0]))
    for number in range(1, depth + 1):
        name = f"down{number}.maxpool_conv.1"
        tensors |= _twice(source, name, f"downs.{number}", (widths[number - 1], deep[number], deep[number]))
    for number in range(depth):
        width = widths[depth - 1 - number]
        if not thin:
            up = f"up{number + 1}.up"
            weight = source.take(f"{up}.weight", 2 * width, width, 2, 2)
            tensors |= {f"ups.{number}.weight": weight, f"ups.{number}.bias": bias_of(source, up, width)}
        made = width // 2 if thin and number < depth - 1 else width
        tensors |= _twice(source, f"up{number + 1}.conv", f"joins.{number}", (2 * width, width, made))
    return tensors | _last(source, widths[0])


def _twice(source: Source, name: str, ours: str, widths: tuple[int, int, int]) -> dict[str, Tensor]:
    tensors = dict[str, Tensor]()
    for place, before, after in ((0, widths[0], widths[1]), (3, widths[1], widths[2])):
        layer = f"{name}.double_conv.{place}"
        tensors[f"{ours}.layers.{place}.weight"] = source.take(f"{layer}.weight", after, before, 3, 3)
        norm = batch_norm(source, f"{name}.double_conv.{place + 1}", after, bias_of(source, layer, after))
        tensors |= below(f"{ours}.layers.{place + 1}", norm)
    return tensors


def _last(source: Source, width: int) -> dict[str, Tensor]:
    """Of one class alone it gives the logit of that; beside a 0 for all else the softmax is the same."""
    number = source.width("outc.conv.weight")
    weight, bias = source.take("outc.conv.weight", number, width, 1, 1), source.take("outc.conv.bias", number)
    if number == 1:
        weight, bias = (torch.cat([torch.zeros_like(one), one]) for one in (weight, bias))
    return {"last.weight": weight, "last.bias": bias}


UNET = Format(
    name="unet-milesial",
    title="the U-Net of milesial/Pytorch-UNet",
    system="unet",
    matches=has(
        r"inc\.double_conv\.0\.weight", r"down1\.maxpool_conv\.1\.double_conv\.0\.weight", r"outc\.conv\.weight"
    ),
    configure=_unet_config,
    convert=_unet,
    notes=lambda config: [
        "names of classes are not in the file: --set class_names, and class_colors where it has none"
    ],
)
