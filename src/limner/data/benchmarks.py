"""Benchmark sets as folders of pictures, in the layouts that they are handed round in."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from limner.errors import LimnerError
from limner.files.image import is_image_path, read_image
from limner.files.shard_path import unpacked
from limner.files.visible import visible_tensor
from limner.types import Image


class Sample(NamedTuple):
    """One picture of a set."""

    name: str
    image: Image
    """RGB in [0, 1]; a gray file repeats its channel."""
    is_gray: bool
    """Whether the file is gray: the published protocols treat it differently (`metrics.protocols`)."""


@dataclass(frozen=True)
class BenchmarkSet:
    """A named set of high-resolution pictures. Iterating reads them, one at a time, as `Sample`."""

    name: str
    images: tuple[Path, ...]

    def __len__(self) -> int:
        return len(self.images)

    def __iter__(self) -> Iterator[Sample]:
        for path in self.images:
            picture = read_image(path)
            yield Sample(path.stem, visible_tensor(picture), picture.is_gray)


def find_benchmarks(folder: Path) -> list[BenchmarkSet]:
    """Find the benchmark sets of a folder, sorted by name.

    Accepted are one set, as `folder/HR/*` or `folder/*`, and a folder of sets, as `folder/Set5/HR/*` or
    `folder/Set5/*`. The name of a set is that of its folder. Pictures in other places, such as
    `folder/Set5/LR_bicubic_x2/`, are passed by.

    Raises:
        LimnerError: If there is no such folder, or no picture in it.
    """
    folder = unpacked(folder)
    if not folder.is_dir():
        raise LimnerError(f"benchmarks are read from a folder, got {folder}: there is no such folder")
    if own := _pictures_of(folder):
        return [BenchmarkSet(folder.resolve().name, own)]
    places = sorted(child for child in folder.iterdir() if child.is_dir())
    sets = [BenchmarkSet(place.name, pictures) for place in places if (pictures := _pictures_of(place))]
    if not sets:
        raise LimnerError(
            f"no pictures in {folder}: it must hold pictures, a folder HR with pictures, or folders such as Set5/HR"
        )
    return sets


def _pictures_of(folder: Path) -> tuple[Path, ...]:
    """The pictures of `folder/HR`, or without these of the folder itself."""
    for place in (folder / "HR", folder):
        if place.is_dir() and (found := sorted(path for path in place.iterdir() if _is_picture(path))):
            return tuple(found)
    return ()


def _is_picture(path: Path) -> bool:
    return is_image_path(path) and not path.name.startswith(".") and path.is_file()
