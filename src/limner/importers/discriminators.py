"""Discriminators of others: players that a training goes on with, and that make no pictures."""

import itertools
from collections.abc import Sequence

from torch import Tensor

from limner.importers.checkpoint import Arrays
from limner.importers.format import Format, Source, batch_norm, below, bias_of, convolution, count, has
from limner.importers.translators import WITH_EDGES, pix2pix_norm, spectral_weight
from limner.systems.adversarial.cyclegan import CycleGANConfig
from limner.systems.adversarial.pix2pix import Pix2PixConfig
from limner.systems.adversarial.spade import SPADEConfig
from limner.systems.adversarial.srgan import SRGANConfig

_MOST = 8  # times the channels of the first layer
_IS_PATCHES = has(r"model\.0\.weight", r"model\.2\.weight", r"model\.[58]\.weight")
_IS_PIXELS = has(r"net\.0\.weight", r"net\.2\.weight", r"net\.5\.weight")


def _of_patches(found: Arrays) -> bool:
    """A PatchGAN: convolutions of 4x4 that stand two places after the first one and then three apart."""
    if not _IS_PATCHES(found):
        return False
    return all(found.arrays[f"model.{place}.weight"].shape[2:] == (4, 4) for place in (0, 2))


def _of_pixels(found: Arrays) -> bool:
    return _IS_PIXELS(found) and all(found.arrays[f"net.{place}.weight"].shape[2:] == (1, 1) for place in (0, 2, 5))


def _of_colors_alone(found: Arrays) -> bool:
    return _of_patches(found) and found.arrays["model.0.weight"].shape[1] == 3


def _last(source: Source) -> int:
    """The place of the last convolution."""
    return count(source, r"model\.(\d+)\.") - 1


def _layers(source: Source) -> int:
    """Between first and last."""
    number, rest = divmod(_last(source) - 2, 3)
    if rest or number < 1:
        source.refuse(f"its last convolution cannot be model.{_last(source)}: three places lie between two of them")
    return number


def _norm_of(source: Source, layer: str, norm: str) -> str:
    """Over batches, which has weights, or over each picture, which has none, but then the layer before has a bias."""
    if source.has(f"{norm}.weight"):
        return "batch"
    if not source.has(f"{layer}.bias"):
        source.refuse(f"{layer} has neither a bias nor a norm: it was trained with --norm none, which Limner has not")
    return "instance"


def _cyclegan_config(sources: Sequence[Source]) -> CycleGANConfig:
    if len(sources) == 1:
        sources[0].refuse(
            "of CycleGAN two play: name both, as in latest_net_D_A.pth latest_net_D_B.pth, or pass --as pix2pix for "
            "one that judges without what went in"
        )
    for source in sources:
        if source.width("model.0.weight", 1) != 3:
            source.refuse(f"it judges {source.width('model.0.weight', 1)} channels, and Limner's CycleGAN RGB alone")
    (first, *_) = sources
    return CycleGANConfig.parse(
        {
            "discriminator_channels": first.width("model.0.weight"),
            "discriminator_layers": _layers(first),
            "discriminator_norm": _norm_of(first, "model.2", "model.3"),
        }
    )


def _cyclegan(sources: Sequence[Source], config: CycleGANConfig) -> dict[str, Tensor]:
    """Their D_A judges what their G_A makes, which is of kind B."""
    tensors = dict[str, Tensor]()
    for name, source in zip(("b", "a"), sources, strict=True):
        found = _patches(source, 3, config.discriminator_channels, config.discriminator_layers)
        source.drop(r"\.running_mean|\.running_var|\.num_batches_tracked")
        for place in range(1, config.discriminator_layers + 1):
            width, ours = len(found[f"{place + 1}.0.weight"]), f"{place + 1}"
            bias = bias_of(source, f"model.{3 * place - 1}", width)
            if config.discriminator_norm == "batch":
                parts = {part: source.take(f"model.{3 * place}.{part}", width) for part in ("weight", "bias")}
                found |= below(f"{ours}.1", parts)
            else:
                found[f"{ours}.0.bias"] = bias
        tensors |= below(name, found)
    return tensors


