"""StyleGANs of others."""

import math
import re
from collections.abc import Sequence

import torch
from torch import Tensor

from limner.importers.format import Format, Source, below, count, has
from limner.systems.adversarial.stylegan import Mapping, StyleGANConfig

_LATENTS = 10_000  # of whose styles the mean is taken
_FUSED = 128  # pixels of a side from which on layers that double are fused with the enlargement


def _rosinality_config(sources: Sequence[Source]) -> StyleGANConfig:
    (source,) = sources
    levels = count(source, r"generator\.progression\.(\d+)\.")
    channels = [source.width(f"generator.progression.{level}.conv2.conv.weight_orig") for level in range(levels)]
    return _config(
        channels, source.width("style.1.linear.weight_orig"), count(source, r"style\.(\d+)\.") // 2, 1.0, 1e-5
    )


def _config(channels: list[int], latent: int, mapping: int, rate: float, epsilon: float) -> StyleGANConfig:
    side = 4 * 2 ** (len(channels) - 1)
    at_64 = channels[-1] * side // 64  # of the last side, where there are fewest
    return StyleGANConfig.parse(
        {
            "side": side,
            "latent_channels": latent,
            "mapping_layers": mapping,
            "mapping_rate": rate,
            "channels_at_64": max(1, at_64),
            "most_channels": channels[0],
            "epsilon": epsilon,
            "blurred_bias": epsilon == 1e-5,
        }
    )


def _rosinality(sources: Sequence[Source], config: StyleGANConfig) -> dict[str, Tensor]:
    """All layers are scaled by the root of 2 over what goes in; a style's gain is what is learnt, not 1 more."""
    (source,) = sources
    size = config.latent_channels
    tensors = dict[str, Tensor]()
    for number in range(config.mapping_layers):
        layer = f"style.{2 * number + 1}.linear"
        tensors[f"mapping.layers.{number}.weight"] = source.take(f"{layer}.weight_orig", size, size)
        tensors[f"mapping.layers.{number}.bias"] = source.take(f"{layer}.bias", size)
    for level, side in enumerate(config.sides):
        tensors |= _level(source, config, level, side)
    source.drop(r"conv1\.\d\.weight(?:_flip)?")
    for rest in (r"generator\.progression\.(\d+)\..*", r"generator\.to_rgb\.(\d+)\..*"):
        higher = [name for name in source.names if (m := re.fullmatch(rest, name)) and int(m[1]) >= len(config.sides)]
        for name in higher:
            source.drop(re.escape(name))
    return tensors | _standing(tensors, config)


