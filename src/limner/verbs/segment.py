"""`segment`: what each pixel of a picture belongs to, by a trained system."""

from collections.abc import Iterator
from typing import cast

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from limner.catalog.models import load, tasks_of
from limner.errors import LimnerError
from limner.ports import Ported, least_of, multiple_of
from limner.tasks.segment import SEGMENT
from limner.types import Forward


def segmenter(model: str) -> nn.Module:
    """A trained system that segments.

    Raises:
        LimnerError: If there is none of that name, or it does something else.
    """
    system, header = load(model)
    if SEGMENT not in tasks_of(header):
        raise LimnerError(f"{model} is a {header.system}, which does not segment: see `limner models`")
    return system


@torch.inference_mode()
def probabilities(
    system: nn.Module, image: Float[Tensor, "n c h w"], *, forward: Forward | None = None, views: bool = False
) -> Float[Tensor, "n k h w"]:
    """The probability of each class, pixel by pixel.

    Args:
        system: That segments.
        image: In [0, 1], of any size; it is mirrored at its borders where the system needs larger sides.
        forward: Stands for the system, for instance in parts.
        views: Take the mean over the picture in its eight positions, turned and mirrored, which is slower and better.
    """
    run, ports = forward or cast(Forward, system), cast(Ported, system).inputs
    seen = [
        _probabilities(run, one, multiple_of(ports), least_of(ports)) for one in (_views(image) if views else [image])
    ]
    return torch.stack([_back(one, number) for number, one in enumerate(seen)]).mean(0)


def _probabilities(run: Forward, image: Tensor, multiple: int, least: int) -> Tensor:
    height, width = image.shape[-2:]
    down, across = (-(-max(side, least) // multiple) * multiple - side for side in (height, width))
    logits = run(_extended(image, down, across))
    return logits[..., :height, :width].float().softmax(1).cpu()


def _extended(image: Tensor, down: int, across: int) -> Tensor:
    """Mirrored at the lower and right border, as often as it takes."""
    while down or across:
        more_down, more_across = min(down, image.shape[-2] - 1), min(across, image.shape[-1] - 1)
        if not more_down and not more_across:  # of one pixel
            return F.pad(image, (0, across, 0, down), mode="replicate")
        image = F.pad(image, (0, more_across, 0, more_down), mode="reflect")
        down, across = down - more_down, across - more_across
    return image


def _views(image: Tensor) -> Iterator[Tensor]:
    for number in range(8):
        turned = image.rot90(number % 4, (2, 3))
        yield turned.flip(3) if number >= 4 else turned


def _back(view: Tensor, number: int) -> Tensor:
    view = view.flip(3) if number >= 4 else view
    return view.rot90(-(number % 4), (2, 3))
