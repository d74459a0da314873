"""What a system that moves pixels is worth: eyes that look elsewhere, beside the eyes that truly do."""

import itertools
import math

import torch

from limner.catalog.models import load
from limner.data.gazes import GazePairs
from limner.measure.report import CASE, METHOD, Report, Row, Table, figure
from limner.tasks.redirect import REDIRECT

_TURNS = (0.0, 10.0, 20.0, 30.0, 60.0)
"""Bounds of the turns that are measured together, in degrees."""


@torch.inference_mode()
def redirection(model: str, pairs: GazePairs, *, device: str = "cpu") -> Report:
    """The squared error over the turn, of a model and of the eye as it was.

    Args:
        model: A name, or a weight file.
        pairs: Of people that it has not seen, not augmented.
        device: A torch device.
    """
    system = load(model, REDIRECT)[0].to(device)
    errors: dict[str, list[list[float]]] = {"system": [[] for _ in _TURNS], "copy": [[] for _ in _TURNS]}
    rng = torch.Generator().manual_seed(0)
    for eyes in pairs.people:
        drawn = [pairs.pair(first, second, rng) for first in eyes for second in eyes if first is not second]
        image, points, angle, target = (torch.stack(one).to(device) for one in zip(*drawn, strict=True))
        made = system(image, points, angle)
        places = [_bin(math.degrees(float(one.norm()))) for one in angle]
        for method, picture in (("system", made), ("copy", image)):
            for place, one in zip(places, (picture - target).square().mean((1, 2, 3)).tolist(), strict=True):
                errors[method][place].append(one)
    rows = [
        Row(f"{low:.0f} to {high:.0f} degrees", method, {"mse": 1e3 * sum(found[place]) / len(found[place])})
        for place, (low, high) in enumerate(itertools.pairwise(_TURNS))
        for method, found in errors.items()
        if found[place]
    ]
    columns = (CASE, METHOD, figure("MSE x 1000", "mse", ".3f"))
    table = Table(
        "redirection", f"{len(pairs.people)} unseen people.", columns, tuple(rows), {"mse": ".3f"}, "copy", ("mse",)
    )
    return Report.here("Eyes that look elsewhere", table)


def _bin(degrees: float) -> int:
    return next(place for place, high in enumerate(_TURNS[1:]) if degrees < high)
