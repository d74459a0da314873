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
from limner.verbs.segment.segmenter import Segmentation

_STRIP_PIXELS = 2**20


class Findings(Protocol):
    """The photo, its classes, and their probabilities, by rows.

    Attributes:
        size: Height and width, in pixels.
        names: Of the classes.
        colors: R, G and B in 0..255, of the classes.
    """

    size: tuple[int, int]
    names: tuple[str, ...]
    colors: tuple[tuple[int, int, int], ...]

    def photo(self, rows: Span) -> Float[Tensor, "1 c n w"]:
        """The photo, in [0, 1]."""

    def labels(self, rows: Span) -> Integer[np.ndarray, "n w"]:
        """The numbers of the classes."""

    def probability(self, number: int, rows: Span) -> Float[np.ndarray, "n w"]:
        """Of a class."""


class HeldFindings:
    """A segmentation and its photo in memory."""

    def __init__(self, found: Segmentation, image: Float[Tensor, "1 c h w"]) -> None:
        self._found, self._image = found, image
        self.size = (found.labels.shape[0], found.labels.shape[1])
        self.names, self.colors = found.names, found.colors

    def photo(self, rows: Span) -> Float[Tensor, "1 c n w"]:
        """The photo, in [0, 1]."""
        return self._image[..., rows.start : rows.stop, :]

    def labels(self, rows: Span) -> Integer[np.ndarray, "n w"]:
        """The numbers of the classes."""
        return self._found.labels[rows.start : rows.stop]

    def probability(self, number: int, rows: Span) -> Float[np.ndarray, "n w"]:
        """Of a class."""
        return self._found.probabilities[number, rows.start : rows.stop]


class StoredFindings:
    """The same in unnamed temporary files, written part by part first.

    Args of the constructor:
        photo: Stored.
        names: Of the classes, at most 256.
        colors: Of the classes.
        keeps_probabilities: Whether they may be asked for.
    """

    def __init__(
        self,
        photo: ReadableStored,
        names: tuple[str, ...],
        colors: tuple[tuple[int, int, int], ...],
        *,
        keeps_probabilities: bool,
    ) -> None:
        self._photo, self.size, self.names, self.colors = photo, photo.size, names, colors
        shape = (1, 1, *photo.size)
        self._labels = DiskStore(shape, torch.uint8)
        self._probabilities = [DiskStore(shape, torch.float32) for _ in names] if keeps_probabilities else []

    def write(self, region: Region, probabilities: Float[Tensor, "1 k h w"]) -> None:
        """Keep a part; parts lie on a grid."""
        self._labels.write(region, probabilities.argmax(1, keepdim=True).to(torch.uint8))
        for number, store in enumerate(self._probabilities):
            store.write(region, probabilities[:, number : number + 1])

    def photo(self, rows: Span) -> Float[Tensor, "1 c n w"]:
        """The photo, in [0, 1]."""
        return self._photo.read(self._strip(rows))

    def labels(self, rows: Span) -> Integer[np.ndarray, "n w"]:
        """The numbers of the classes."""
        return self._labels.read(self._strip(rows))[0, 0].numpy()

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
