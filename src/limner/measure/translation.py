"""What systems that translate are worth: how far their pictures are from held-out ones, and what is seen in them.

The figures of seg-score are those of the FCN-score of Isola et al. 2017, arXiv:1611.07004, section 4.1, by a network of
the house: it reads what a system makes of a label map, and is asked for the labels again.
"""

import itertools
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from limner.data.derived import Derivation
from limner.data.label_maps import LabelMapsConfig
from limner.data.pairs import Pair, PairsConfig
from limner.errors import LimnerError
from limner.features.vgg16 import VGG
from limner.files.shard_path import unpacked
from limner.measure.report import CASE, METHOD, Report, Row, Table, figure
from limner.metrics.protocols import as_uint8
from limner.metrics.quality import psnr, ssim
from limner.metrics.segmentation import confusion, overlap
from limner.metrics.vgg_distance import LAYERS, vgg_distance
from limner.ops.resample import imresize
from limner.types import Image
from limner.verbs.segment.segmenter import Segmenter
from limner.verbs.translate.translator import Translator, translated

TRANSLATION_RGB, TRANSLATION_VGG, SEG_SCORE = "translation-rgb", "translation-vgg", "seg-score"
DIVERSITY = "translation-diversity"
"""The names of the protocols."""

_DESCRIPTIONS = {
    TRANSLATION_RGB: "RGB as 8-bit pictures, means over pictures: L1 in [0, 1], less is nearer; PSNR; SSIM.",
    DIVERSITY: "How far results of one source lie apart, over pairs of seeds: L1 in [0, 1], and as VGG-16 sees them.",
    TRANSLATION_VGG: "Distance of RGB as 8-bit pictures as VGG-16 sees them, a mean over pictures: less is nearer.",
}
_SCORES = ("pixel_accuracy", "class_accuracy", "class_iou")


class Sample(NamedTuple):
    """A picture that no system has seen, and what systems are given of it.

    Attributes:
        given: With a leading dimension of one.
        target: What should come out.
        label: The class of each pixel, where they are known.
    """

    given: tuple[Tensor, ...]
    target: Image
    label: Int[Tensor, "h w"] | None = None


Method = Callable[[Sample], Float[Tensor, "1 c h w"]]
"""What is measured."""

OnStep = Callable[[int, int, str], None]
"""Told after each method: how many are done, of how many, and which it was."""


def translation_samples(data: PairsConfig | LabelMapsConfig, place: Path, side: int) -> list[Sample]:
    """All pairs of a folder at one side, in pixels.

    Raises:
        LimnerError: If there are none, or they do not fit each other.
    """
    place = unpacked(place)
    if isinstance(data, LabelMapsConfig):
        sized = data.model_copy(update={"height": side, "width": side})
        return [Sample(tuple(x[None] for x in one.inputs), one.photo[None], one.label[0]) for one in sized.read(place)]
    if data.labels:
        maps = data.label_maps.load(place)
        whole = [maps.whole(number, (side, side)) for number in range(len(maps))]
        return [Sample((maps.shown(one.label)[None],), one.photo[None], one.label[0]) for one in whole]
    pairs = (Pair(*(imresize(one[None], size=(side, side)).clamp(0, 1) for one in pair)) for pair in data.read(place))
    return [Sample((pair.source,), pair.target) for pair in pairs]


def evaluate_translation(
    data: str | Path,
    models: Sequence[Translator],
    *,
    source: Literal["left", "right", "A", "B"] = "left",
    derive: Derivation | None = None,
    side: int = 256,
    limit: int | None = None,
    distance: bool = False,
    segmenter: Segmenter | None = None,
    seed: int = 0,
    seeds: int | None = None,
    on_step: OnStep | None = None,
) -> Report:
    """What models are worth on a folder of pairs.

    Args:
        data: The folder.
        models: What is measured; all take the same.
        source: Which half of each picture, or which folder, goes in. Label pictures have the colours of the models.
        derive: Make what goes in from photos.
        side: That all pictures are resized to, in pixels.
        limit: Only the first pictures.
        distance: As for `translation_report`.
        segmenter: Likewise.
        seed: Of the noise that models are given.
        seeds: Also how far results of so many seeds lie apart.
        on_step: As for `translation_report`.

    Raises:
        LimnerError: If there are no pairs, they do not fit each other, or the models take different things.
    """
    first, place = models[0], Path(data)
    unlike = [one.model for one in models if (one.ports[0], one.classes) != (first.ports[0], first.classes)]
    if unlike:
        raise LimnerError(f"{first.model} and {unlike[0]} take different pictures: measure them one by one")
    pairs = _pairs_for(first, source, derive)
    samples = translation_samples(pairs, place, side)[:limit]
    if samples[0].given[0].shape[1] != first.ports[0].shape(1, 1, 1)[1]:
        raise LimnerError(
            f"{first.model} takes pictures of {first.ports[0].channels} channels, and these data have "
            f"{samples[0].given[0].shape[1]}: derive them as in training, or name others"
        )
    methods = {one.model: partial(_translated, one, seed) for one in models}
    report = translation_report(methods, samples, distance=distance, segmenter=segmenter, on_step=on_step)
    if seeds is None:
        return report
    noisy = {one.model: partial(_by_seed, one) for one in models}
    return replace(report, tables=(*report.tables, translation_diversity(noisy, samples, seeds=seeds)))


