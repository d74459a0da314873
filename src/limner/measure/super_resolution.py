"""`evaluate`: what super-resolution models are worth on benchmark sets, beside what their papers print."""

import itertools
import statistics
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple, Protocol, TypeAlias, TypeGuard, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from limner.arguments import check_path
from limner.data.benchmarks import BenchmarkSet, Sample, find_benchmarks
from limner.data.degrade import bicubic_enlarge, crop_to_multiple, low_resolution, published_low_resolution
from limner.data.photo_faults import PHOTO_FAULTS, with_faults
from limner.errors import LimnerError
from limner.features.vgg16 import VGG
from limner.measure.report import NOTE, Column, Method, Report, Row, Table, difference, figure
from limner.metrics.protocols import Protocol as ScoreProtocol
from limner.metrics.protocols import Score, as_uint8, find_protocol, score, scored_luminance
from limner.metrics.published import published_figure
from limner.metrics.vgg_distance import LAYERS, vgg_distance
from limner.processor import Machine
from limner.types import Image, Luminance

_Given: TypeAlias = Literal["float-y", "uint8-rgb", "photo"]

OnStep = Callable[[int, int, str], None]
"""Told after each picture: how many are done, of how many, and which it was."""


class Enlarger(Protocol):
    """What can be evaluated. If it also has strings `precision` and `weights_hash`, the report tells them."""

    @property
    def name(self) -> str:
        """What the report calls it; "VDSR", "SRResNet" and "SRGAN" find their papers' figures."""

    @property
    def scales(self) -> tuple[int, ...]:
        """The enlargements that it can do; it is passed over at others."""

    def enlarge(self, image: Image, scale: int) -> Float[Tensor, "n 3 H W"]:
        """RGB in [0, 1] -> RGB of `scale` times the sides, not necessarily clipped."""


@runtime_checkable
class LuminanceEnlarger(Protocol):
    """An `Enlarger` that can work on luminance, which it is given where the protocol's low resolution is that."""

    def enlarge_luminance(self, y: Luminance, scale: int) -> Float[Tensor, "n 1 H W"]:
        """Y in [16, 235] / 255 (a gray picture: in [0, 1]) -> Y of `scale` times the sides."""


class _Bicubic:
    name = "bicubic"
    scales = ()  # any: it is in every table

    def enlarge(self, image: Image, scale: int) -> Float[Tensor, "n 3 H W"]:
        return bicubic_enlarge(image, scale)

    def enlarge_luminance(self, y: Luminance, scale: int) -> Float[Tensor, "n 1 H W"]:
        return bicubic_enlarge(y, scale)


BICUBIC = _Bicubic()
"""The baseline of every table."""


COLUMNS = (
    Column("set", lambda row: f"{row.facts['benchmark']} ({row.facts['num_images']})"),
    Column("scale", lambda row: f"x{row.facts['scale']}"),
    Column("method", lambda row: row.method),
    figure("PSNR (dB)", "psnr", ".3f"),
    figure("paper PSNR", "paper_psnr", ".2f"),
    difference("difference", "psnr", "paper_psnr", "+.3f"),
    figure("SSIM", "ssim", ".4f"),
    figure("paper SSIM", "paper_ssim", ".4f"),
    difference("difference", "ssim", "paper_ssim", "+.4f"),
    figure("VGG distance", "vgg_distance", ".4f", is_optional=True),
    figure("seconds / image", "seconds", ".3g"),
    NOTE,
)
"""Means over the pictures of a set; seconds are those of enlarging alone, the paper's figures are for all pictures."""


