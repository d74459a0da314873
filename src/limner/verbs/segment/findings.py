"""What was found in a picture, given strip by strip: from memory, or from files where memory does not hold it."""

from collections.abc import Iterator
from typing import Protocol

import numpy as np
import torch
from jaxtyping import Float, Integer
from torch import Tensor

from limner.media.stored_picture import ReadableStored
from limner.runtime.operators import Region, Span
from limner.runtime.storage import DiskStore
from limner.verbs.segment.borders import reach_of, seeds_of, told
from limner.verbs.segment.segmenter import Segmentation

_STRIP_PIXELS = 2**20


class Findings(Protocol):
    """The photo, its classes, and their probabilities, by rows.

    Attributes:
        size: Height and width, in pixels.
        names: Of the classes.
        colors: R, G and B in 0..255, of the classes.
        reach: How many pixels objects grow from their seeds.
    """

    size: tuple[int, int]
    names: tuple[str, ...]
    colors: tuple[tuple[int, int, int], ...]
    reach: int

    def photo(self, rows: Span) -> Float[Tensor, "1 c n w"]:
        """The photo, in [0, 1]."""

    def labels(self, rows: Span) -> Integer[np.ndarray, "n w"]:
        """The numbers of the classes."""

    def seeds(self, rows: Span) -> Integer[np.ndarray, "n w"]:
        """The numbers of the classes where objects begin, and 0 elsewhere."""

    def probability(self, number: int, rows: Span) -> Float[np.ndarray, "n w"]:
        """Of a class."""


class HeldFindings:
    """A segmentation and its photo in memory."""

    def __init__(self, found: Segmentation, image: Float[Tensor, "1 c h w"]) -> None:
        self._found, self._image = found, image
        self.size = (found.labels.shape[0], found.labels.shape[1])
        self.names, self.colors, self.reach = found.names, found.colors, found.reach

    def photo(self, rows: Span) -> Float[Tensor, "1 c n w"]:
        """The photo, in [0, 1]."""
        return self._image[..., rows.start : rows.stop, :]

    def labels(self, rows: Span) -> Integer[np.ndarray, "n w"]:
        """The numbers of the classes."""
        return self._found.labels[rows.start : rows.stop]

    def seeds(self, rows: Span) -> Integer[np.ndarray, "n w"]:
        """The numbers of the classes where objects begin, and 0 elsewhere."""
        return self._found.seeds[rows.start : rows.stop]

    def probability(self, number: int, rows: Span) -> Float[np.ndarray, "n w"]:
        """Of a class."""
        return self._found.probabilities[number, rows.start : rows.stop]


class StoredFindings:
    """The same in unnamed temporary files, written part by part first.

    Args of the constructor:
        photo: Stored.
        names: Of the classes, at most 256.
        colors: Of the classes.
        border: Of objects, as the system knows it: its width in pixels; 0: it knows none.
        keeps_probabilities: Whether they may be asked for.
    """

    def __init__(
        self,
        photo: ReadableStored,
        names: tuple[str, ...],
        colors: tuple[tuple[int, int, int], ...],
        *,
        border: int = 0,
        keeps_probabilities: bool,
    ) -> None:
        self._photo, self.size, self.names, self.colors = photo, photo.size, names, colors
        self._border, self.reach = border, reach_of(border)
        shape = (1, 1, *photo.size)
        self._labels = DiskStore(shape, torch.uint8)
        self._within = DiskStore(shape, torch.uint8) if border else None
        self._probabilities = [DiskStore(shape, torch.float32) for _ in names] if keeps_probabilities else []

    def write(self, region: Region, outputs: Float[Tensor, "1 n h w"]) -> None:
        """Keep the probabilities of a system's outputs in a part; parts lie on a grid."""
        found = told(outputs[0].numpy(), self._border)
        self._labels.write(region, torch.from_numpy(found.labels.astype(np.uint8))[None, None])
        if self._within and found.within is not None:
            self._within.write(region, torch.from_numpy(found.within)[None, None])
        for store, one in zip(self._probabilities, found.probabilities, strict=False):
            store.write(region, torch.from_numpy(one)[None, None])

    def photo(self, rows: Span) -> Float[Tensor, "1 c n w"]:
        """The photo, in [0, 1]."""
        return self._photo.read(self._strip(rows))

    def labels(self, rows: Span) -> Integer[np.ndarray, "n w"]:
        """The numbers of the classes."""
        return self._labels.read(self._strip(rows))[0, 0].numpy()

    def seeds(self, rows: Span) -> Integer[np.ndarray, "n w"]:
        """The numbers of the classes where objects begin, and 0 elsewhere."""
        if not self._within:
            return self.labels(rows)
        above, below = min(rows.start, 1), min(self.size[0] - rows.stop, 1)  # rows that a mean over neighbours sees
        seen = Span(rows.start - above, rows.stop + below)
        within = self._within.read(self._strip(seen))[0, 0].numpy()
        return seeds_of(self.labels(seen), within)[above : seen.length - below]

    def probability(self, number: int, rows: Span) -> Float[np.ndarray, "n w"]:
        """Of a class."""
        return self._probabilities[number].read(self._strip(rows))[0, 0].numpy()

    def _strip(self, rows: Span) -> Region:
        return Region(rows, Span(0, self.size[1]))


def strips(size: tuple[int, int]) -> Iterator[Span]:
    """Rows, about a million pixels at a time."""
    height, width = size
    step = max(1, _STRIP_PIXELS // width)
    return (Span(start, min(start + step, height)) for start in range(0, height, step))
