"""`segment`: what each pixel of a picture belongs to, and the pictures and tables that show it."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from limner.media.any_picture import AnyPicture, open_picture
from limner.media.names import Naming, model_name
from limner.runtime.run_options import RunOptions
from limner.verbs.segment.segmenter import Segmentation, Segmenter

_OPACITY = 0.5  # of the colour of a class over the photo


def segment(
    photo: AnyPicture,
    model: str,
    *,
    views: bool = False,
    device: str = "auto",
    memory: int | None = None,
) -> Segmentation:
    """What each pixel of a picture belongs to.

    Args:
        photo: As for `open_picture`; one picture.
        model: The name of an embedded model, or a path to a weight file.
        views: Take the mean over eight positions of the picture, turned and mirrored: slower and better.
        device: `auto`, `cpu`, `cuda` or `mps`.
        memory: Bytes that the process may hold in all; None takes half of what is free.

    Raises:
        LimnerError: If the picture cannot be read, there is no such model, or it does not segment.

    Example:
        >>> found = segment("cells.png", "runs/unet")  # doctest: +SKIP
        >>> (found.labels == 1).mean()  # share of the picture  # doctest: +SKIP
    """
    segmenter = Segmenter(model, RunOptions(device=device, memory=memory), views=views)
    return segmenter.segment(open_picture(photo).image[:1])


def segment_naming(model: str, template: str | None = None) -> Naming:
    """How the pictures of classes are called.

    Raises:
        LimnerError: If the template does not fit.
    """
    usual = "{stem}_classes"
    return Naming(template or usual, None, (usual,), model=model_name(model))


def segmented_path(source: Path, what: str, suffix: str = ".png") -> Path:
    """Where a result goes by default: `cells.tif` -> `cells_classes.png`."""
    return source.with_name(f"{source.stem}_{what}{suffix}")


def overlay(image: Float[Tensor, "1 3 h w"], segmentation: Segmentation) -> Float[Tensor, "1 3 h w"]:
    """The photo with the colour of each class over it, but for the first class, and a line where classes meet."""
    labels = torch.from_numpy(segmentation.labels)
    colors = torch.tensor(segmentation.colors, dtype=torch.float32)[labels].permute(2, 0, 1)[None] / 255
    mixed = torch.lerp(image, colors, _OPACITY)
    shown = torch.where((labels > 0)[None, None], mixed, image)
    return torch.where(torch.from_numpy(borders(segmentation.labels))[None, None], colors.clamp(min=0.2), shown)


def borders(labels: np.ndarray) -> np.ndarray:
    """Pixels of a higher class whose neighbour above, below, left or right is of another one.

    >>> borders(np.array([[0, 0, 1, 1, 1]]))
    array([[False, False,  True, False, False]])
    """
    wide = np.pad(labels, 1, mode="edge")
    inner = wide[1:-1, 1:-1]
    others = (wide[:-2, 1:-1], wide[2:, 1:-1], wide[1:-1, :-2], wide[1:-1, 2:])
    meets: np.ndarray = np.logical_or.reduce([other != inner for other in others])
    return meets & (inner > 0)
