"""A spatial transformer at work: digits that turn, grow and wander above, and below what the network makes of each.

`python -m limner.experiments.straightened_digits --digits digits.png` (Jaderberg et al. 2015, the films beside the
paper).
"""

import math
from pathlib import Path
from typing import Annotated, cast

import torch
import typer
from jaxtyping import Float
from torch import Tensor

from limner.catalog.models import load
from limner.data.labelled import LabelledConfig
from limner.experiments.command import begin, run_program
from limner.experiments.options import Threads
from limner.files.animation import write_animation
from limner.ops.grids import affine_places, sampled
from limner.ops.resample import imresize
from limner.systems.feedforward.spatial_transformer import SpatialTransformer
from limner.tasks.straighten import STRAIGHTEN
from limner.verbs.straighten import MODEL

_TURN, _GROW, _WANDER = 45.0, 0.25, 6.0  # degrees, share and pixels that a digit moves by either way
_ENLARGED, _GAP = 2, 2

_Digits = Annotated[Path, typer.Option(metavar="FILE", help="A sheet of digits of 20x20 pixels, 500 of each class.")]
_Output = Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="A .gif or an .mp4; replaced if there.")]
_Model = Annotated[str, typer.Option(metavar="NAME|FILE", help="Another network.")]
_Frames = Annotated[int, typer.Option(min=2, metavar="N", help="Pictures of the animation.")]


def moved(digits: Float[Tensor, "n 1 h w"], share: float, canvas: int) -> Float[Tensor, "n 1 s s"]:
    """Each digit at a moment of its round, from 0 to 1, in which it begins elsewhere than the others."""
    side, found = digits.shape[-1], []
    for number, digit in enumerate(digits):
        phase = 2 * math.pi * (share + number / len(digits))
        angle, scale = math.radians(_TURN) * math.sin(phase), 0.95 + _GROW * math.sin(2 * phase)
        turn = torch.tensor([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]) / scale
        middle = (canvas - 1) / 2 + _WANDER * torch.tensor([math.cos(phase), math.sin(phase)])
        theta = torch.cat([turn, ((side - 1) / 2 - turn @ middle)[:, None]], 1)
        found.append(sampled(digit[None], affine_places(theta[None], (canvas, canvas)), "zeros"))
    return torch.cat(found)


@torch.inference_mode()
def frame(system: SpatialTransformer, shown: Float[Tensor, "n 1 s s"]) -> Float[Tensor, "1 3 h w"]:
    """The digits in a row, and below them each straightened."""
    image = shown.expand(-1, 3, -1, -1)
    rows = [torch.nn.functional.pad(one, [0, _GAP, 0, _GAP], value=0.4) for one in (image, system(image).image)]
    sheet = torch.cat([torch.cat(list(row), -1) for row in rows], -2)[None]
    return imresize(sheet, float(_ENLARGED)).clamp(0, 1)


def main(
    digits: _Digits, output: _Output = Path("straightened.gif"), model: _Model = MODEL, frames: _Frames = 36,
    threads: Threads = None,
) -> None:  # fmt: skip
    """Write the animation."""
    begin(threads)
    system = cast(SpatialTransformer, load(model, STRAIGHTEN)[0])
    pictures = LabelledConfig(tile=20, colours="gray").load(digits)
    each = len(pictures) // 10
    some = pictures.images[torch.arange(10) * each + each // 3] / 255
    made = [frame(system, moved(some, number / frames, system.config.side))[0] for number in range(frames)]
    write_animation(output, [(255 * one).byte().permute(1, 2, 0).numpy() for one in made], overwrite=True)
    print(output)  # noqa: T201


if __name__ == "__main__":
    run_program(main)
