"""What lies between two views of one photo: moved along the optical flow, and below dissolved as plain fading does.

`python -m limner.experiments.morphs --output morphs.jpg` makes the second view from the first by a projective warp, as
if the camera had stepped aside.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import torch
import typer

from limner.experiments.command import begin, finish, opened, run_program
from limner.experiments.options import PHOTO, Output, Photo, Size, Threads
from limner.media.contact_sheet import Panel
from limner.ops.grids import projective, sampled
from limner.types import Image
from limner.verbs.morph import between

ASIDE = torch.tensor([[[0.80, 0.10, 0.08], [-0.06, 0.80, 0.05], [0.12, 0.0, 1.0]]])
"""Where the second view sees each place of the first, both from -1 to 1: nearer, turned and from the side."""
STRAIGHT = torch.tensor([[[0.86, 0.0, 0.0], [0.0, 0.86, 0.0], [0.0, 0.0, 1.0]]])
"""Of the first view: as near, so that both lie within the photo."""

_Frames = Annotated[int, typer.Option(min=3, metavar="N", help="Of a row, with both views.")]


def seen_from(photo: Image, theta: torch.Tensor) -> Image:
    """The photo as a plane, seen from elsewhere; theta as for `projective`."""
    size = (photo.shape[-2], photo.shape[-1])
    return sampled(photo, projective(theta, size, size))


def rows(first: Image, second: Image, frames: int) -> Iterator[Panel]:
    """Moved above, dissolved below."""
    shares = [number / (frames - 1) for number in range(frames)]
    for share, image in zip(shares, between(first, second, frames), strict=True):
        yield Panel(f"moved {share:.0%}", image)
    for share in shares:
        yield Panel(f"dissolved {share:.0%}", (1 - share) * first + share * second)


def main(
    output: Output = Path("morphs.jpg"),
    photo: Photo = PHOTO,
    size: Size = 384,
    frames: _Frames = 5,
    threads: Threads = None,
) -> None:
    """Write the sheet."""
    begin(threads)
    whole = opened(photo, size)
    finish(output, list(rows(seen_from(whole, STRAIGHT), seen_from(whole, ASIDE), frames)), frames)


if __name__ == "__main__":
    run_program(main)