def _patches(source: Source, channels: int, base: int, layers: int) -> dict[str, Tensor]:
    """All convolutions, without the biases of those before norms."""
    widths = [base * min(2**number, _MOST) for number in range(layers + 1)]
    tensors = below("0", convolution(source, "model.0", base, channels, 4))
    for place, (before, after) in enumerate(itertools.pairwise(widths), start=1):
        tensors[f"{place + 1}.0.weight"] = source.take(f"model.{3 * place - 1}.weight", after, before, 4, 4)
    return tensors | below(str(layers + 2), convolution(source, f"model.{3 * layers + 2}", 1, widths[-1], 4))


CYCLEGAN = Format(
    name="cyclegan-patchgan",
    title="the discriminators of CycleGAN of pytorch-CycleGAN-and-pix2pix",
    system="cyclegan",
    matches=_of_colors_alone,
    configure=_cyclegan_config,
    convert=_cyclegan,
    notes=lambda config: ["the first file was taken for D_A, which judges what G_A makes, and the second for D_B"],
    most=2,
    part="discriminator",
)


def _pix2pix_config(sources: Sequence[Source]) -> Pix2PixConfig:
    (source,) = sources
    of_pixels = _of_pixels(source.found)
    first, second, norm = ("net.0", "net.2", "net.3") if of_pixels else ("model.0", "model.2", "model.3")
    channels = source.width(f"{first}.weight", 1)
    return Pix2PixConfig.parse(
        {
            "in_channels": max(channels - 3, 1),
            "out_channels": min(channels, 3),
            "conditional": channels > 3,
            "discriminator_channels": source.width(f"{first}.weight"),
            "discriminator_layers": 0 if of_pixels else _layers(source),
            "norm": _norm_of(source, second, norm),
        }
    )


def _pix2pix(sources: Sequence[Source], config: Pix2PixConfig) -> dict[str, Tensor]:
    (source,) = sources
    channels = config.out_channels + config.conditional * config.in_channels
    base, layers = config.discriminator_channels, config.discriminator_layers
    if not layers:
        found = below("0", convolution(source, "net.0", base, channels, 1))
        found["2.weight"] = source.take("net.2.weight", 2 * base, base, 1, 1)
        found |= below("3", pix2pix_norm(source, "net.3", 2 * base, config, bias_of(source, "net.2", 2 * base)))
        last = convolution(source, "net.5", 1, 2 * base, 1, bias=source.has("net.5.bias"))
        return below("layers", found | below("5", last))
    found = _patches(source, channels, base, layers)
    for place in range(1, layers + 1):
        width, layer = len(found[f"{place + 1}.0.weight"]), f"model.{3 * place - 1}"
        norm = pix2pix_norm(source, f"model.{3 * place}", width, config, bias_of(source, layer, width))
        found |= below(f"{place + 1}.1", norm)
    return below("layers", found)


def _pix2pix_notes(config: Pix2PixConfig) -> list[str]:
    if not config.conditional:
        return ["it was taken to judge pictures without what they were made from"]
    told = f"{config.in_channels} channels go in and {config.out_channels} come out"
    return [f"it was taken for one of pictures of which {told}: --set in_channels and out_channels tell else"]


PIX2PIX = Format(
    name="pix2pix-patchgan",
    title="the discriminator of pix2pix of pytorch-CycleGAN-and-pix2pix",
    system="pix2pix",
    matches=lambda found: _of_patches(found) or _of_pixels(found),
    configure=_pix2pix_config,
    convert=_pix2pix,
    notes=_pix2pix_notes,
    part="discriminator",
)


def _srgan_config(sources: Sequence[Source]) -> SRGANConfig:
    """It pools its last map to one place, as ours does for crops of 16."""
    (source,) = sources
    return SRGANConfig.parse(
        {
            "crop": 16,
            "discriminator_channels": source.width("net.0.weight"),
            "discriminator_range": "unit",
            "dense": source.width("net.24.weight"),
        }
    )


