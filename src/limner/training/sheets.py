"""Sheets of samples: what a system makes of fixed training data while it is trained."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from limner.files.image import Picture, from_tensor, write_image
from limner.runtime.probes import ports_of, results_of
from limner.tasks.draw_inputs import with_drawn


def sheet_writer(sheet: Callable[[Callable[..., Any]], Tensor]) -> Callable[[nn.Module, Path], None]:
    """What writes the sheet of a system into a file.

    Args:
        sheet: That of the training data, from what a system makes of the `inputs` of a batch.
    """

    def write(system: nn.Module, path: Path) -> None:
        device = next(system.parameters()).device

        def made(*given: Tensor) -> Any:
            placed = [one.to(device) for one in given]
            result = system(*with_drawn(ports_of(system).inputs, placed, number=len(given[0])))
            parts = tuple(one.float().cpu() for one in results_of(result))
            return parts if isinstance(result, tuple) else parts[0]

        with torch.inference_mode():
            image = sheet(made)
        blank = Picture(np.zeros((1, 1, 3), np.uint8))
        write_image(path, from_tensor(image, like=blank), overwrite=True)

    return write
