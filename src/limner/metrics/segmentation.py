"""How well pixels were told apart: overlap by class, the measures of the ISBI 2012 challenge, and single objects."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

_NEIGHBOURS = np.ones((3, 3), int)  # eight: what touches at a corner is one object
_FOUR = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]])


class Overlap(NamedTuple):
    """What a confusion matrix says of each class, and of all pixels.

    Attributes:
        iou: Intersection over union, nan of a class that is neither there nor found.
        dice: 2 |A n B| / (|A| + |B|), likewise.
        pixel_error: Share of wrong pixels.
    """

    iou: Float[np.ndarray, " k"]
    dice: Float[np.ndarray, " k"]
    pixel_error: float


def confusion(found: Int[np.ndarray, "..."], true: Int[np.ndarray, "..."], num_classes: int) -> Int[np.ndarray, "k k"]:
    """Pixels by true class (rows) and found class (columns); those whose true class is below 0 are not counted.

    >>> confusion(np.array([0, 1, 1]), np.array([0, 0, 1]), 2)
    array([[1, 1],
           [0, 1]])
    """
    counted = true >= 0
    pairs = num_classes * true[counted] + found[counted]
    return np.bincount(pairs, minlength=num_classes**2).reshape(num_classes, num_classes)


def overlap(counts: Int[np.ndarray, "k k"]) -> Overlap:
    """The measures of a confusion matrix.

    >>> overlap(np.array([[1, 1], [0, 2]])).iou
    array([0.5       , 0.66666667])
    """
    both, sums = np.diag(counts).astype(float), counts.sum(0) + counts.sum(1)
    with np.errstate(invalid="ignore"):
        return Overlap(both / (sums - both), 2 * both / sums, 1 - both.sum() / max(1, counts.sum()))


def objects_of(foreground: Bool[np.ndarray, "h w"], *, corners: bool = True) -> Int[np.ndarray, "h w"]:
    """The connected parts of the foreground, numbered from 1; 0 elsewhere.

    Args:
        foreground: Which pixels belong to objects.
        corners: Whether pixels that touch at a corner alone are connected.
    """
    from scipy.ndimage import (
        label as connected,  # imported here: scipy takes a while, and every command comes by this file
    )

    numbered: np.ndarray = connected(foreground, _NEIGHBOURS if corners else _FOUR)[0]
    return numbered.astype(np.int64)


def rand_error(
    probability: Sequence[Float[np.ndarray, "h w"]],
    cells: Sequence[Bool[np.ndarray, "h w"]],
    thresholds: Float[np.ndarray, " t"],
) -> float:
    """1 - the largest F-score of the Rand index over thresholds, restricted to the foreground (ISBI 2012).

    Objects are the four-connected parts. Pixels that are membrane in truth are left out, and those that are found to be
    membrane are no object, but each one alone, as in the challenge's program. Pairs of pixels of all sections are added
    up before the score is taken: with n_ij the pixels in found object i and true object j, and n_0 those of cells that
    are found to be membrane, F = 2 (sum n_ij^2 + n_0) / (sum s_i^2 + n_0 + sum t_j^2).

    Args:
        probability: Of a cell's inside in each section, in [0, 1].
        cells: The truth: whether a pixel is inside a cell.
        thresholds: Above which a pixel is inside.
    """
    true = [objects_of(one, corners=False) for one in cells]

    def score(threshold: float) -> float:
        found = [objects_of(one > threshold, corners=False) for one in probability]
        both, either = np.sum([_together(*pair) for pair in zip(found, true, strict=True)], 0)
        return float(2 * both / either) if either else float("nan")

    return 1 - max(score(threshold) for threshold in thresholds)


def _together(found: np.ndarray, true: np.ndarray) -> tuple[float, float]:
    """Ordered pairs of pixels that are together in both, and those in the one plus those in the other."""
    counted = true > 0
    table = _joint(found[counted], true[counted]).astype(float)
    alone, objects = table[0].sum(), table[1:]
    both = (objects**2).sum() + alone
    return both, (objects.sum(1) ** 2).sum() + alone + (table.sum(0) ** 2).sum()


def _joint(found: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Pixels by number of the found object (rows) and of the true one (columns)."""
    size = (found.max(initial=0) + 1, true.max(initial=0) + 1)
    return np.bincount(found * size[1] + true, minlength=size[0] * size[1]).reshape(size)


class Found(NamedTuple):
    """How many objects were found.

    Attributes:
        hits: Found objects that overlap a true one well enough.
        found: All found ones.
        true: All true ones.
    """

    hits: int
    found: int
    true: int

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall; 1 where there is nothing, and nothing was found."""
        return 2 * self.hits / (self.found + self.true) if self.found + self.true else 1.0

    @property
    def precision(self) -> float:
        """Hits / (hits + misses + false alarms): the average precision of the nuclei challenge."""
        union = self.found + self.true - self.hits
        return self.hits / union if union else 1.0


def found_objects(found: Int[np.ndarray, "h w"], true: Int[np.ndarray, "h w"], least_iou: float = 0.5) -> Found:
    """Objects that are found, at an intersection over union above `least_iou` >= 0.5, so that each has one partner.

    Args:
        found: 0, or the number of an object.
        true: Likewise.
        least_iou: Above which a found object is a hit.
    """
    found_numbers, true_numbers = (np.unique(one[one > 0]) for one in (found, true))
    both = (found > 0) & (true > 0)
    hits = 0
    sizes = [dict(zip(*np.unique(one[one > 0], return_counts=True), strict=True)) for one in (found, true)]
    pairs, shared = np.unique(np.stack([found[both], true[both]]), axis=1, return_counts=True)
    for (one, other), common in zip(pairs.T, shared, strict=True):
        hits += int(common / (sizes[0][one] + sizes[1][other] - common) > least_iou)
    return Found(hits, len(found_numbers), len(true_numbers))


def area_under_curve(score: Float[np.ndarray, " n"], true: Bool[np.ndarray, " n"]) -> float:
    """The area under the receiver operating characteristic: the chance that a true pixel scores above a false one.

    >>> area_under_curve(np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True]))
    0.75
    """
    positives, negatives = int(true.sum()), int((~true).sum())
    if not positives or not negatives:
        return float("nan")
    from scipy.stats import rankdata  # imported here: see above

    ranks = rankdata(score)[true].sum()
    return float((ranks - positives * (positives + 1) / 2) / (positives * negatives))
