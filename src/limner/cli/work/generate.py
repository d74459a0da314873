"""The work of `limner generate`."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from limner.errors import LimnerError
from limner.files.image import Picture, from_tensor, write_image
from limner.verbs.generate import generate


def run(
    model: str, classes: Sequence[int] | None, *, count: int, seed: int, output: Path, device: str, force: bool
) -> None:
    """Make the pictures and write the sheet.

    Raises:
        LimnerError: If the output is there already, or the model does not fit.
    """
    if output.exists() and not force:
        raise LimnerError(f"{output}: is already there: pass --force to replace it, or name another --output")
    made = generate(model, classes or None, count=count, seed=seed, device=device)
    columns = math.ceil(math.sqrt(count))
    blank = made.new_zeros(-count % columns, *made.shape[1:])
    rows = [torch.cat(list(row), dim=-1) for row in torch.cat([made, blank]).split(columns)]
    sheet = torch.cat(rows, dim=-2).expand(3, -1, -1)[None]
    kind = Picture(np.zeros((1, 1, made.shape[1]), np.uint8))
    write_image(output, from_tensor(sheet, like=kind), overwrite=force)
    print(f"{output}  {sheet.shape[-1]}x{sheet.shape[-2]}, {count} pictures")