def evaluate_super_resolution(
    data: str | Path,
    models: Sequence[Enlarger] = (),
    *,
    scales: Sequence[int] = (2, 3, 4),
    protocols: Sequence[str] = ("sr-y-shave",),
    limit: int | None = None,
    distance: bool = False,
    on_step: OnStep | None = None,
) -> Report:
    """Measure bicubic enlargement and models on the benchmark sets of a folder.

    Args:
        data: A folder of benchmark sets, or of pictures (`limner.data.benchmarks.find_benchmarks`).
        models: What to measure beside bicubic.
        scales: Enlargements, each at least 2. A model is passed over at scales that it does not have.
        protocols: Names from `limner.metrics.protocols.PROTOCOLS`.
        limit: Use only the first pictures of each set; None uses all. The papers' figures are for all.
        distance: Whether to measure the VGG distance too, of results in colour; it takes about as long as a model.
        on_step: Told after each picture.

    Raises:
        LimnerError: If a protocol is unknown, a scale below 2, there are no pictures, or one is too small.

    Example:
        >>> model = limner.Upscaler("edsr-x2")  # doctest: +SKIP
        >>> report = limner.evaluate_super_resolution("Set5", [model], scales=[2])  # doctest: +SKIP
        >>> print(report.to_markdown())  # doctest: +SKIP
    """
    check_path("data", data)
    if limit is not None and limit < 1:
        raise LimnerError(f"limit must be at least 1 picture of each set, got {limit}")
    sets = [BenchmarkSet(found.name, found.images[:limit]) for found in find_benchmarks(Path(data))]
    return evaluate_sets(sets, models, scales=scales, protocols=protocols, distance=distance, on_step=on_step)


def evaluate_sets(
    sets: Sequence[BenchmarkSet],
    models: Sequence[Enlarger] = (),
    *,
    scales: Sequence[int] = (2, 3, 4),
    protocols: Sequence[str] = ("sr-y-shave",),
    distance: bool = False,
    on_step: OnStep | None = None,
) -> Report:
    """The same on sets that are found already.

    Raises:
        LimnerError: If a protocol is unknown, a scale below 2, or a picture is too small.
    """
    chosen = tuple(find_protocol(name) for name in protocols)
    if not chosen or not scales or min(scales) < 2:
        raise LimnerError(f"give a protocol and scales of at least 2, got {list(protocols)} and {list(scales)}")
    cases = [_Case(*case) for case in itertools.product(sets, scales)]
    vgg = VGG(LAYERS) if distance else None
    total = sum(len(case.benchmark) for case in cases)
    done = itertools.count(1)

    def tell(text: str) -> None:
        if on_step:
            on_step(next(done), total, text)

    found = [row for case in cases for row in _evaluate(case, chosen, models, vgg, tell)]
    tables = [_table(one, [row for protocol, row in found if protocol == one]) for one in chosen]
    return Report("Super-resolution on benchmark sets", Machine.here(), tuple(map(_describe, models)), tuple(tables))


def _table(protocol: ScoreProtocol, rows: Sequence[Row]) -> Table:
    return Table(
        protocol.name,
        protocol.description,
        COLUMNS,
        tuple(rows),
        in_card={"psnr": ".3f", "ssim": ".4f", "paper_psnr": "", "vgg_distance": ".4f"},
        baseline=BICUBIC.name,
        of_baseline=("psnr", "vgg_distance"),
    )


class _Case(NamedTuple):
    benchmark: BenchmarkSet
    scale: int


class _Enlarged(NamedTuple):
    picture: Float[Tensor, "n c H W"]
    seconds: float
    distance: float | None


class _Measured(NamedTuple):
    score: Score
    seconds: float
    distance: float | None


def _takes_luminance(model: Enlarger, protocol: ScoreProtocol) -> TypeGuard[LuminanceEnlarger]:
    return protocol.low_resolution == "float-y" and isinstance(model, LuminanceEnlarger)


def _given(model: Enlarger, protocol: ScoreProtocol) -> _Given:
    """The low resolution that a model gets; one that takes RGB gets that where the protocol's is the luminance."""
    if protocol.low_resolution == "float-y" and not _takes_luminance(model, protocol):
        return "uint8-rgb"
    return protocol.low_resolution


def _shrunk(sample: Sample, original: Image, scale: int, kind: _Given) -> Float[Tensor, "1 c H W"]:
    if kind == "photo":
        rng = torch.Generator().manual_seed(zlib.crc32(f"{sample.name} x{scale}".encode()))
        return with_faults(original[0], scale, PHOTO_FAULTS, rng)[None]
    if kind == "uint8-rgb":
        return published_low_resolution((original * 255).round().to(torch.uint8), scale).float() / 255
    y = as_uint8(scored_luminance(original.double(), gray=sample.is_gray))
    return low_resolution(y, scale).float()


