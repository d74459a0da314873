"""What systems that move pixels are worth: eyes that look elsewhere, beside those that do; digits laid straight."""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limner.catalog.models import load
from limner.data.distorted import DISTORTIONS, DistortedConfig, DistortedPictures
from limner.data.gazes import GazePairs
from limner.data.labelled import LabelledPictures
from limner.measure.report import CASE, METHOD, Report, Row, Table, figure
from limner.media.names import model_name
from limner.systems.feedforward.spatial_transformer import SpatialTransformer
from limner.tasks.redirect import REDIRECT
from limner.tasks.straighten import STRAIGHTEN

_TURNS = (0.0, 10.0, 20.0, 30.0, 60.0)
"""Bounds of the turns that are measured together, in degrees."""
_AT_ONCE = 500


class Turned(NamedTuple):
    """What was made of an eye that was to look elsewhere.

    Attributes:
        yaw: To the right of the picture, in degrees.
        pitch: Upwards, in degrees.
        errors: Squared, the mean over pixels and colours, by method; "copy" is the eye as it was.
    """

    yaw: float
    pitch: float
    errors: Mapping[str, float]


@torch.inference_mode()
def turned(systems: Mapping[str, nn.Module], pairs: GazePairs, *, device: str = "cpu") -> Iterator[Turned]:
    """All pairs of two gazes of each person.

    Args:
        systems: That redirect, by name; on the device, in evaluation mode.
        pairs: Of people that they have not seen, not augmented.
        device: A torch device.
    """
    rng = torch.Generator().manual_seed(0)
    for eyes in pairs.people:
        drawn = [pairs.pair(first, second, rng) for first in eyes for second in eyes if first is not second]
        image, points, angle, target = (torch.stack(one).to(device) for one in zip(*drawn, strict=True))
        made = {name: system(image, points, angle) for name, system in systems.items()} | {"copy": image}
        errors = {name: (one - target).square().mean((1, 2, 3)).tolist() for name, one in made.items()}
        for place, (yaw, pitch) in enumerate(angle.rad2deg().tolist()):
            yield Turned(yaw, pitch, {name: found[place] for name, found in errors.items()})


def redirection(models: Sequence[str], pairs: GazePairs, *, device: str = "cpu") -> Report:
    """The squared error over the turn, of models and of the eye as it was.

    Args:
        models: Names, or weight files.
        pairs: Of people that they have not seen, not augmented.
        device: A torch device.
    """
    systems = {model_name(one): load(one, REDIRECT)[0].to(device) for one in models}
    errors: dict[str, list[list[float]]] = {name: [[] for _ in _TURNS] for name in (*systems, "copy")}
    for one in turned(systems, pairs, device=device):
        for method, error in one.errors.items():
            errors[method][_bin(math.hypot(one.yaw, one.pitch))].append(error)
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
    return next((place for place, high in enumerate(_TURNS[1:]) if degrees < high), len(_TURNS) - 2)


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


def straightening(models: Sequence[str], pictures: LabelledPictures, *, device: str = "cpu") -> Report:
    """The share of distorted pictures that models take for another class, by distortion, and of those left straight.

    Args:
        models: Names, or weight files.
        pictures: That they have not seen, light on black, as large as what they learnt from was before it was
            distorted.
        device: A torch device.
    """
    rows = []
    for name in models:
        system = cast(SpatialTransformer, load(name, STRAIGHTEN)[0].to(device))
        side = system.config.side
        config = DistortedConfig(canvas=side, copies=1)
        cases = {"none": DistortedPictures(_on_canvas(pictures.images, side), pictures.labels)}
        cases |= {one: config.model_copy(update={"distortion": one}).distorted(pictures) for one in DISTORTIONS}
        rows += [
            Row(one, model_name(name), {"wrong": 100 * wrong_share(system, shown)}) for one, shown in cases.items()
        ]
    columns = (CASE, METHOD, figure("wrong (%)", "wrong", ".2f"))
    table = Table("distorted", f"{len(pictures)} pictures.", columns, tuple(rows), {"wrong": ".2f"})
    return Report.here("Distorted pictures", table)


def _on_canvas(images: Tensor, side: int) -> Tensor:
    """In the middle of a black square."""
    left = (side - images.shape[-1]) // 2
    right = side - images.shape[-1] - left
    return F.pad(images, [left, right, left, right])
