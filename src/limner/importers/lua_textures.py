"""Networks of DmitryUlyanov/texture_nets: the pyramid of noise, and Johnson's network as it has it."""

import re
from collections.abc import Sequence

import torch
from torch import Tensor

from limner.importers.format import Format, Source, batch_norm, below, instance_norm
from limner.importers.lua_layers import Layers, kind, spelled, width
from limner.systems.feedforward.fast_style import FastStyleConfig
from limner.systems.feedforward.texture_network import TextureNetworkConfig

_MEAN = torch.tensor([123.68, 116.779, 103.939])
_PYRAMID = re.compile(r"(?P<entry>PZ?(?P<block>(?:CNA){2,4}))U(?:N(?P=entry)N(?P=block)U)*N(?P=entry)N(?P=block)C")
_JOHNSON = re.compile(r"(?:CNA){3}(?:ICNACNS)+(?:FNA){2}C")


def _in_colors(weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    """A last layer that gives blue, green and red in 0..255 without the mean colour, as one of RGB in [0, 1]."""
    return weight.flip(0) / 255, (bias.flip(0) + _MEAN) / 255


def _config(sources: Sequence[Source]) -> TextureNetworkConfig:
    (source,) = sources
    layers = Layers(source)
    pools = [layers.modules[place].fields.get("kW") for place in layers.places("P")]
    if pools != [2**number for number in reversed(range(len(pools)))]:
        source.refuse(f"its scales must halve down to 1, got {pools}")
    match = _PYRAMID.fullmatch(spelled(source.found))
    assert match
    kernels = _kernels(layers, len(match["block"]) // 3)
    given = layers.source.found.arrays[f"{layers.places('C')[0]}.weight"].shape
    entering = int(layers.first("C").fields.get("nInputPlane") or given[1])
    noise = _noise(layers, entering)
    return TextureNetworkConfig.parse(
        {
            "num_scales": len(pools),
            "channels": width(layers, 0),
            "noise_channels": max(noise, 1),
            "norm": "instance",
            "kernels": kernels,
            "leak": _leak(layers),
            "border": _border(layers),
            "content_weight": float(entering > noise),
        }
    )


def _kernels(layers: Layers, number: int) -> list[int]:
    return [int(layers.modules[place].fields.get("kW", 0)) for place in layers.places("C")[:number]]


def _noise(layers: Layers, entering: int) -> int:
    """Channels of it: the last of those that enter, or all of them."""
    if not layers.places("Z"):
        return 0
    noise = layers.first("Z").fields.get("num_noise_channels", entering - 3 * (entering > 3))
    if entering not in (noise, noise + 3):
        layers.source.refuse(f"a scale must see noise, and a photo's 3 channels or none, got {entering} and {noise}")
    return int(noise)


def _leak(layers: Layers) -> float:
    found = {float(one.fields.get("negval", 0.01)) if kind(one) == "LeakyReLU" else 0.0
             for one in (layers.modules[place] for place in layers.places("A"))}  # fmt: skip
    if len(found) != 1:
        layers.source.refuse(f"its ReLUs must all be of one slope, got {sorted(found)}")
    return found.pop()


def _border(layers: Layers) -> str:
    found = set(layers.borders())
    if len(found) != 1 or "none" in found:
        layers.source.refuse(f"its convolutions must all have one kind of border, got {' and '.join(sorted(found))}")
    return found.pop()


def _pyramid(sources: Sequence[Source], config: TextureNetworkConfig) -> dict[str, Tensor]:
    """Where it sees no noise, the weights of the one channel that Limner's has are 0."""
    (source,) = sources
    layers, step = Layers(source), config.channels
    photo = 3 * bool(config.content_weight)
    seen = photo + config.noise_channels * bool(layers.places("Z"))
    tensors = dict[str, Tensor]()

    def norm(ours: str, channels: int, bias: Tensor | None = None) -> None:
        place = layers.norm()
        found = batch_norm(source, place, channels, bias) if config.norm == "batch" else None
        tensors.update(below(ours, found or instance_norm(source, place, channels)))

    def block(ours: str, before: int, after: int) -> None:
        for number, kernel in enumerate(config.kernels):
            weight, bias = layers.convolution(after, after if number else before, kernel)
            tensors[f"{ours}.{number}.0.weight"] = weight
            norm(f"{ours}.{number}.1", after, bias)

    for number in range(config.num_scales):
        if number:
            norm(f"joins.{number - 1}.coarse", step * number)
        block(f"entries.{number}", seen, step)
        if seen == photo:
            first = tensors[f"entries.{number}.0.0.weight"]
            tensors[f"entries.{number}.0.0.weight"] = torch.cat([first, torch.zeros_like(first[:, :1])], 1)
        if number:
            norm(f"joins.{number - 1}.fine", step)
            block(f"joins.{number - 1}.block", step * (number + 1), step * (number + 1))
    weight, bias = _in_colors(*layers.convolution(3, step * config.num_scales, 1))
    return tensors | {"last.weight": weight, "last.bias": bias}


def _notes(config: TextureNetworkConfig) -> list[str]:
    if config.norm == "batch":
        return []
    return ["norms go by each picture, as its programs have it: --set norm=batch is by what batch norm has seen"]


PYRAMID = Format(
    name="texture-nets",
    title="a pyramid of DmitryUlyanov/texture_nets",
    system="texture-network",
    matches=lambda found: bool(_PYRAMID.fullmatch(spelled(found))),
    configure=_config,
    convert=_pyramid,
    notes=_notes,
)


def _johnson_config(sources: Sequence[Source]) -> FastStyleConfig:
    (source,) = sources
    layers = Layers(source)
    kinds = {kind(one) for one in layers.modules}
    border = set(layers.borders())
    if len(border) != 1 or border & {"none", "zeros", "circular"}:
        source.refuse(f"its convolutions must repeat or reflect the last pixels, got {' and '.join(sorted(border))}")
    return FastStyleConfig.parse(
        {
            "channels": tuple(width(layers, number) for number in range(3)),
            "num_blocks": len(layers.places("S")),
            "norm": "instance" if "InstanceNormalization" in kinds else "batch",
            "padding": "replicate" if border == {"replicate"} else "each",
            "output": "linear",
        }
    )


def _johnson(sources: Sequence[Source], config: FastStyleConfig) -> dict[str, Tensor]:
    """Its last layer sees 3x3 pixels, ours 9x9, of which the outer ones do not count."""
    (source,) = sources
    layers, tensors = Layers(source), dict[str, Tensor]()
    narrow, middle, wide = config.channels
    normed = instance_norm if config.norm == "instance" else batch_norm

    def layer(ours: str, before: int, after: int, kernel: int, *, up: bool = False) -> None:
        weight, bias = layers.convolution(after, before, kernel, up=up)
        tensors.update(below(f"{ours}.convolution.{0 if up else 1}", {"weight": weight, "bias": bias}))
        tensors.update(below(f"{ours}.norm", normed(source, layers.norm(), after)))

    for number, (before, after) in enumerate(((3, narrow), (narrow, middle), (middle, wide))):
        layer(f"down.{number}", before, after, 3 if number else 9)
    for number in range(config.num_blocks):
        for half in ("first", "second"):
            layer(f"blocks.{number}.{half}", wide, wide, 3)
    for number, (before, after) in enumerate(((wide, middle), (middle, narrow))):
        layer(f"up.{number}", before, after, 3, up=True)
    weight, bias = _in_colors(*layers.convolution(3, narrow, 3))
    last = {"weight": torch.nn.functional.pad(weight, (3, 3, 3, 3)), "bias": bias - 0.5}
    return tensors | below("last.convolution.1", last)


JOHNSON = Format(
    name="johnson-texture-nets",
    title="Johnson's network of DmitryUlyanov/texture_nets",
    system="fast-style",
    matches=lambda found: bool(_JOHNSON.fullmatch(spelled(found))),
    configure=_johnson_config,
    convert=_johnson,
)
