"""The files that show a segmentation: its classes, and what else is wanted beside them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from limner.files.image import Picture, from_tensor, write_image
from limner.files.indexed import write_bands, write_indexed, write_numbers
from limner.verbs.segment.objects import measured, numbered, write_outlines, write_table
from limner.verbs.segment.segmenter import Segmentation

Contours: TypeAlias = Literal["svg", "geojson"]
CLASSES = "{stem}_classes"
"""How the pictures of classes are usually called."""
BESIDE = ("overlay", "probabilities", "objects", "contours")
"""What may lie beside them, as `{stem}_overlay` and so on."""

_OPACITY = 0.5  # of the colour of a class over the photo


@dataclass(frozen=True)
class Wanted:
    """What is written of each photo beside the classes of its pixels.

    Attributes:
        overlay: The photo with the classes over it.
        probabilities: A TIFF with a page of 32-bit floats for each class.
        objects: The objects by number, as a PNG of 16 bits, and a table of them.
        contours: The outlines of the objects, as such a file.
    """

    overlay: bool = False
    probabilities: bool = False
    objects: bool = False
    contours: Contours | None = None

    def paths(self, classes: Path) -> dict[str, Path]:
        """Where each of them goes, beside the picture of the classes.

        >>> Wanted(overlay=True).paths(Path("out/cells_classes.png"))["overlay"].as_posix()
        'out/cells_overlay.png'
        """
        stem = classes.stem.removesuffix("_classes")
        found = {
            "overlay": self.overlay and f"{stem}_overlay.png",
            "probabilities": self.probabilities and f"{stem}_probabilities.tif",
            "objects": self.objects and f"{stem}_objects.png",
            "table": self.objects and f"{stem}_objects.csv",
            "contours": self.contours and f"{stem}_contours.{self.contours}",
        }
        return {what: classes.with_name(name) for what, name in found.items() if name}


def write_results(
    target: Path,
    found: Segmentation,
    image: Float[Tensor, "1 3 h w"],
    wanted: Wanted,
    *,
    dpi: tuple[float, float] | None = None,
    overwrite: bool = False,
) -> int | None:
    """Write what is wanted, and the classes last: where they are, all is.

    Args:
        target: Of the classes, a .png.
        found: What is written.
        image: The photo, in [0, 1].
        wanted: Beside the classes.
        dpi: Of the overlay.
        overwrite: Whether files that are there may be replaced.

    Returns:
        How many objects there are, where they or their outlines are wanted.

    Raises:
        LimnerError: If a file is there, or outlines are wanted and OpenCV is not installed.
    """
    paths, number = wanted.paths(target), None
    if "overlay" in paths:
        shown = from_tensor(overlay(image, found), like=Picture(np.zeros((1, 1, 3), np.uint8), dpi=dpi))
        write_image(paths["overlay"], shown, overwrite=overwrite)
    if "probabilities" in paths:
        write_bands(paths["probabilities"], found.probabilities, overwrite=overwrite)
    if wanted.objects or wanted.contours:
        number = _write_objects(paths, found, image, overwrite=overwrite)
    write_indexed(target, found.labels, found.colors, overwrite=overwrite)
    return number


def _write_objects(paths: Mapping[str, Path], found: Segmentation, image: Tensor, *, overwrite: bool) -> int:
    numbers, names = numbered(found)
    if "objects" in paths:
        write_numbers(paths["objects"], numbers, overwrite=overwrite)
        write_table(paths["table"], measured(numbers, names, image[0].mean(0).numpy()), overwrite=overwrite)
    if "contours" in paths:
        write_outlines(paths["contours"], found, numbers, names, overwrite=overwrite)
    return len(names)


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
