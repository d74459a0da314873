"""`generate`: new pictures from chance, by a trained generator."""

import math
from collections.abc import Sequence
from os import PathLike

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from limner.arguments import check_seed, check_whole
from limner.catalog.models import load
from limner.errors import LimnerError
from limner.files.image import Picture, from_tensor, write_image
from limner.media.any_picture import check_sheet
from limner.ports import Port, Ported
from limner.runtime.device import choose_device
from limner.tasks.draw_inputs import with_drawn
from limner.tasks.generate import GENERATE


def generate(
    model: str | PathLike[str],
    classes: int | Sequence[int] | None = None,
    *,
    count: int = 16,
    seed: int = 0,
    output: str | PathLike[str] | None = None,
    device: str = "auto",
    quality: int | None = None,
    overwrite: bool = False,
) -> Float[Tensor, "n c h w"]:
    """New pictures, in [0, 1]; picture k is made by the seed `seed + k`, however many there are.

    Args:
        model: The name of an embedded model, a path to a weight file, or the folder of a run.
        classes: The class of all pictures, or several that come in turn; None takes all that the model knows.
        count: Of pictures.
        seed: Of their latents.
        output: Where to write a sheet of all, too.
        device: `auto`, `cpu`, `cuda` or `mps`.
        quality: Of JPEG, WebP and AVIF, 1 to 100; None takes the usual.
        overwrite: Replace an existing output.

    Raises:
        LimnerError: If there is no such model, it makes no pictures, it knows no such class, or the output is there.

    Example:
        >>> limner.generate("runs/conditional-gan", 3, count=25, output="threes.png").shape  # doctest: +SKIP
        torch.Size([25, 1, 28, 28])
    """
    check_sheet(output, quality=quality, overwrite=overwrite)
    check_whole("count", count, 1, "give how many pictures")
    check_seed(seed)
    system, _ = load(model, GENERATE)
    chosen = choose_device(device)
    assert isinstance(system, Ported)
    ports = system.inputs
    wanted = _classes(model, ports, classes, count)
    system.to(chosen)
    made = []
    with torch.inference_mode():
        for number in range(count):
            labels = [] if wanted is None else [wanted[number : number + 1]]
            rng = torch.Generator().manual_seed(seed + number)
            inputs = with_drawn(ports, labels, number=1, rng=rng)
            made.append(system(*(one.to(chosen) for one in inputs)).float().cpu())
    pictures = torch.cat(made).clamp(0, 1)
    if output is not None:
        write_image(output, sheet_of(pictures), quality=quality, overwrite=overwrite)
    return pictures


def sheet_of(made: Float[Tensor, "n c h w"]) -> Picture:
    """Pictures in rows, as many as there are columns or fewer."""
    columns = math.ceil(math.sqrt(len(made)))
    blank = made.new_zeros(-len(made) % columns, *made.shape[1:])
    rows = [torch.cat(list(row), dim=-1) for row in torch.cat([made, blank]).split(columns)]
    sheet = torch.cat(rows, dim=-2).expand(3, -1, -1)[None]
    return from_tensor(sheet, like=Picture(np.zeros((1, 1, made.shape[1]), np.uint8)))


def _classes(
    model: str | PathLike[str], ports: Sequence[Port], asked: int | Sequence[int] | None, count: int
) -> Tensor | None:
    """The class of each picture; None where the model knows none."""
    known = next((port.channels for port in ports if port.kind == "class"), None)
    if known is None:
        if asked is not None:
            raise LimnerError(f"{model} knows no classes: ask for none")
        return None
    several = list(range(known)) if asked is None else [asked] if isinstance(asked, int) else list(asked)
    for one in several:
        check_whole("a class", one, 0, f"name one from 0 to {known - 1}", known - 1)
    return torch.tensor([several[number % len(several)] for number in range(count)])
