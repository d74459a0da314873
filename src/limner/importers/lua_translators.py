"""Generators of junyanz/CycleGAN and phillipi/pix2pix: graphs of Lua Torch on blue, green and red."""

import re
from collections.abc import Sequence

from torch import Tensor

from limner.importers.format import Format, Source, batch_norm, below, instance_norm
from limner.importers.lua_layers import Layers, kind, spelled, width
from limner.systems.adversarial.cyclegan import CycleGANConfig
from limner.systems.adversarial.pix2pix import Pix2PixConfig

_RESNET = re.compile(r"I?(?:CNA){3}(?:CNACNIS)+(?:FNA){2}CH")
_UNET = re.compile(r"C(?:ACN)+AC(?:AFND?J?)+AFH")
_MOST = 8  # times the channels of a U-Net's first layer


def _cyclegan_config(sources: Sequence[Source]) -> CycleGANConfig:
    layers = Layers(sources[0])
    _check_colors(layers)
    borders = set(layers.borders())
    if borders != {"reflect", "zeros"}:
        sources[0].refuse(f"its convolutions must reflect pixels at borders, got {' and '.join(sorted(borders))}")
    return CycleGANConfig.parse(
        {
            "one_way": len(sources) == 1,
            "base_channels": width(layers, 0),
            "num_blocks": len(layers.places("S")),
            "norm": "affine",
        }
    )


def _check_colors(layers: Layers) -> None:
    """Models of other channels show them in ways of their own, such as L, a and b."""
    before, after = layers.first("C").fields.get("nInputPlane"), width(layers, -1)
    if before != 3 or after != 3:
        layers.source.refuse(f"it makes {after} channels of {before}, and Limner reads those of 3 and 3")


def _cyclegan(sources: Sequence[Source], config: CycleGANConfig) -> dict[str, Tensor]:
    tensors = dict[str, Tensor]()
    for name, source in zip(("a_to_b", "b_to_a"), sources, strict=False):
        tensors |= below(f"{name}.layers", _resnet(source, config))
    return tensors


def _resnet(source: Source, config: CycleGANConfig) -> dict[str, Tensor]:
    layers, tensors = Layers(source), dict[str, Tensor]()
    narrow, middle, wide = (config.base_channels * factor for factor in (1, 2, 4))
    up = 10 + config.num_blocks

    def layer(stem: str, place: int, before: int, after: int, kernel: int = 3, *, rising: bool = False) -> None:
        weight, bias = layers.convolution(after, before, kernel, up=rising)
        tensors.update({f"{stem}{place}.weight": weight, f"{stem}{place}.bias": bias})
        normed = batch_norm if config.norm == "batch" else instance_norm
        tensors.update(below(f"{stem}{place + 1}", normed(source, layers.norm(), after)))

    layer("", 1, 3, narrow, 7)
    layer("", 4, narrow, middle)
    layer("", 7, middle, wide)
    for number in range(10, up):
        layer(f"{number}.layers.", 1, wide, wide)
        layer(f"{number}.layers.", 5, wide, wide)
    layer("", up, wide, middle, rising=True)
    layer("", up + 3, middle, narrow, rising=True)
    weight, bias = layers.convolution(3, narrow, 7)
    tensors["1.weight"] = tensors["1.weight"].flip(1)
    return tensors | {f"{up + 7}.weight": weight.flip(0), f"{up + 7}.bias": bias.flip(0)}


CYCLEGAN = Format(
    name="cyclegan-lua",
    title="a ResNet generator of junyanz/CycleGAN",
    system="cyclegan",
    matches=lambda found: bool(_RESNET.fullmatch(spelled(found))),
    configure=_cyclegan_config,
    convert=_cyclegan,
    notes=lambda config: (
        ["it is G alone: name the generator back as a second file for both ways"] if config.one_way else []
    ),
    most=2,
)


def _unet_config(sources: Sequence[Source]) -> Pix2PixConfig:
    (source,) = sources
    layers = Layers(source)
    _check_colors(layers)
    drops = [layers.modules[place].fields.get("p", 0.5) for place in layers.places("D")]
    if len(set(drops)) > 1:
        source.refuse(f"its dropout must be one share, got {drops}")
    kinds = {kind(one) for one in layers.modules}
    return Pix2PixConfig.parse(
        {
            "base_channels": width(layers, 0),
            "num_downs": len(layers.places("F")),
            "skips": bool(layers.places("J")),
            "norm": "instance" if "InstanceNormalization" in kinds else "batch",
            "bias": True,
            "dropout": drops[0] if drops else 0.0,
            "noisy_layers": tuple(range(len(drops))),
            "discriminator_channels": width(layers, 0),
        }
    )


def _unet(sources: Sequence[Source], config: Pix2PixConfig) -> dict[str, Tensor]:
    """A bias before a norm is taken away with the mean, but for what batches in training were."""
    (source,) = sources
    layers, tensors, depth = Layers(source), dict[str, Tensor](), config.num_downs
    widths = [config.base_channels * min(2**level, _MOST) for level in range(depth)]

    def normed(ours: str, channels: int, bias: Tensor) -> None:
        place = layers.norm()
        if config.norm == "seen":
            tensors.update(below(ours, batch_norm(source, place, channels, bias)))
        else:
            tensors.update(below(ours, instance_norm(source, place, channels)))

    for level, (before, after) in enumerate(zip([3, *widths], widths, strict=False)):
        weight, bias = layers.convolution(after, before, 4)
        tensors[f"downs.{level}.0.weight"] = weight if level else weight.flip(1)
        if 0 < level < depth - 1:
            normed(f"downs.{level}.1", after, bias)
        else:
            tensors[f"downs.{level}.0.bias"] = bias
    for number, after in enumerate(reversed(widths[:-1])):
        before = widths[-1 - number] * (2 if number and config.skips else 1)
        weight, bias = layers.convolution(after, before, 4, up=True)
        tensors[f"ups.{number}.0.weight"] = weight
        normed(f"ups.{number}.1", after, bias)
    weight, bias = layers.convolution(3, widths[0] * (2 if config.skips else 1), 4, up=True)
    return tensors | {"last.weight": weight.flip(1), "last.bias": bias.flip(0)}


def _unet_notes(config: Pix2PixConfig) -> list[str]:
    if config.norm != "batch":
        return []
    noise = f"dropout of {config.dropout}" if config.dropout else "no dropout"
    mend = "--set norm=seen --set dropout=0 is by what it has seen"
    return [f"batch norm goes by each picture, with {noise}, as test.lua has it: {mend}"]


PIX2PIX = Format(
    name="pix2pix-lua",
    title="a U-Net generator of phillipi/pix2pix or junyanz/CycleGAN",
    system="pix2pix",
    matches=lambda found: bool(_UNET.fullmatch(spelled(found))),
    configure=_unet_config,
    convert=_unet,
    notes=_unet_notes,
)
