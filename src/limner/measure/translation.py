"""What a system that translates is worth: how far its pictures are from held-out ones."""

import statistics
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from limner.data.pairs import Pair
from limner.measure.report import CASE, METHOD, Report, Row, Table, figure
from limner.ops.resample import imresize
from limner.verbs.translate import translated

_FORMS = {"l1": ".4g", "psnr": ".3f"}


def translation_report(system: nn.Module, pairs: Sequence[Pair], *, side: int, seed: int = 0) -> Report:
    """L1 (in [0, 1]) and PSNR (decibels) beside those of the source as it is.

    Args:
        system: That translates.
        pairs: Whole ones (3, h, w), which it has not seen.
        side: That they are resized to, in pixels.
        seed: Of its noise.
    """
    sized = [Pair(*(imresize(one[None], size=(side, side)).clamp(0, 1) for one in pair)) for pair in pairs]
    case = f"{len(pairs)} pairs at {side}"
    rows = (
        Row(case, "source", _means(sized, lambda source: source)),
        Row(case, "system", _means(sized, lambda source: translated(system, source, seed))),
    )
    columns = (CASE, METHOD, figure("L1", "l1", ".4f"), figure("PSNR (dB)", "psnr", ".2f"))
    table = Table("held-out pairs", "Means; less L1 is nearer.", columns, rows, _FORMS, "source", tuple(_FORMS))
    return Report.here("Translation of held-out pictures", table)


def _means(pairs: Sequence[Pair], run: Callable[[Tensor], Tensor]) -> dict[str, float]:
    differences = [run(pair.source) - pair.target for pair in pairs]
    return {
        "l1": statistics.fmean(one.abs().mean().item() for one in differences),
        "psnr": statistics.fmean(-10 * torch.log10(one.square().mean()).item() for one in differences),
    }