def _pairs_for(
    model: Translator, source: Literal["left", "right", "A", "B"], derive: Derivation | None
) -> PairsConfig | LabelMapsConfig:
    """How pairs are read for a model."""
    colors, names = [one.color for one in model.classes], [one.name for one in model.classes]
    labels = {"labels": "colors", "colors": colors, "names": names} if colors else {}
    pairs = PairsConfig.parse({"source": source, "derive": derive, **labels})
    return pairs.label_maps if model.ports[0].kind == "label_map" else pairs


def _translated(model: Translator, seed: int, sample: Sample) -> Tensor:
    return translated(model.runner, model.ports, *sample.given, seed=seed)


def _by_seed(model: Translator, sample: Sample, seed: int) -> Tensor:
    return _translated(model, seed, sample)


def translation_report(
    methods: Mapping[str, Method],
    samples: Sequence[Sample],
    *,
    distance: bool = False,
    segmenter: Segmenter | None = None,
    on_step: OnStep | None = None,
) -> Report:
    """L1, PSNR and SSIM beside those of the source as it is, and if asked for a perceptual distance and a seg-score.

    Args:
        methods: What is measured, by the names that the report shows.
        samples: Pictures that none has seen.
        distance: Also compare RGB as VGG-16 sees it.
        segmenter: Reads the classes of pixels; seg-score needs samples with labels. Real pictures are its upper bound.
        on_step: Told after each method.

    Raises:
        LimnerError: If a picture is too small, or the segmenter tells other classes apart.
    """
    case = f"{len(samples)} pictures at {samples[0].target.shape[-1]}"
    everything = {**({"source": _source} if _has_source(samples) else {}), **methods}
    vgg = VGG(LAYERS) if distance else None
    quality, distances, scores = list[Row](), list[Row](), list[Row]()
    if segmenter:
        scores.append(Row(case, "real pictures", _seg_score([one.target for one in samples], samples, segmenter)))
    for number, (name, method) in enumerate(everything.items(), 1):
        made = [as_uint8(method(one)) for one in samples]
        quality.append(Row(case, name, _quality(made, samples)))
        if vgg:
            distances.append(Row(case, name, {"vgg_distance": _distance(vgg, made, samples)}))
        if segmenter and name != "source":
            scores.append(Row(case, name, _seg_score(made, samples, segmenter)))
        if on_step:
            on_step(number, len(everything), name)
    tables = [_quality_table(quality), *([_distance_table(distances)] if vgg else [])]
    return Report.here(
        "Translation of held-out pictures", *tables, *([_seg_table(scores, segmenter)] if segmenter else [])
    )


def translation_diversity(
    methods: Mapping[str, Callable[[Sample, int], Tensor]], samples: Sequence[Sample], *, seeds: int = 4
) -> Table:
    """How far the pictures that a system makes of one source lie apart, by L1 and as VGG-16 sees them.

    Means over all pairs of seeds and over all samples; 0 of a system that makes one picture whatever the noise.

    Args:
        methods: From a sample and a seed to what is made, by the names that the table shows.
        samples: Of any kind.
        seeds: How many are tried, two at least.
    """
    vgg, rows = VGG(LAYERS), list[Row]()
    for name, method in methods.items():
        apart = [_apart([as_uint8(method(one, seed)) for seed in range(seeds)], vgg) for one in samples]
        figures = {key: statistics.fmean(one[key] for one in apart) for key in ("l1", "vgg_distance")}
        rows.append(Row(f"{len(samples)} pictures, {seeds} seeds", name, figures))
    columns = (CASE, METHOD, figure("L1", "l1", ".5f"), figure("VGG distance", "vgg_distance", ".5f"))
    forms = {"l1": ".3g", "vgg_distance": ".3g"}
    return Table(DIVERSITY, _DESCRIPTIONS[DIVERSITY], columns, tuple(rows), forms)


