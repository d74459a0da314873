"""The work of `limner generate`."""

import math

import numpy as np
import torch

from limner.cli.commands.generate import Options
from limner.errors import LimnerError
from limner.files.image import Picture, from_tensor, write_image
from limner.verbs.generate import generate


def run(options: Options) -> None:
    """Make the pictures and write the sheet.

    Raises:
        LimnerError: If the output is there already, or the model does not fit.
    """
    output, count = options.output, options.count
    if output.exists() and not options.force:
        raise LimnerError(f"{output}: is already there: pass --force to replace it, or name another --output")
    made = generate(options.model, options.classes or None, count=count, seed=options.seed, device=options.device)
    columns = math.ceil(math.sqrt(count))
    blank = made.new_zeros(-count % columns, *made.shape[1:])
    rows = [torch.cat(list(row), dim=-1) for row in torch.cat([made, blank]).split(columns)]
    sheet = torch.cat(rows, dim=-2).expand(3, -1, -1)[None]
    kind = Picture(np.zeros((1, 1, made.shape[1]), np.uint8))
    write_image(output, from_tensor(sheet, like=kind), overwrite=options.force)
    print(f"{output}  {sheet.shape[-1]}x{sheet.shape[-2]}, {count} pictures")
