"""Networks of others that translate: generators of pytorch-CycleGAN-and-pix2pix, and SPADE."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from limner.importers.format import (
    Format,
    Source,
    batch_norm,
    below,
    bias_of,
    convolution,
    count,
    has,
)
from limner.systems.adversarial.cyclegan import CycleGANConfig
from limner.systems.adversarial.pix2pix import Pix2PixConfig
from limner.systems.adversarial.spade import SPADEConfig

_BLOCKS = 10  # where residual blocks begin


def _cyclegan_config(sources: Sequence[Source]) -> CycleGANConfig:
    source = sources[0]
    for name, axis in (("model.1.weight", 1), (f"{_last(source)}.weight", 0)):
        if source.width(name, axis) != 3:
            source.refuse(f"{name} is for {source.width(name, axis)} channels, and Limner's CycleGAN for RGB alone")
    return CycleGANConfig.parse(
        {
            "one_way": len(sources) == 1,
            "base_channels": source.width("model.1.weight"),
            "num_blocks": count(source, r"model\.(\d+)\.conv_block") - _BLOCKS,
            "norm": "batch" if source.has("model.2.weight") else "instance",
        }
    )


def _last(source: Source) -> str:
    number = count(source, r"model\.(\d+)\.") - 1
    return f"model.{number}"


def _cyclegan(sources: Sequence[Source], config: CycleGANConfig) -> dict[str, Tensor]:
    tensors = dict[str, Tensor]()
    for name, source in zip(("a_to_b", "b_to_a"), sources, strict=False):
        tensors |= below(f"{name}.layers", _resnet(source, config))
    return tensors


def _resnet(source: Source, config: CycleGANConfig) -> dict[str, Tensor]:
    """Places are those of the file, but for blocks, which have no dropout here."""
    narrow, middle, wide = (config.base_channels * factor for factor in (1, 2, 4))
    up = _BLOCKS + config.num_blocks
    layers = ((1, 3, narrow, 7), (4, narrow, middle, 3), (7, middle, wide, 3))
    tensors = dict[str, Tensor]()
    for place, before, after, kernel in layers:
        weight = source.take(f"model.{place}.weight", after, before, kernel, kernel)
        tensors |= _normed(source, weight, f"model.{place}", f"model.{place + 1}", str(place), after, config)
    for number in range(_BLOCKS, up):
        name = f"model.{number}.conv_block"
        second = 5 if source.has(f"{name}.5.weight") and len(source.shape(f"{name}.5.weight")) == 4 else 6
        for theirs, ours in ((1, "1"), (second, "5")):
            weight = source.take(f"{name}.{theirs}.weight", wide, wide, 3, 3)
            inner = f"{number}.layers.{ours}"
            tensors |= _normed(source, weight, f"{name}.{theirs}", f"{name}.{theirs + 1}", inner, wide, config)
    for place, before, after in ((up, wide, middle), (up + 3, middle, narrow)):
        weight = source.take(f"model.{place}.weight", before, after, 3, 3)
        tensors |= _normed(source, weight, f"model.{place}", f"model.{place + 1}", str(place), after, config)
    return tensors | below(str(up + 7), convolution(source, f"model.{up + 7}", 3, narrow, 7))


def _normed(
    source: Source, weight: Tensor, layer: str, norm: str, ours: str, width: int, config: CycleGANConfig
) -> dict[str, Tensor]:
    """A convolution and its norm; statistics that old files hold of instance norms do not count."""
    tensors = {f"{ours}.weight": weight, f"{ours}.bias": bias_of(source, layer, width)}
    if config.norm == "batch":
        stem, _, place = ours.rpartition(".")
        after = f"{stem}.{int(place) + 1}" if stem else str(int(place) + 1)
        return tensors | below(after, batch_norm(source, norm, width))
    source.drop(r"\.running_mean|\.running_var|\.num_batches_tracked")
    return tensors


CYCLEGAN = Format(
    name="cyclegan-resnet",
    title="a ResNet generator of pytorch-CycleGAN-and-pix2pix",
    system="cyclegan",
    matches=has(r"model\.1\.weight", r"model\.10\.conv_block\.1\.weight"),
    configure=_cyclegan_config,
    convert=_cyclegan,
    notes=lambda config: [
        *(["it is G alone: name the generator back as a second file for both ways"] if config.one_way else []),
        *(
            ["batch norm goes by what it has seen, without dropout, as test.py --eval has it"]
            if config.norm == "batch"
            else []
        ),
    ],
    most=2,
)


def _unet_config(sources: Sequence[Source]) -> Pix2PixConfig:
    (source,) = sources
    deepest = max((name for name in source.names if name.endswith(".weight")), key=lambda name: name.count(".model"))
    downs = deepest.count("model") - 1
    is_batch = any(name.endswith("running_mean") for name in source.names) and source.has(
        "model.model.1.model.2.weight"
    )
    return Pix2PixConfig.parse(
        {
            "in_channels": source.width("model.model.0.weight", 1),
            "out_channels": source.width("model.model.3.weight", 1),
            "base_channels": source.width("model.model.0.weight"),
            "num_downs": downs,
            "norm": "batch" if is_batch else "instance",
            "bias": source.has("model.model.0.bias"),
            "dropout": 0.5 if is_batch else 0.0,
            "noisy_layers": tuple(range(1, downs - 4)),
            "discriminator_channels": source.width("model.model.0.weight"),
        }
    )


def _unet(sources: Sequence[Source], config: Pix2PixConfig) -> dict[str, Tensor]:
    """The file nests its levels, and each level's decoder sees the encoder's map before that of the level below."""
    (source,) = sources
    depth, base = config.num_downs, config.base_channels
    widths = [base * min(2**number, 8) for number in range(depth)]
    tensors = dict[str, Tensor]()
    for level in range(depth):
        stem = "model.model" + ".1.model" * bool(level) + ".3.model" * (level - 1)
        inner = level == depth - 1
        down, up = (0, 3) if not level else (1, 3 if inner else 5)
        before, width = (config.in_channels if not level else widths[level - 1]), widths[level]
        given, made = (width if inner else 2 * width), (config.out_channels if not level else widths[level - 1])
        weight = source.take(f"{stem}.{down}.weight", width, before, 4, 4)
        tensors |= _encoder_layer(source, config, stem, level, weight, inner=inner)
        weight = source.take(f"{stem}.{up}.weight", given, made, 4, 4)
        if not inner:
            weight = torch.cat([weight[width:], weight[:width]])
        bias = bias_of(source, f"{stem}.{up}", made) if level else source.take(f"{stem}.{up}.bias", made)
        if level:
            ours = f"ups.{depth - 1 - level}"
            tensors[f"{ours}.0.weight"] = weight
            tensors |= below(f"{ours}.1", pix2pix_norm(source, f"{stem}.{up + 1}", made, config, bias))
        else:
            tensors |= {"last.weight": weight, "last.bias": bias}
    return tensors


def _encoder_layer(
    source: Source, config: Pix2PixConfig, stem: str, level: int, weight: Tensor, *, inner: bool
) -> dict[str, Tensor]:
    width, layer = len(weight), f"{stem}.{1 if level else 0}"
    tensors, bias = {f"downs.{level}.0.weight": weight}, bias_of(source, layer, width)
    if level and not inner:
        return tensors | below(f"downs.{level}.1", pix2pix_norm(source, f"{stem}.2", width, config, bias))
    return tensors | ({f"downs.{level}.0.bias": source.take(f"{layer}.bias", width)} if config.bias else {})


def pix2pix_norm(source: Source, name: str, width: int, config: Pix2PixConfig, bias: Tensor) -> dict[str, Tensor]:
    """Over pictures or batches, a bias before the norm is taken away with the mean."""
    if config.norm == "seen":
        return batch_norm(source, name, width, bias)
    source.drop(r"\.running_mean|\.running_var|\.num_batches_tracked")
    if config.norm == "instance":
        return {"weight": torch.ones(width), "bias": torch.zeros(width)}
    return {part: source.take(f"{name}.{part}", width) for part in ("weight", "bias")}


def _unet_notes(config: Pix2PixConfig) -> list[str]:
    if config.norm == "instance":
        return ["instance norm came without dropout, as CycleGAN has it: --set dropout=0.5 is the other"]
    if config.norm == "seen":
        return []
    noise = f"dropout of {config.dropout}" if config.dropout else "no dropout"
    mend = "--set norm=seen --set dropout=0 is its --eval"
    return [f"batch norm goes by each picture, with {noise}, as test.py has it: {mend}"]


PIX2PIX = Format(
    name="pix2pix-unet",
    title="a U-Net generator of pytorch-CycleGAN-and-pix2pix",
    system="pix2pix",
    matches=has(r"model\.model\.0\.weight", r"model\.model\.1\.model\.3\.model\.1\.weight", r"model\.model\.3\.weight"),
    configure=_unet_config,
    convert=_unet,
    notes=_unet_notes,
)


def _spade_parts(sources: Sequence[Source]) -> tuple[Source, Source | None]:
    """The generator, and the encoder of styles if it was trained with one."""
    generators = [one for one in sources if not _IS_ENCODER(one.found)]
    encoders = [one for one in sources if _IS_ENCODER(one.found)]
    if len(generators) != 1:
        sources[0].refuse("it is an encoder of styles alone: name the generator with it, as in net_G.pth net_E.pth")
    generator = generators[0]
    if (styled := len(generator.shape("fc.weight")) == 2) != bool(encoders):
        generator.refuse(
            "fc is a linear layer, of a network with an encoder (--use_vae): name net_E.pth as a second file"
            if styled
            else "it was trained without an encoder: leave the second file out"
        )
    return generator, encoders[0] if encoders else None


_IS_GENERATOR = has(r"fc\.weight", r"head_0\.norm_0\.mlp_shared\.0\.weight", r"conv_img\.weight")
_IS_ENCODER = has(r"layer1\.0\.weight_orig", r"fc_mu\.weight", r"fc_var\.weight")


def _spade_config(sources: Sequence[Source]) -> SPADEConfig:
    source, encoder = _spade_parts(sources)
    known = source.width("head_0.norm_0.mlp_shared.0.weight", 1)
    edges, is_largest = known in WITH_EDGES, source.has("up_4.conv_0.weight_orig")
    base = source.width("conv_img.weight", 1) * (2 if is_largest else 1)
    return SPADEConfig.parse(
        {
            "num_classes": known - edges,
            "instance_edges": edges,
            "base_channels": base,
            "hidden_channels": source.width("head_0.norm_0.mlp_shared.0.weight"),
            "num_ups": 7 if is_largest else 6 if known in _WIDE else 5,
            "norm": "batch" if source.has("head_0.norm_0.param_free_norm.running_mean") else "instance",
            **(_styled(source, encoder, base) if encoder else {}),
        }
    )


def _styled(source: Source, encoder: Source, base: int) -> dict[str, Any]:
    """What a style vector becomes: a map that is square or, as for Cityscapes, twice as wide as high."""
    places, rest = divmod(source.width("fc.weight"), 16 * base)
    rows = math.isqrt(places if math.isqrt(places) ** 2 == places else places // 2)
    if rest or places not in (rows**2, 2 * rows**2):
        source.refuse(f"fc must make a map that is square or twice as wide, got {places} places")
    if not encoder.has("layer6.0.weight_orig"):
        encoder.refuse("it must have 6 layers, for photos of 256 pixels")
    return {
        "style": "start",
        "start": (rows, places // rows),
        "latent_channels": source.width("fc.weight", 1),
        "encoder_channels": encoder.width("layer1.0.weight_orig"),
    }


WITH_EDGES = (184, 36)
"""What is known of a pixel where edges are: 182 classes of COCO-Stuff and don't care, 35 of Cityscapes, and edges."""
_WIDE = (36,)
_NAMES = ("head_0", "G_middle_0", "G_middle_1", "up_0", "up_1", "up_2", "up_3", "up_4")


