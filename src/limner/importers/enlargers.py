"""Networks of others that enlarge."""

import math
from collections.abc import Sequence

from torch import Tensor

from limner.importers.format import Format, Source, batch_norm, below, bias_of, convolution, count, has, instance_norm
from limner.systems.feedforward.srresnet import SRResNetConfig
from limner.systems.feedforward.vdsr import VDSRConfig


def _vdsr_config(sources: Sequence[Source]) -> VDSRConfig:
    (source,) = sources
    return VDSRConfig(num_layers=2 + count(source, r"residual_layer\.(\d+)\."), channels=source.width("input.weight"))


def _vdsr(sources: Sequence[Source], config: VDSRConfig) -> dict[str, Tensor]:
    (source,) = sources
    width, last = config.channels, config.num_layers - 1
    tensors = {
        "residual.0.weight": source.take("input.weight", width, 1, 3, 3),
        f"residual.{2 * last}.weight": source.take("output.weight", 1, width, 3, 3),
    }
    for number in range(config.num_layers - 2):
        weight = source.take(f"residual_layer.{number}.conv.weight", width, width, 3, 3)
        tensors[f"residual.{2 * number + 2}.weight"] = weight
    return tensors


VDSR = Format(
    name="vdsr-pytorch",
    title="VDSR of twtygqyy/pytorch-vdsr",
    system="vdsr",
    matches=has(r"input\.weight", r"residual_layer\.0\.conv\.weight", r"output\.weight"),
    configure=_vdsr_config,
    convert=_vdsr,
)


def _srresnet_config(sources: Sequence[Source]) -> SRResNetConfig:
    (source,) = sources
    scale = 2 ** sum(name.startswith("upscale") and name.endswith(".weight") for name in source.names)
    return SRResNetConfig(
        scale=_scale(source, scale),
        num_blocks=count(source, r"residual\.(\d+)\."),
        channels=source.width("conv_input.weight"),
        norm="instance",
        activation="leaky",
        output="unit",
    )


def _scale(source: Source, scale: int) -> int:
    if scale not in (2, 3, 4, 8):
        source.refuse(f"it enlarges by {scale}, and not by 2, 3, 4 or 8")
    return scale


def _srresnet(sources: Sequence[Source], config: SRResNetConfig) -> dict[str, Tensor]:
    """No layer has a bias."""
    (source,) = sources
    width, tensors = config.channels, dict[str, Tensor]()
    tensors |= below("head.0", convolution(source, "conv_input", width, 3, 9))
    for number in range(config.num_blocks):
        for half, place in ((1, 0), (2, 3)):
            name, ours = f"residual.{number}", f"blocks.{number}.body"
            tensors[f"{ours}.{place}.weight"] = source.take(f"{name}.conv{half}.weight", width, width, 3, 3)
            tensors |= below(f"{ours}.{place + 1}", instance_norm(source, f"{name}.in{half}", width))
    tensors["middle.0.weight"] = source.take("conv_mid.weight", width, width, 3, 3)
    tensors |= below("middle.1", instance_norm(source, "bn_mid", width))
    for number in range(int(math.log2(config.scale))):
        name = next(one for one in source.names if one.startswith("upscale")).split(".")[0]
        tensors |= below(f"upsample.{number}.0", convolution(source, f"{name}.{3 * number}", 4 * width, width, 3))
    return tensors | below("tail", convolution(source, "conv_output", 3, width, 9))


SRRESNET = Format(
    name="srresnet-pytorch",
    title="SRResNet of twtygqyy/pytorch-SRResNet",
    system="srresnet",
    matches=has(r"conv_input\.weight", r"residual\.0\.in1\.weight", r"bn_mid\.weight", r"upscale\d+x\.0\.weight"),
    configure=_srresnet_config,
    convert=_srresnet,
)


def _srgan_config(sources: Sequence[Source]) -> SRResNetConfig:
    (source,) = sources
    scale = 2 ** count(source, r"block8\.(\d+)\.conv\.")
    return SRResNetConfig(
        scale=_scale(source, scale), num_blocks=5, channels=source.width("block1.0.weight"), output="tanh"
    )


def _srgan(sources: Sequence[Source], config: SRResNetConfig) -> dict[str, Tensor]:
    (source,) = sources
    width, ups = config.channels, int(math.log2(config.scale))
    tensors = below("head.0", convolution(source, "block1.0", width, 3, 9))
    tensors["head.1.weight"] = source.take("block1.1.weight", 1)
    for number in range(config.num_blocks):
        name, ours = f"block{number + 2}", f"blocks.{number}.body"
        for half, place in ((1, 0), (2, 3)):
            tensors |= _normed(source, f"{name}.conv{half}", f"{name}.bn{half}", f"{ours}.{place}", width)
        tensors[f"{ours}.2.weight"] = source.take(f"{name}.prelu.weight", 1)
    tensors |= _normed(source, "block7.0", "block7.1", "middle.0", width)
    for number in range(ups):
        tensors |= below(f"upsample.{number}.0", convolution(source, f"block8.{number}.conv", 4 * width, width, 3))
        tensors[f"upsample.{number}.2.weight"] = source.take(f"block8.{number}.prelu.weight", 1)
    return tensors | below("tail", convolution(source, f"block8.{ups}", 3, width, 9))


def _normed(source: Source, layer: str, norm: str, ours: str, width: int) -> dict[str, Tensor]:
    """A convolution and the batch norm after it, which ours stand one place apart."""
    stem, _, place = ours.rpartition(".")
    weight = {f"{ours}.weight": source.take(f"{layer}.weight", width, width, 3, 3)}
    return weight | below(f"{stem}.{int(place) + 1}", batch_norm(source, norm, width, bias_of(source, layer, width)))


SRGAN = Format(
    name="srgan-pytorch",
    title="the SRGAN generator of leftthomas/SRGAN",
    system="srresnet",
    matches=has(r"block1\.0\.weight", r"block2\.conv1\.weight", r"block7\.1\.running_mean", r"block8\.0\.conv\.weight"),
    configure=_srgan_config,
    convert=_srgan,
)
