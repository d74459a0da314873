"""What two systems that translate there and back are worth: on pictures whose counterparts are known, and on cycles."""

import statistics
from collections.abc import Sequence

import torch
from torch import nn

from limner.catalog.models import load
from limner.data.pairs import Pair
from limner.errors import LimnerError
from limner.features.vgg16 import VGG
from limner.measure.report import CASE, METHOD, Report, Row, Table, figure
from limner.metrics.cycle import Translate, cycle_errors, likeness
from limner.metrics.vgg_distance import LAYERS, vgg_distance
from limner.ops.resample import imresize
from limner.runtime.probes import ports_of
from limner.tasks.translate import TRANSLATE, TwoWay
from limner.types import Image
from limner.verbs.translate.translator import translated

_FORMS = {"l1": ".4f", "psnr": ".2f", "vgg": ".4f"}
_COUNTERPARTS = (
    CASE, METHOD, figure("L1", "l1", ".4f"), figure("PSNR (dB)", "psnr", ".2f"), figure("VGG", "vgg", ".4f")
)  # fmt: skip
_CYCLE_FORMS = {"plain": ".4f", "rounded": ".4f", "blurred": ".4f", "blur": ".4f", "likeness": ".3f"}
_CYCLES = (
    CASE, figure("cycle L1", "plain", ".4f"), figure("by way of 8 bits", "rounded", ".4f"),
    figure("and a light blur", "blurred", ".4f"), figure("of the blur alone", "blur", ".4f"),
    figure("likeness of light and dark", "likeness", ".3f"),
)  # fmt: skip


def cycle_report(model: str, pairs: Sequence[Pair], *, side: int) -> Report:
    """Distances to true counterparts beside those of the picture as it is, and what comes back.

    Args:
        model: A weight file.
        pairs: Whole pictures (3, h, w) of A and B that show the same; the model has seen neither.
        side: That they are resized to, in pixels.

    Raises:
        LimnerError: If the model does not translate both ways.
    """
    system = load(model, TRANSLATE)[0]
    if not isinstance(system, TwoWay) or len(system.directions) < 2:
        raise LimnerError(f"{model} translates one way alone: name one that translates both ways")
    a, b = (
        torch.cat([imresize(one[None], size=(side, side)).clamp(0, 1) for one in kind])
        for kind in zip(*pairs, strict=True)
    )
    there, back = (_on(system.directions[name]) for name in ("AB", "BA"))
    first, second = system.domains
    rows = [_rows(f"{first} to {second}", a, b, there, back), _rows(f"{second} to {first}", b, a, back, there)]
    return Report.here(
        "Translation without pairs",
        Table(
            "true counterparts", f"{len(pairs)} held-out pairs at {side}; less L1 and VGG distance is nearer.",
            _COUNTERPARTS, tuple(row for both, _ in rows for row in both), _FORMS, "source", tuple(_FORMS),
        ),
        Table(
            "cycles", "What comes back: L1. What a translation hides does not outlive 8 bits and a light blur.",
            _CYCLES, tuple(row for _, row in rows), _CYCLE_FORMS,
        ),
    )  # fmt: skip


def _rows(case: str, source: Image, target: Image, there: Translate, back: Translate) -> tuple[list[Row], Row]:
    """Of one direction: what the source and what the system has of the target, and what comes back."""
    made = there(source)
    known = [Row(case, "source", _distances(source, target)), Row(case, "system", _distances(made, target))]
    errors = cycle_errors(there, back, source)
    return known, Row(case, "system", errors._asdict() | {"likeness": likeness(made, source)})


def _on(generator: nn.Module) -> Translate:
    ports = ports_of(generator).inputs
    return lambda image: torch.cat([translated(generator, ports, one[None]) for one in image])


def _distances(made: Image, target: Image) -> dict[str, float]:
    apart = made - target
    vgg = VGG(LAYERS)
    with torch.inference_mode():
        seen = [vgg_distance(vgg(one[None]), vgg(other[None])).item() for one, other in zip(made, target, strict=True)]
    squares = apart.square().mean((1, 2, 3)).clamp(min=1e-10)
    return {
        "l1": float(apart.abs().mean()),
        "psnr": float(-10 * torch.log10(squares).mean()),
        "vgg": statistics.fmean(seen),
    }
