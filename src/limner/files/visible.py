"""The pixels of a picture as networks are given them: without the colours that its transparency hides."""

from os import PathLike
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from limner.errors import LimnerError
from limner.files.bands import read_bands
from limner.files.image import MOST_PIXELS, read_image
from limner.files.picture import Picture, alpha_tensor, to_tensor
from limner.ops.transparency import carried_outwards, mirrored_inwards, visible_mean


def visible_tensor(picture: Picture) -> Float[Tensor, "1 3 h w"]:
    """The pixels of a photo that is worked on as RGB in [0, 1]; its visible colours go on where nothing is visible."""
    image, alpha = to_tensor(picture), alpha_tensor(picture)
    return image if alpha is None else carried_outwards(image, alpha, visible_mean(image, alpha))


def bands_tensor(path: Path, *, max_pixels: int | None = MOST_PIXELS) -> Float[Tensor, "1 c h w"]:
    """The bands of a TIFF that is no photo, in [0, 1].

    Raises:
        LimnerError: If it is damaged or too large.
    """
    samples = read_bands(path, max_pixels=max_pixels)
    return torch.from_numpy(samples).permute(2, 0, 1)[None].to(torch.float32) / np.iinfo(samples.dtype).max


def read_source(path: str | PathLike[str]) -> Float[Tensor, "1 3 h w"]:
    """Read a picture whose style or texture is wanted, as `source_tensor` gives it.

    Raises:
        LimnerError: If it cannot be read, or all of it is transparent.
    """
    return source_tensor(read_image(path), str(path))


def source_tensor(picture: Picture, name: str = "the picture") -> Float[Tensor, "1 3 h w"]:
    """The pixels of a picture whose style or texture is wanted as RGB in [0, 1]; what it hides is what it shows.

    Args:
        picture: As its file holds it.
        name: What it is called in errors.

    Raises:
        LimnerError: If all of it is transparent.
    """
    image, alpha = to_tensor(picture), alpha_tensor(picture)
    shown = image if alpha is None else mirrored_inwards(image, alpha)
    if shown is None:
        raise LimnerError(f"{name}: all of it is transparent, so it has no style and no texture: name another")
    return shown