def _level(source: Source, config: StyleGANConfig, level: int, side: int) -> dict[str, Tensor]:
    name, channels, before = f"generator.progression.{level}", config.channels_at(side), config.channels_at(side // 2)
    tensors, second = dict[str, Tensor](), 2 * level
    if level:
        doubling, bias = _doubling(source, f"{name}.conv1", before, channels)
        tensors |= {f"convolutions.{2 * level - 1}.weight": doubling, f"convolutions.{2 * level - 1}.bias": bias}
    else:
        tensors["first.map"] = source.take(f"{name}.conv1.input", 1, channels, 4, 4)
    weight = source.take(f"{name}.conv2.conv.weight_orig", channels, channels, 3, 3)
    tensors[f"convolutions.{second}.weight"] = weight
    biases = (torch.zeros(channels), source.take(f"{name}.conv2.conv.bias", channels))
    for half, bias in enumerate(biases, start=1):
        gain = source.take(f"{name}.noise{half}.weight_orig", 1, channels, 1, 1)[0] * math.sqrt(2 / channels)
        style = f"{name}.adain{half}.style.linear"
        shift = source.take(f"{style}.bias", 2 * channels)
        shift = torch.cat([shift[:channels] - 1, shift[channels:]])
        of_style = math.sqrt(2) * source.take(f"{style}.weight_orig", 2 * channels, config.latent_channels)
        found = {"noise_gain": gain, "bias": bias[:, None, None], "style.weight": of_style, "style.bias": shift}
        tensors |= below(f"layers.{2 * level + half - 1}", found)
    to_rgb = f"generator.to_rgb.{level}.conv"
    picture = source.take(f"{to_rgb}.weight_orig", config.channels, channels, 1, 1)
    bias = source.take(f"{to_rgb}.bias", config.channels)
    return tensors | {f"pictures.{level}.weight": math.sqrt(2) * picture, f"pictures.{level}.bias": bias}


def _doubling(source: Source, name: str, before: int, channels: int) -> tuple[Tensor, Tensor]:
    """Plain, or fused with the enlargement: then it is a transposed convolution whose sum is divided by 4."""
    if source.has(f"{name}.0.bias"):
        weight = source.take(f"{name}.0.weight", before, channels, 3, 3)
        return weight.transpose(0, 1).flip(2, 3) / 4, source.take(f"{name}.0.bias", channels)
    weight = source.take(f"{name}.1.conv.weight_orig", channels, before, 3, 3)
    return weight, source.take(f"{name}.1.conv.bias", channels)


def _standing(tensors: dict[str, Tensor], config: StyleGANConfig) -> dict[str, Tensor]:
    """The mean style, over latents of one seed, and all levels shown."""
    mapping = Mapping(config)
    mapping.load_state_dict(
        {name.removeprefix("mapping."): one for name, one in tensors.items() if name.startswith("mapping.")}
    )
    random = torch.Generator().manual_seed(0)
    with torch.no_grad():
        center = mapping(torch.randn(_LATENTS, config.latent_channels, generator=random)).mean(0)
    return {"center": center, "shown": torch.ones(len(config.sides))}


ROSINALITY = Format(
    name="stylegan-rosinality",
    title="StyleGAN of rosinality/style-based-gan-pytorch",
    system="stylegan",
    matches=has(r"generator\.progression\.0\.conv1\.input", r"style\.1\.linear\.weight_orig"),
    configure=_rosinality_config,
    convert=_rosinality,
    notes=lambda config: [
        f"it was taken to have grown to {config.side} pixels, the most that its layers make: of one that was stopped "
        "sooner --set side tells"
    ],
)


def _nvidia_config(sources: Sequence[Source]) -> StyleGANConfig:
    (source,) = sources
    sides = sorted({int(m[1]) for name in source.names if (m := re.match(r"synthesis/(\d+)x\1/", name))})
    channels = [source.width(f"synthesis/{side}x{side}/{'Conv' if side == 4 else 'Conv1'}/bias") for side in sides]
    layers = count(source, r"mapping/Dense(\d+)/")
    return _config(channels, source.width("mapping/Dense0/weight", 1), layers, 0.01, 1e-8)


def _nvidia(sources: Sequence[Source], config: StyleGANConfig) -> dict[str, Tensor]:
    """Weights have rows, columns, what goes in and what comes out, in this order."""
    (source,) = sources
    size, last = config.latent_channels, len(config.sides) - 1
    tensors = dict[str, Tensor]()
    for number in range(config.mapping_layers):
        name = f"mapping/Dense{number}"
        tensors[f"mapping.layers.{number}.weight"] = source.take(f"{name}/weight", size, size).T
        tensors[f"mapping.layers.{number}.bias"] = source.take(f"{name}/bias", size)
    for level, side in enumerate(config.sides):
        channels, place = config.channels_at(side), f"synthesis/{side}x{side}"
        names = ("Const", "Conv") if side == 4 else ("Conv0_up", "Conv1")
        if side == 4:
            tensors["first.map"] = source.take(f"{place}/Const/const", 1, channels, 4, 4)
        for half, name in enumerate(names):
            if side > 4 or half:
                before = config.channels_at(side // 2) if not half else channels
                weight = source.take(f"{place}/{name}/weight", 3, 3, before, channels).permute(3, 2, 0, 1)
                is_fused = not half and side >= _FUSED
                tensors[f"convolutions.{2 * level - 1 + half}.weight"] = weight.flip(2, 3) if is_fused else weight
            tensors |= below(f"layers.{2 * level + half}", _epilogue(source, f"{place}/{name}", channels, size))
        weight = source.take(f"synthesis/ToRGB_lod{last - level}/weight", 1, 1, channels, config.channels)
        tensors[f"pictures.{level}.weight"] = weight.permute(3, 2, 0, 1)
        tensors[f"pictures.{level}.bias"] = source.take(f"synthesis/ToRGB_lod{last - level}/bias", config.channels)
    source.drop(r"(?:^|/)lod|synthesis/noise\d+")
    return tensors | {"center": source.take("dlatent_avg", size), "shown": torch.ones(last + 1)}


def _epilogue(source: Source, name: str, channels: int, size: int) -> dict[str, Tensor]:
    return {
        "noise_gain": source.take(f"{name}/Noise/weight", channels)[:, None, None],
        "bias": source.take(f"{name}/bias", channels)[:, None, None],
        "style.weight": source.take(f"{name}/StyleMod/weight", size, 2 * channels).T,
        "style.bias": source.take(f"{name}/StyleMod/bias", 2 * channels),
    }


NVIDIA = Format(
    name="stylegan-nvidia",
    title="StyleGAN of NVlabs/stylegan",
    system="stylegan",
    matches=has(r"synthesis/4x4/Const/const", r"mapping/Dense0/weight", r"dlatent_avg"),
    configure=_nvidia_config,
    convert=_nvidia,
)
