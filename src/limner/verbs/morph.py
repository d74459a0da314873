"""`morph`: what lies between two photos, whose pixels move along the optical flow from the one to the other."""

from collections.abc import Callable, Iterator
from os import PathLike
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from limner.arguments import check_path, check_whole
from limner.errors import LimnerError
from limner.features.optical_flow import both_ways
from limner.files.animation import is_animation_path, write_animation
from limner.files.atomic import check_place
from limner.media.any_picture import AnyPicture, open_picture
from limner.ops.flows import Trust, disoccluded, filled, inverse, round_trip
from limner.ops.framing import with_longer_side
from limner.ops.resample import imresize
from limner.ops.warp import Flow, warp
from limner.types import Image

FRAMES, SIZE, RATE = 16, 640, 12
"""What is usual: pictures on the way, pixels of the longer side, pictures a second."""

_STEPS = 6  # of each inverse, which begins with that of the picture before
_APART = 1.0  # pixels that a pixel may be off after a round trip
_UNSEEN = 0.05  # weight of what the other photo does not show, so that its flow is guessed from around
_LEAST = 1e-3  # weight of what has come from nowhere
_ALIKE = 0.4  # share of the pixels that must be found again, or flow means nothing: by chance 0.2 are


def morph(
    first: AnyPicture,
    second: AnyPicture,
    *,
    frames: int = FRAMES,
    size: int | None = SIZE,
    rate: int = RATE,
    output: str | PathLike[str] | None = None,
    overwrite: bool = False,
    on_note: Callable[[str], None] = lambda note: None,
) -> Float[Tensor, "n 3 h w"]:
    """Pictures on the way from one photo to another, both included, in [0, 1].

    Each pixel moves along the optical flow; what is hidden in one photo comes from the other. Photos that show
    different things dissolve into each other.

    Args:
        first: As for `open_picture`.
        second: The same; its middle is cut to the sides of the first.
        frames: How many pictures.
        size: Of the longer side, in pixels, where the first photo is larger; None keeps it.
        rate: Pictures a second, of a file.
        output: A .gif or an .mp4 that they are written to.
        overwrite: Replace an existing output.
        on_note: Called where the photos are too unlike to move.

    Raises:
        LimnerError: If a photo cannot be read, OpenCV is not installed, or the output cannot be written.

    Example:
        >>> limner.morph("left.jpg", "right.jpg", output="between.gif").shape  # doctest: +SKIP
        torch.Size([16, 3, 480, 640])
    """
    check_whole("frames", frames, 2, "both photos are among them")
    check_whole("size", size, 16, "or leave it out")
    check_whole("rate", rate, 1, "it is pictures a second")
    if output is not None:
        check_path("output", output)
        check_animation(Path(output))
        check_place(Path(output), overwrite=overwrite)
    one = with_longer_side(open_picture(first).image[:1], size, enlarge=False)
    other = fitting(open_picture(second).image[:1], (one.shape[-2], one.shape[-1]))
    made = torch.cat(list(between(one, other, frames, on_note)))
    if output is not None:
        write_animation(output, frames_of(made), rate=rate, overwrite=overwrite)
    return made


def check_animation(target: Path) -> None:
    """Refuse a name that no animation has, before the work.

    Raises:
        LimnerError: If it says another format.
    """
    if not is_animation_path(target):
        raise LimnerError(f"{target}: an animation is a .gif or an .mp4: name it so")


def frames_of(made: Float[Tensor, "n 3 h w"]) -> list[np.ndarray]:
    """As `write_animation` takes them."""
    return list((255 * made).round().to(torch.uint8).permute(0, 2, 3, 1).numpy())


def fitting(image: Image, size: tuple[int, int]) -> Float[Tensor, "1 3 H W"]:
    """The largest middle of a picture that has the proportions of a height and width, resized to them."""
    height, width = size
    scale = min(image.shape[-2] / height, image.shape[-1] / width)
    rows, columns = (max(1, round(scale * side)) for side in size)
    top, left = (image.shape[-2] - rows) // 2, (image.shape[-1] - columns) // 2
    part = image[..., top : top + rows, left : left + columns]
    return part if (rows, columns) == size else imresize(part, size=size).clamp(0, 1)


class _Way(NamedTuple):
    """From one photo to the other.

    Attributes:
        image: (1, 3, h, w).
        flow: To the other, with holes filled.
        seen: Which of its pixels the other shows too.
    """

    image: Image
    flow: Flow
    seen: Trust


def between(
    first: Image, second: Image, frames: int, on_note: Callable[[str], None] = lambda note: None
) -> Iterator[Image]:
    """The pictures of `morph`, one after the other, of photos of one size.

    Raises:
        LimnerError: If OpenCV is not installed, or they are too small.
    """
    there, back = both_ways(first, second)
    seen = [(~disoccluded(one, other)).float() for one, other in ((back, there), (there, back))]
    share = float(torch.cat(seen).mean())
    if share < _ALIKE:
        on_note(f"only {share:.0%} of the photos is alike: they dissolve into each other, and nothing moves")
        there, back = torch.zeros_like(there), torch.zeros_like(back)
        seen = [torch.ones_like(one) for one in seen]  # what is alike by chance would stand out
    ways = (_Way(first, filled(there, seen[0]), seen[0]), _Way(second, filled(back, seen[1]), seen[1]))
    last = [-0 * ways[0].flow, -ways[1].flow]
    for number in range(frames):
        step = number / (frames - 1)
        shown, weights = [], []
        for place, (way, share) in enumerate(zip(ways, (step, 1 - step), strict=True)):
            last[place] = inverse(share * way.flow, steps=_STEPS, start=last[place])
            image, sure = _moved(way, share, last[place])
            shown.append(image)
            weights.append((1 - share) * (sure + _LEAST))
        yield (weights[0] * shown[0] + weights[1] * shown[1]) / (weights[0] + weights[1])


def _moved(way: _Way, share: float, back: Flow) -> tuple[Image, Trust]:
    """A photo on its way, and how sure each pixel is: it has come from one place, and the other photo shows it too."""
    image, inside = warp(way.image, back)
    has_come = inside & (round_trip(share * way.flow, back) < _APART)
    return image, has_come * (_UNSEEN + (1 - _UNSEEN) * warp(way.seen, back).image)
