"""Networks of BasicSR, MMagic and ESRGAN's first code, which enlarge without norms."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import Tensor

from limner.importers.format import Format, Source, below, convolution, count, has
from limner.systems.feedforward.compact import CompactConfig
from limner.systems.feedforward.msrresnet import MSRResNetConfig
from limner.systems.feedforward.rrdbnet import RRDBNetConfig


@dataclass(frozen=True)
class _RRDBNames:
    """What the layers of RRDBNet are called; `n`, `k` and `m` are block, dense block and convolution."""

    head: str
    blocks: str
    dense: str
    middle: str
    ups: tuple[str, str]
    fine: str
    last: str


_BASICSR = _RRDBNames(
    "conv_first", r"body\.(\d+)\.rdb", "body.{n}.rdb{k}.conv{m}", "conv_body", ("conv_up1", "conv_up2"), "conv_hr",
    "conv_last",
)  # fmt: skip
_SECOND = _RRDBNames(
    "conv_first", r"RRDB_trunk\.(\d+)\.RDB", "RRDB_trunk.{n}.RDB{k}.conv{m}", "trunk_conv", ("upconv1", "upconv2"),
    "HRconv", "conv_last",
)  # fmt: skip
_FIRST = _RRDBNames(
    "model.0", r"model\.1\.sub\.(\d+)\.RDB", "model.1.sub.{n}.RDB{k}.conv{m}.0", "model.1.sub.{n}",
    ("model.3", "model.6"), "model.8", "model.10",
)  # fmt: skip


def _rrdb_config(sources: Sequence[Source], names: _RRDBNames) -> RRDBNetConfig:
    (source,) = sources
    given = source.width(f"{names.head}.weight", 1)
    scales = {3: 4, 12: 2, 48: 1}
    if given not in scales:
        source.refuse(f"{names.head} must take 3, 12 or 48 channels, for 4, 2 or 1 times the size, got {given}")
    return RRDBNetConfig.parse(
        {
            "scale": scales[given],
            "num_blocks": count(source, names.blocks),
            "channels": source.width(f"{names.head}.weight"),
            "growth": source.width(f"{names.dense.format(n=0, k=1, m=1)}.weight"),
        }
    )


def _rrdb(sources: Sequence[Source], config: RRDBNetConfig, names: _RRDBNames) -> dict[str, Tensor]:
    (source,) = sources
    width, growth = config.channels, config.growth
    folded = {4: 3, 2: 12, 1: 48}[config.scale]
    tensors = below("head", convolution(source, names.head, width, folded, 3))
    for n in range(config.num_blocks):
        for k in range(1, 4):
            for m in range(1, 6):
                made, ours = width if m == 5 else growth, f"blocks.{n}.blocks.{k - 1}.convolutions.{m - 1}"
                name = names.dense.format(n=n, k=k, m=m)
                tensors |= below(ours, convolution(source, name, made, width + growth * (m - 1), 3))
    middle = names.middle.format(n=config.num_blocks)
    layers = {"middle": middle, "ups.0": names.ups[0], "ups.1": names.ups[1], "fine": names.fine}
    for ours, name in layers.items():
        tensors |= below(ours, convolution(source, name, width, width, 3))
    return tensors | below("last", convolution(source, names.last, 3, width, 3))


def _rrdb_format(name: str, title: str, names: _RRDBNames) -> Format:
    first = names.dense.format(n=0, k=1, m=1).replace(".", r"\.")
    return Format(
        name=name,
        title=title,
        system="rrdbnet",
        matches=has(f"{first}\\.weight", rf"{names.head}\.weight", rf"{names.last}\.weight"),
        configure=partial(_rrdb_config, names=names),
        convert=partial(_rrdb, names=names),
    )


RRDBNET = _rrdb_format("rrdbnet-basicsr", "RRDBNet of BasicSR", _BASICSR)
RRDBNET_SECOND = _rrdb_format("rrdbnet-esrgan", "RRDBNet of xinntao/ESRGAN", _SECOND)
RRDBNET_FIRST = _rrdb_format("rrdbnet-esrgan-first", "RRDBNet of ESRGAN's first code", _FIRST)


def _msr_config(sources: Sequence[Source], blocks: str, ups: str, *, leaky_ups: bool) -> MSRResNetConfig:
    (source,) = sources
    width, made = source.width("conv_first.weight"), source.width(f"{ups.format(1)}.weight")
    second = source.has(f"{ups.format(2)}.weight")
    scale = 4 if second else math.isqrt(made // width)
    return MSRResNetConfig.parse(
        {"scale": scale, "num_blocks": count(source, blocks), "channels": width, "leaky_ups": leaky_ups}
    )


def _msr(sources: Sequence[Source], config: MSRResNetConfig, trunk: str, ups: str) -> dict[str, Tensor]:
    (source,) = sources
    width = config.channels
    factors = [3] if config.scale == 3 else [2] * (config.scale // 2)
    tensors = below("head", convolution(source, "conv_first", width, 3, 3))
    for number in range(config.num_blocks):
        for part, name in (("first", "conv1"), ("second", "conv2")):
            found = convolution(source, f"{trunk}.{number}.{name}", width, width, 3)
            tensors |= below(f"blocks.{number}.{part}", found)
    for number, factor in enumerate(factors):
        found = convolution(source, ups.format(number + 1), width * factor**2, width, 3)
        tensors |= below(f"ups.{number}", found)
    tensors |= below("fine", convolution(source, "conv_hr", width, width, 3))
    return tensors | below("last", convolution(source, "conv_last", 3, width, 3))


MSRRESNET = Format(
    name="msrresnet-basicsr",
    title="MSRResNet of BasicSR",
    system="msrresnet",
    matches=has(r"conv_first\.weight", r"body\.0\.conv1\.weight", r"upconv1\.weight", r"conv_hr\.weight"),
    configure=partial(_msr_config, blocks=r"body\.(\d+)\.conv", ups="upconv{}", leaky_ups=True),
    convert=partial(_msr, trunk="body", ups="upconv{}"),
)
MSRRESNET_MMAGIC = Format(
    name="msrresnet-mmagic",
    title="MSRResNet of MMagic",
    system="msrresnet",
    matches=has(r"conv_first\.weight", r"trunk_net\.0\.conv1\.weight", r"upsample1\.upsample_conv\.weight"),
    configure=partial(_msr_config, blocks=r"trunk_net\.(\d+)\.conv", ups="upsample{}.upsample_conv", leaky_ups=False),
    convert=partial(_msr, trunk="trunk_net", ups="upsample{}.upsample_conv"),
)


def _compact_config(sources: Sequence[Source]) -> CompactConfig:
    (source,) = sources
    last = count(source, r"body\.(\d+)\.") - 1
    made = source.width(f"body.{last}.weight")
    if made % 3 or math.isqrt(made // 3) ** 2 * 3 != made:
        source.refuse(f"its last layer must give 3 channels for each pixel of a square, got {made}")
    return CompactConfig.parse(
        {
            "scale": math.isqrt(made // 3),
            "num_layers": last // 2 - 1,
            "channels": source.width("body.0.weight"),
            "activation": "prelu" if source.has("body.1.weight") else "relu",
        }
    )


def _compact(sources: Sequence[Source], config: CompactConfig) -> dict[str, Tensor]:
    (source,) = sources
    width, last = config.channels, 2 * (config.num_layers + 1)
    tensors = dict[str, Tensor]()
    for place in range(0, last, 2):
        found = convolution(source, f"body.{place}", width, width if place else 3, 3)
        tensors |= below(f"layers.{place}", found)
        if config.activation == "prelu":
            tensors[f"layers.{place + 1}.weight"] = source.take(f"body.{place + 1}.weight", width)
    return tensors | below(f"layers.{last}", convolution(source, f"body.{last}", 3 * config.scale**2, width, 3))


def _compact_notes(config: Any) -> list[str]:
    if config.activation == "prelu":
        return []
    return ["the file does not say which activation it has: ReLU was taken, --set activation=leaky is the other"]


COMPACT = Format(
    name="srvgg-basicsr",
    title="SRVGGNetCompact of BasicSR",
    system="compact",
    matches=lambda found: (
        has(r"body\.0\.weight", r"body\.2\.weight")(found)
        and all(name.startswith("body.") and name.count(".") == 2 for name in found.arrays)
    ),
    configure=_compact_config,
    convert=_compact,
    notes=_compact_notes,
)