@torch.inference_mode()
def _apart(made: Sequence[Tensor], vgg: VGG) -> dict[str, float]:
    pairs = list(itertools.combinations(made, 2))
    return {
        "l1": statistics.fmean((one - other).abs().mean().item() for one, other in pairs),
        "vgg_distance": statistics.fmean(
            vgg_distance(_seen(vgg, one), _seen(vgg, other)).item() for one, other in pairs
        ),
    }


def _has_source(samples: Sequence[Sample]) -> bool:
    """Whether what goes in can be compared with what comes out: no label map."""
    return samples[0].given[0].is_floating_point()


def _source(sample: Sample) -> Tensor:
    return Pair(sample.given[0], sample.target).source_as_target


def _quality(made: Sequence[Tensor], samples: Sequence[Sample]) -> dict[str, float]:
    pairs = [(one.double(), as_uint8(sample.target).double()) for one, sample in zip(made, samples, strict=True)]
    return {
        "l1": statistics.fmean((one - other).abs().mean().item() for one, other in pairs),
        "psnr": statistics.fmean(psnr(one, other).item() for one, other in pairs),
        "ssim": statistics.fmean(ssim(one, other).item() for one, other in pairs),
    }


@torch.inference_mode()
def _distance(vgg: VGG, made: Sequence[Tensor], samples: Sequence[Sample]) -> float:
    pairs = zip(made, samples, strict=True)
    return statistics.fmean(vgg_distance(_seen(vgg, one), _seen(vgg, sample.target)).item() for one, sample in pairs)


def _seen(vgg: VGG, image: Float[Tensor, "1 c h w"]) -> dict[str, Tensor]:
    return vgg(as_uint8(image)[:, :3].expand(-1, 3, -1, -1).float())


def _seg_score(made: Sequence[Tensor], samples: Sequence[Sample], segmenter: Segmenter) -> dict[str, float]:
    """Accuracy of pixels, its mean over classes, and the mean IoU, over the pixels of all pictures."""
    number, counts = segmenter.num_classes, np.zeros((segmenter.num_classes,) * 2, np.int64)
    for one, sample in zip(made, samples, strict=True):
        if sample.label is None:
            raise LimnerError(f"{SEG_SCORE} needs label maps of the pictures: name data that have them")
        if (most := int(sample.label.max()) + 1) > number:
            raise LimnerError(
                f"{segmenter.model} tells {number} classes apart, and the label maps have {most}: "
                "name one that was trained on the same classes"
            )
        found = segmenter.segment(one[:, :3].expand(-1, 3, -1, -1).float()).labels
        counts += confusion(found, sample.label.numpy(), number)
    there = counts.sum(1) > 0
    return {
        "pixel_accuracy": float(np.diag(counts).sum() / counts.sum()),
        "class_accuracy": float((np.diag(counts)[there] / counts.sum(1)[there]).mean()),
        "class_iou": float(np.nanmean(overlap(counts).iou[there])),
    }


def _quality_table(rows: Sequence[Row]) -> Table:
    columns = (
        CASE, METHOD, figure("L1", "l1", ".4f"), figure("PSNR (dB)", "psnr", ".2f"), figure("SSIM", "ssim", ".4f"),
    )  # fmt: skip
    forms = {"l1": ".4g", "psnr": ".3f", "ssim": ".4f"}
    return Table(TRANSLATION_RGB, _DESCRIPTIONS[TRANSLATION_RGB], columns, tuple(rows), forms, "source", tuple(forms))


def _distance_table(rows: Sequence[Row]) -> Table:
    columns = (CASE, METHOD, figure("VGG distance", "vgg_distance", ".4f"))
    forms = {"vgg_distance": ".4f"}
    return Table(TRANSLATION_VGG, _DESCRIPTIONS[TRANSLATION_VGG], columns, tuple(rows), forms, "source", tuple(forms))


def _seg_table(rows: Sequence[Row], segmenter: Segmenter) -> Table:
    headings = ("accuracy of pixels", "of classes", "mean IoU")
    columns = (CASE, METHOD, *(figure(*pair, ".4f") for pair in zip(headings, _SCORES, strict=True)))
    note = f"What {segmenter.model} reads in the pictures, against the label maps that they were made from."
    forms = dict.fromkeys(_SCORES, ".4f")
    return Table(SEG_SCORE, note, columns, tuple(rows), forms, "real pictures", _SCORES)
