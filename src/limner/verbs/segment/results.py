"""The files that show a segmentation: its classes, and what else is wanted beside them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
import torch
from jaxtyping import Float, Integer
from torch import Tensor

from limner.files.atomic import atomic_path, check_place
from limner.files.image import Picture, from_tensor
from limner.files.indexed import MOST_IN_16_BITS, Rows, threads_for, write_bands, write_indexed, write_numbers
from limner.files.strip_png import write_png
from limner.ops.color import shown_photo
from limner.runtime.operators import Span
from limner.verbs.segment.findings import Findings, strips
from limner.verbs.segment.objects import Objects, write_table
from limner.verbs.segment.outlines import OutlineWriter

Contours: TypeAlias = Literal["svg", "geojson"]
CLASSES = "{stem}_classes"
"""How the pictures of classes are usually called."""
BESIDE = ("overlay", "probabilities", "objects", "contours")
"""What may lie beside them, as `{stem}_overlay` and so on."""

_OPACITY = 0.5  # of the colour of a class over the photo
_BLANK = Picture(np.zeros((1, 1, 3), np.uint8))


@dataclass(frozen=True)
class Wanted:
    """What is written of each photo beside the classes of its pixels.

    Attributes:
        overlay: The photo with the classes over it.
        probabilities: A TIFF with a page of 32-bit floats for each class.
        objects: The objects by number, as a PNG of 16 bits, and a table of them.
        contours: The outlines of the objects, as such a file.
        least_area: In pixels; smaller objects are left out.
    """

    overlay: bool = False
    probabilities: bool = False
    objects: bool = False
    contours: Contours | None = None
    least_area: int = 1

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

    def are_there(self, classes: Path) -> bool:
        """Whether all of them are."""
        return all(any(one.is_file() for one in _or_deeper(path)) for path in self.paths(classes).values())

    def check_places(self, classes: Path, *, overwrite: bool) -> None:
        """Refuse places that nothing can be written to, before the work.

        Raises:
            LimnerError: If a file is there, or the folder is not.
        """
        for path in self.paths(classes).values():
            for one in _or_deeper(path):
                check_place(one, overwrite=overwrite)


def _or_deeper(path: Path) -> list[Path]:
    """The file, and the one that is written in its place where there are more objects than 16 bits number."""
    return [path, path.with_suffix(".tif")] if path.stem.endswith("_objects") and path.suffix == ".png" else [path]


class Results(NamedTuple):
    """What was written.

    Attributes:
        size: Height and width of the picture, in pixels.
        shares: Of the picture, by class.
        num_objects: Where they or their outlines are wanted.
        paths: What lies beside the classes, by what it is.
    """

    size: tuple[int, int]
    shares: dict[str, float]
    num_objects: int | None
    paths: dict[str, Path]


def write_results(
    target: Path,
    found: Findings,
    wanted: Wanted,
    *,
    dpi: tuple[float, float] | None = None,
    overwrite: bool = False,
) -> Results:
    """Write what is wanted, and the classes last: where they are, all is.

    Args:
        target: Of the classes, a .png.
        found: What is written, strip by strip.
        wanted: Beside the classes.
        dpi: Of the overlay.
        overwrite: Whether files that are there may be replaced.

    Raises:
        LimnerError: If a file is there.
    """
    paths, number = wanted.paths(target), None
    counts = np.zeros(len(found.names), np.int64)
    for rows in strips(found.size):
        counts += np.bincount(found.labels(rows).ravel(), minlength=len(counts))
    if "overlay" in paths:
        _write_overlay(paths["overlay"], found, dpi, overwrite=overwrite)
    if "probabilities" in paths:
        bands = [_rows_of(found, number) for number in range(len(found.names))]
        write_bands(paths["probabilities"], found.size, bands, overwrite=overwrite)
    if wanted.objects or wanted.contours:
        number = _write_objects(paths, found, wanted.least_area, overwrite=overwrite)
    write_indexed(
        target, found.size, lambda start, stop: found.labels(Span(start, stop)), found.colors, overwrite=overwrite
    )
    shares = {name: round(float(one / counts.sum()), 6) for name, one in zip(found.names, counts, strict=True)}
    return Results(found.size, shares, number, paths)


def _rows_of(found: Findings, number: int) -> Rows:
    return lambda start, stop: found.probability(number, Span(start, stop))


def _write_overlay(path: Path, found: Findings, dpi: tuple[float, float] | None, *, overwrite: bool) -> None:
    check_place(path, overwrite=overwrite)

    def rows(start: int, stop: int) -> np.ndarray:
        above, below = min(start, 1), min(found.size[0] - stop, 1)  # rows that the lines between classes depend on
        seen = Span(start - above, stop + below)
        shown = overlay(shown_photo(found.photo(seen)), found.labels(seen), found.colors)
        return from_tensor(shown[..., above : seen.length - below, :], like=_BLANK).pixels

    with atomic_path(path) as temporary, temporary.open("w+b") as file:
        write_png(file, replace(_BLANK, dpi=dpi), found.size, in_strips(rows, found.size), threads_for())


def in_strips(rows: Callable[[int, int], np.ndarray], size: tuple[int, int]) -> Callable[[int, int], np.ndarray]:
    """The same rows, made a strip at a time, for a writer that asks for a few at a time from the top."""
    spans, held = list(strips(size)), dict[int, np.ndarray]()
    step = spans[0].length

    def give(start: int, stop: int) -> np.ndarray:
        numbers = range(start // step, -(-stop // step))
        for number in [one for one in held if one not in numbers]:
            del held[number]
        for number in numbers:
            if number not in held:
                held[number] = rows(*spans[number])
        pieces = [held[one][max(0, start - one * step) : stop - one * step] for one in numbers]
        return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)

    return give


def _write_objects(paths: dict[str, Path], found: Findings, least_area: int, *, overwrite: bool) -> int:
    """Find all objects, then write their numbers, their measures and their outlines, as far as `paths` names them."""
    objects = Objects(found.names, found.size[0], found.labels, found.seeds, reach=found.reach, least_area=least_area)
    for rows in strips(found.size):
        objects.add(rows, found.photo(rows)[0].mean(0).numpy())
    objects.close()

    def numbers(start: int, stop: int) -> np.ndarray:
        return objects.numbers(Span(start, stop))

    if "objects" in paths:
        if len(objects) > MOST_IN_16_BITS:
            paths["objects"] = paths["objects"].with_suffix(".tif")
        write_numbers(paths["objects"], found.size, in_strips(numbers, found.size), overwrite=overwrite)
        write_table(paths["table"], objects.measured(), overwrite=overwrite)
    if "contours" in paths:
        writer = OutlineWriter(
            paths["contours"], found.size, objects.class_of, found.names, found.colors, overwrite=overwrite
        )
        writer.write_all(numbers(*rows) for rows in strips(found.size))
    return len(objects)


def overlay(
    image: Float[Tensor, "1 3 h w"], labels: Integer[np.ndarray, "h w"], colors: Sequence[tuple[int, int, int]]
) -> Float[Tensor, "1 3 h w"]:
    """The photo with the colour of each class over it, but for the first class, and a line where classes meet."""
    classes = torch.from_numpy(labels.astype(np.int64))
    over = torch.tensor(colors, dtype=torch.float32)[classes].permute(2, 0, 1)[None] / 255
    shown = torch.where((classes > 0)[None, None], torch.lerp(image, over, _OPACITY), image)
    return torch.where(torch.from_numpy(borders(labels))[None, None], over.clamp(min=0.2), shown)


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
