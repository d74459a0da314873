"""Objects that a system knows by name, seen from somewhere: mixed, transformed, and on the way from one to another."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor, nn

from limner.arguments import check_finite, check_whole, shown
from limner.data.rendered import TRANSFORMS
from limner.errors import LimnerError, did_you_mean
from limner.tasks.generate import Viewed

View: TypeAlias = tuple[float, float]
"""Elevation and azimuth, in degrees."""

USUAL_VIEW: View = (20.0, 325.0)

_TERM = re.compile(r"\s*([+-]?)\s*(?:(\d+(?:\.\d*)?|\.\d+)\s*\*\s*)?(\w+)\s*")
_DEGREES = frozenset({"turn", "hue"})
_FACTORS = frozenset({"zoom", "stretch", "saturation", "brightness"})


def parse_mixture(text: str | int, names: Sequence[str]) -> Float[Tensor, " k"]:
    """Shares of objects: `sofa`, the number of one, or a sum such as `sofa + 0.5*stool - chair`.

    >>> parse_mixture("b - 0.5*a", ["a", "b", "c"])
    tensor([-0.5000,  1.0000,  0.0000])

    Raises:
        LimnerError: If it names no object that is known.
    """
    shares, place, text = torch.zeros(len(names)), 0, str(text)
    while place < len(text):
        match = _TERM.match(text, place)
        if match is None or (place and not match[1]):
            raise LimnerError(f"an object is a name or a sum such as '{names[0]} + 0.5*{names[-1]}', got {text!r}")
        shares[_number(match[3], names)] += float(match[2] or 1) * (-1 if match[1] == "-" else 1)
        place = match.end()
    if not text:
        raise LimnerError(f"an object must have a name, got none: name one, such as {names[0]}")
    return shares


def _number(word: str, names: Sequence[str]) -> int:
    if word in names:
        return names.index(word)
    if word.isdecimal() and int(word) < len(names):
        return int(word)
    few = ", ".join(names[:5]) + (f", ... ({len(names)} in all)" if len(names) > 5 else "")
    raise LimnerError(f"the model knows {few}, got {word!r}: {did_you_mean(word, names)}")


def parse_view(text: str) -> View:
    """Elevation and azimuth of `30,120`, in degrees.

    Raises:
        LimnerError: If these are no two numbers.
    """
    try:
        elevation, azimuth = (float(one) for one in text.split(","))
    except ValueError:
        raise LimnerError(f"a view is elevation,azimuth in degrees, such as 30,120, got {text!r}") from None
    return elevation, azimuth


def parse_transform(texts: Sequence[str]) -> dict[str, float]:
    """Values by name, of `zoom=1.2` and the like.

    Raises:
        LimnerError: If there is no such name, or a value is no number.
    """
    pairs = [text.partition("=") for text in texts]
    try:
        return {name.strip(): float(value) for name, _, value in pairs}
    except ValueError:
        raise LimnerError(f"a transform is NAME=NUMBER, such as zoom=1.2, got {', '.join(texts)!r}") from None


def transform_of(values: Mapping[str, float]) -> Float[Tensor, " t"]:
    """What a system is given: angles in degrees and factors become radians and logarithms.

    Raises:
        LimnerError: If there is no such name, or a value does not fit.
    """
    found = torch.zeros(len(TRANSFORMS))
    for name, value in values.items():
        if name not in TRANSFORMS:
            mend = did_you_mean(name, TRANSFORMS)
            raise LimnerError(f"a transform is one of {', '.join(TRANSFORMS)}, got {name!r}: {mend}")
        check_finite(name, value, "give a number")
        if name in _FACTORS and value <= 0:
            raise LimnerError(f"{name} is a factor above 0, got {value:g}: 1 changes nothing")
        own = math.radians(value) if name in _DEGREES else math.log(value) if name in _FACTORS else value
        found[TRANSFORMS.index(name)] = own
    return found


def path_of(points: Sequence[Tensor], number: int) -> list[Tensor]:
    """So many points on the straight ways from each to the next, with both ends.

    >>> path_of([torch.tensor(0.0), torch.tensor(1.0), torch.tensor(5.0)], 5)
    [tensor(0.), tensor(0.5000), tensor(1.), tensor(3.), tensor(5.)]
    """
    if len(points) == 1:
        return [points[0]] * number
    places = [step * (len(points) - 1) / max(number - 1, 1) for step in range(number)]
    before = [min(int(place), len(points) - 2) for place in places]
    return [torch.lerp(points[one], points[one + 1], place - one) for one, place in zip(before, places, strict=True)]


def _unwound(views: Sequence[View]) -> Iterator[Tensor]:
    """In radians, each azimuth the nearest to the one before: from 350 to 10 degrees it goes on by 20."""
    last = views[0][1]
    for elevation, azimuth in views:
        last += (azimuth - last + 180) % 360 - 180
        yield torch.tensor([math.radians(elevation), math.radians(last)])


@torch.inference_mode()
def views_of(
    system: nn.Module,
    objects: Sequence[str | int] | None = None,
    views: Sequence[View] = (USUAL_VIEW,),
    *,
    transform: Mapping[str, float] | None = None,
    frames: int | None = None,
    count: int = 16,
) -> Float[Tensor, "n 4 h w"]:
    """Pictures with opacity: each object from each view, or `frames` of them on the way from the first to the last.

    Args:
        system: That is `Viewed`.
        objects: As `parse_mixture` reads them; None takes the first `count` that it knows.
        views: In degrees.
        transform: By the names of `TRANSFORMS`: angles in degrees, factors, shares of the side.
        frames: How many on the way; objects and views change at the same time, azimuths the shorter way round.
        count: Of objects, where none are named.

    Raises:
        LimnerError: If something does not fit.
    """
    assert isinstance(system, Viewed)
    check_whole("frames", frames, 2, "give how many pictures the way has, with both ends")
    if (objects is not None and not objects) or not views:
        raise LimnerError("there must be an object and a view, got none: leave them out for all")
    named = list(system.names[:count]) if objects is None else list(objects)
    shares = [parse_mixture(one, system.names) for one in named]
    for view in views:
        if len(view) != 2:
            raise LimnerError(f"a view is elevation and azimuth in degrees, got {shown(view)}: give both")
        for angle in view:
            check_finite("elevation and azimuth", angle, "give degrees, such as 30,120")
    angles = list(_unwound(views))
    if frames is None:
        pairs = list(product(shares, angles))
    else:
        pairs = list(zip(path_of(shares, frames), path_of(angles, frames), strict=True))
    device = next(system.parameters()).device
    changed = transform_of(transform or {}).to(device)[None]
    made = [system(share[None].to(device), angle[None].to(device), changed).float().cpu() for share, angle in pairs]
    return torch.cat(made)