def _srgan(sources: Sequence[Source], config: SRGANConfig) -> dict[str, Tensor]:
    (source,) = sources
    widths = [config.discriminator_channels * factor for factor in (1, 1, 2, 2, 4, 4, 8, 8)]
    tensors = below("convolutions.0", convolution(source, "net.0", widths[0], 3, 3))
    for number, (before, after) in enumerate(itertools.pairwise(widths)):
        layer, norm = f"net.{3 * number + 2}", f"net.{3 * number + 3}"
        tensors[f"convolutions.{3 * number + 2}.weight"] = source.take(f"{layer}.weight", after, before, 3, 3)
        found = batch_norm(source, norm, after, bias_of(source, layer, after))
        tensors |= below(f"convolutions.{3 * number + 3}", found)
    for theirs, ours, before, after in (("net.24", "2", widths[-1], config.dense), ("net.26", "4", config.dense, 1)):
        dense = convolution(source, theirs, after, before, 1)
        tensors |= below(f"dense.{ours}", {"weight": dense["weight"][:, :, 0, 0], "bias": dense["bias"]})
    return tensors


SRGAN = Format(
    name="srgan-discriminator",
    title="the SRGAN discriminator of leftthomas/SRGAN",
    system="srgan",
    matches=has(r"net\.0\.weight", r"net\.3\.running_mean", r"net\.21\.weight", r"net\.24\.weight", r"net\.26\.weight"),
    configure=_srgan_config,
    convert=_srgan,
    notes=lambda config: ["it judges pictures in [0, 1], as its train.py shows them to it"],
    part="discriminator",
)


def _spade_config(sources: Sequence[Source]) -> SPADEConfig:
    (source,) = sources
    known = source.width("discriminator_0.model0.0.weight", 1) - 3
    if known < 1:
        source.refuse(f"it judges {known + 3} channels, which are no labels and RGB")
    edges = known in WITH_EDGES
    return SPADEConfig.parse(
        {
            "num_classes": known - edges,
            "instance_edges": edges,
            "num_discriminators": count(source, r"discriminator_(\d+)\."),
            "discriminator_layers": count(source, r"discriminator_0\.model(\d+)\.") - 1,
            "discriminator_channels": source.width("discriminator_0.model0.0.weight"),
        }
    )


def _spade(sources: Sequence[Source], config: SPADEConfig) -> dict[str, Tensor]:
    (source,) = sources
    base, layers = config.discriminator_channels, config.discriminator_layers
    widths = [base * min(2**number, _MOST) for number in range(layers)]
    tensors = dict[str, Tensor]()
    for scale in range(config.num_discriminators):
        name, ours = f"discriminator_{scale}.model", f"scales.{scale}"
        first = convolution(source, f"{name}0.0", base, config.condition_channels + 3, 4)
        tensors |= below(f"{ours}.0.0", first)
        for place, (before, after) in enumerate(itertools.pairwise(widths), start=1):
            found = spectral_weight(source, f"{name}{place}.0.0", after, before, 4, bias=False)
            tensors |= below(f"{ours}.{place}.0", found)
        tensors |= below(f"{ours}.{layers}", convolution(source, f"{name}{layers}.0", 1, widths[-1], 4))
    return tensors


def _spade_notes(config: SPADEConfig) -> list[str]:
    told = f"{config.num_classes} classes" + (" and the edges of objects" if config.instance_edges else "")
    return [f"it was taken to know {told}: --set num_classes and instance_edges tell else"]


SPADE = Format(
    name="spade-discriminator",
    title="the discriminators of NVlabs/SPADE",
    system="spade",
    matches=has(r"discriminator_0\.model0\.0\.weight", r"discriminator_0\.model1\.0\.0\.weight_orig"),
    configure=_spade_config,
    convert=_spade,
    notes=_spade_notes,
    part="discriminator",
)