def _evaluate(
    case: _Case,
    protocols: Sequence[ScoreProtocol],
    models: Sequence[Enlarger],
    vgg: VGG | None,
    tell: Callable[[str], None],
) -> list[tuple[ScoreProtocol, Row]]:
    """The rows of one set and scale: of each protocol bicubic, then the models that have the scale."""
    methods = [BICUBIC, *(model for model in models if case.scale in model.scales)]
    of_rows = list(itertools.product(methods, protocols))
    columns: list[list[_Measured]] = [[] for _ in of_rows]
    for sample in case.benchmark:
        for column, measured in zip(columns, _measure(case, protocols, methods, sample, vgg), strict=True):
            column.append(measured)
        tell(f"{case.benchmark.name} x{case.scale} {sample.name}")
    summed = zip(of_rows, columns, strict=True)
    return [(protocol, _summary(protocol, case, model, column)) for (model, protocol), column in summed]


def _measure(
    case: _Case, protocols: Sequence[ScoreProtocol], models: Sequence[Enlarger], sample: Sample, vgg: VGG | None
) -> Iterator[_Measured]:
    """Of each model by each protocol: shrink a picture once, enlarge it once for all with the same low resolution."""
    scale = case.scale
    try:
        original = crop_to_multiple(sample.image, scale)
        kinds = {_given(model, protocol) for model in models for protocol in protocols}
        small = {kind: _shrunk(sample, original, scale, kind) for kind in kinds}
        seen = _activations(vgg, original)
        for model in models:
            found: dict[_Given, _Enlarged] = {}
            for protocol in protocols:
                given = _given(model, protocol)
                if given not in found:
                    found[given] = _enlarged(model, small[given], scale, vgg, seen)
                picture, seconds, distance = found[given]
                judged = score(protocol, picture, original, scale, gray=sample.is_gray)
                yield _Measured(judged, seconds, distance)
    except LimnerError as error:
        raise LimnerError(f"{case.benchmark.name} {sample.name} at x{scale}: {error}") from error


def _enlarged(
    model: Enlarger, small: Float[Tensor, "n c h w"], scale: int, vgg: VGG | None, seen: dict[str, Tensor]
) -> _Enlarged:
    """What a model makes of the luminance or of the colours, how long it takes, how far the colours are from `seen`."""
    start = time.perf_counter()
    with torch.inference_mode():
        if small.shape[1] == 1:
            assert isinstance(model, LuminanceEnlarger)
            result = model.enlarge_luminance(small, scale).cpu()
        else:
            result = model.enlarge(small, scale).cpu()
    seconds = time.perf_counter() - start
    apart = vgg_distance(_activations(vgg, as_uint8(result)), seen).item() if vgg and result.shape[1] == 3 else None
    return _Enlarged(result, seconds, apart)


@torch.inference_mode()
def _activations(vgg: VGG | None, picture: Image) -> dict[str, Tensor]:
    return vgg(picture.float()) if vgg else {}


def _summary(protocol: ScoreProtocol, case: _Case, model: Enlarger, column: Sequence[_Measured]) -> Row:
    benchmark, scale = case
    rgb_instead = protocol.low_resolution == "float-y" and not _takes_luminance(model, protocol)
    published = published_figure(protocol.name, model.name, benchmark.name, scale, len(column)) or (None, None)
    figures = {
        "psnr": statistics.fmean(measured.score.psnr for measured in column),
        "paper_psnr": published[0],
        "ssim": statistics.fmean(measured.score.ssim for measured in column),
        "paper_ssim": published[1],
        "vgg_distance": _mean([measured.distance for measured in column]),
        "seconds": statistics.fmean(measured.seconds for measured in column),
    }
    return Row(
        case=f"{benchmark.name} x{scale}",
        method=model.name,
        figures={name: value for name, value in figures.items() if value is not None},
        facts={"benchmark": benchmark.name, "scale": scale, "num_images": len(column)},
        note="low resolution: uint8 RGB" if rgb_instead else "",
    )


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if known else None


def _describe(model: Enlarger) -> Method:
    return Method(model.name, getattr(model, "precision", "float32"), getattr(model, "weights_hash", None))
