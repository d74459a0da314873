"""What systems that move pixels are worth: eyes that look elsewhere, beside those that do; digits laid straight."""

import itertools
import math
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limner.catalog.models import load
from limner.data.distorted import DISTORTIONS, DistortedConfig, DistortedPictures
from limner.data.gazes import GazePairs
from limner.data.labelled import LabelledPictures
from limner.measure.report import CASE, METHOD, Report, Row, Table, figure
from limner.systems.feedforward.spatial_transformer import SpatialTransformer
from limner.tasks.redirect import REDIRECT
from limner.tasks.straighten import STRAIGHTEN

_TURNS = (0.0, 10.0, 20.0, 30.0, 60.0)
"""Bounds of the turns that are measured together, in degrees."""
_AT_ONCE = 500


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


@torch.inference_mode()
def wrong_share(system: nn.Module, pictures: DistortedPictures) -> float:
    """The share of pictures that a classifier which lays them straight takes for another class.

    Args:
        system: In evaluation mode.
        pictures: Distorted already.
    """
    device, wrong = next(system.parameters()).device, 0
    for images, labels in zip(pictures.images.split(_AT_ONCE), pictures.labels.split(_AT_ONCE), strict=True):
        scores = system((images / 255).expand(-1, 3, -1, -1).to(device)).scores
        wrong += int((scores.argmax(1).cpu() != labels).sum())
    return wrong / len(pictures)


def straightening(model: str, pictures: LabelledPictures, *, device: str = "cpu") -> Report:
    """The share of distorted pictures that a model takes for another class, by distortion, and of those left straight.

    Args:
        model: A name, or a weight file.
        pictures: That it has not seen, light on black, as large as what it learnt from was before it was distorted.
        device: A torch device.
    """
    system = cast(SpatialTransformer, load(model, STRAIGHTEN)[0].to(device))
    config = DistortedConfig(canvas=system.config.side, copies=1)
    cases = {name: config.model_copy(update={"distortion": name}).distorted(pictures) for name in DISTORTIONS}
    straight = DistortedPictures(_on_canvas(pictures.images, system.config.side), pictures.labels)
    rows = [
        Row(name, "system", {"wrong": 100 * wrong_share(system, shown)})
        for name, shown in {"as they are": straight, **cases}.items()
    ]
    columns = (CASE, METHOD, figure("wrong (%)", "wrong", ".2f"))
    table = Table("distorted", f"{len(pictures)} pictures.", columns, tuple(rows), {"wrong": ".2f"})
    return Report.here("Distorted pictures", table)


def _on_canvas(images: Tensor, side: int) -> Tensor:
    """In the middle of a black square."""
    left = (side - images.shape[-1]) // 2
    right = side - images.shape[-1] - left
    return F.pad(images, [left, right, left, right])