def _spade(sources: Sequence[Source], config: SPADEConfig) -> dict[str, Tensor]:
    source, encoder = _spade_parts(sources)
    base, known = config.base_channels, config.condition_channels
    widths = [16 * base] * 4 + [base * factor for factor in (8, 4, 2, 1)] + [base // 2] * (config.num_ups == 7)
    if encoder:
        units = widths[0] * math.prod(config.start)
        tensors = below("projection", _linear(source, "fc", units, config.latent_channels))
        tensors |= below("encoder", _spade_encoder(encoder, config))
    else:
        tensors = below("first", convolution(source, "fc", widths[0], known, 3))
    for number, name in enumerate(_NAMES[: len(widths) - 1]):
        before, after = widths[number], widths[number + 1]
        tensors |= below(f"blocks.{number}", _spade_block(source, name, before, after, known, config))
    return tensors | below("last", convolution(source, "conv_img", 3, widths[-1], 3))


def _linear(source: Source, name: str, after: int, before: int) -> dict[str, Tensor]:
    return {"weight": source.take(f"{name}.weight", after, before), "bias": source.take(f"{name}.bias", after)}


def _spade_encoder(source: Source, config: SPADEConfig) -> dict[str, Tensor]:
    widths = [config.encoder_channels * factor for factor in (1, 2, 4, 8, 8, 8)]
    tensors = dict[str, Tensor]()
    for number, (before, after) in enumerate(zip([3, *widths], widths, strict=False)):
        found = spectral_weight(source, f"layer{number + 1}.0", after, before, 3, bias=False)
        tensors |= below(f"layers.{number}.0", found)
    for ours, theirs in (("mean", "fc_mu"), ("log_variance", "fc_var")):
        tensors |= below(f"code.{ours}", _linear(source, theirs, config.latent_channels, 16 * widths[-1]))
    return tensors


def _spade_block(
    source: Source, name: str, before: int, after: int, known: int, config: SPADEConfig
) -> dict[str, Tensor]:
    middle = min(before, after)
    tensors = below("norms.0", _spade_norm(source, f"{name}.norm_0", before, known, config))
    tensors |= below("norms.1", _spade_norm(source, f"{name}.norm_1", middle, known, config))
    tensors |= below("convolutions.0", spectral_weight(source, f"{name}.conv_0", middle, before, 3, bias=True))
    tensors |= below("convolutions.1", spectral_weight(source, f"{name}.conv_1", after, middle, 3, bias=True))
    if before != after:
        tensors |= below("shortcut_norm", _spade_norm(source, f"{name}.norm_s", before, known, config))
        tensors |= below("shortcut", spectral_weight(source, f"{name}.conv_s", after, before, 1, bias=False))
    return tensors


def _spade_norm(source: Source, name: str, width: int, known: int, config: SPADEConfig) -> dict[str, Tensor]:
    hidden = config.hidden_channels
    tensors = below("shared", convolution(source, f"{name}.mlp_shared.0", hidden, known, 3))
    for part in ("gamma", "beta"):
        tensors |= below(part, convolution(source, f"{name}.mlp_{part}", width, hidden, 3))
    source.drop(r"\.num_batches_tracked")
    if config.norm == "batch":
        seen = {part: source.take(f"{name}.param_free_norm.{part}", width) for part in ("running_mean", "running_var")}
        tensors |= below("norm", seen | {"num_batches_tracked": torch.tensor(0)})
    return tensors


def spectral_weight(
    source: Source, name: str, out_channels: int, in_channels: int, kernel: int, *, bias: bool
) -> dict[str, Tensor]:
    """Theirs divides by u' W v of two vectors that it keeps, ours by |u' W|: u is scaled so that both are one."""
    tensors = {"bias": source.take(f"{name}.bias", out_channels)} if bias else {}
    if not source.has(f"{name}.weight_orig"):
        source.refuse(f"{name} has no spectral norm (weight_orig): Limner's SPADE has it")
    weight = source.take(f"{name}.weight_orig", out_channels, in_channels, kernel, kernel)
    u, v = source.take(f"{name}.weight_u", out_channels), source.take(f"{name}.weight_v", in_channels * kernel**2)
    matrix = weight.flatten(1).double()
    scale = (u.double() @ matrix @ v.double()) / (u.double() @ matrix).norm()
    return tensors | {"parametrizations.weight.original": weight, "parametrizations.weight.0.u": (u * scale).float()}


def _spade_notes(config: SPADEConfig) -> list[str]:
    told = f"{config.num_classes} classes" + (" and the edges of objects" if config.instance_edges else "")
    sides = {5: "256x256", 6: "512x256", 7: "512x512"}[config.num_ups]
    return [
        f"it was taken to know {told}, and to make {sides}: --set num_classes, instance_edges and num_ups tell else",
        *([] if config.class_names else ["names of classes are not in the file: --set class_names and class_colors"]),
    ]


SPADE = Format(
    name="spade",
    title="the generator of NVlabs/SPADE",
    system="spade",
    matches=lambda found: _IS_GENERATOR(found) or _IS_ENCODER(found),
    configure=_spade_config,
    convert=_spade,
    notes=_spade_notes,
    most=2,
)
