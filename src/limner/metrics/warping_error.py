"""The warping error of the ISBI challenge of 2012: how many pixels split or merge cells once borders may move freely.

The true labels are bent towards the found ones by flipping simple points, which leaves topology as it is: Jain et al.,
"Boundary learning by optimization with topological constraints", CVPR 2010, doi:10.1109/CVPR.2010.5539950. Pixels that
still differ are mistakes of topology. As the challenge's program does: cells are four-connected and their ground
eight-connected; pixels of the surest answers are flipped first; no limit to how far a border moves; of the mistakes
only the pixels of splits and mergers count, each by itself, not the holes and the objects too many or too few.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import label as connected

_RING = ((-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1))  # once around, rows and columns
_FOUR = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]])
_EIGHT = np.ones((3, 3), int)


def _parts(code: int) -> int:
    """Four-connected parts of the foreground around a pixel that touch it by a side; bit i is neighbour i of the ring.

    >>> _parts(0b10), _parts(0b100010), _parts(0b1110)
    (1, 2, 1)
    """
    bits = [code >> place & 1 for place in range(8)]
    sides = sum(bits[place] for place in (1, 3, 5, 7))
    joined = sum(bits[place - 1] & bits[place] & bits[(place + 1) % 8] for place in (0, 2, 4, 6))
    return sides - joined if sides > joined else min(sides, 1)


PARTS = tuple(_parts(code) for code in range(256))
SIMPLE = tuple(PARTS[code] == 1 and code != 255 for code in range(256))
"""By the eight neighbours: whether flipping the pixel between them changes no topology, be it foreground or ground."""


def warped(
    cells: Bool[np.ndarray, "h w"], probability: Float[np.ndarray, "h w"], threshold: float
) -> Bool[np.ndarray, "h w"]:
    """The true labels, bent as near to the found ones as simple points lead.

    Args:
        cells: The truth: whether a pixel is inside a cell. Beyond the picture is ground.
        probability: Of a cell's inside, in [0, 1].
        threshold: Above which a pixel is found to be inside.
    """
    target, width = np.pad(probability > threshold, 1), cells.shape[1] + 2
    sureness = np.pad(np.abs(probability - threshold), 1)
    steps = [row * width + column for row, column in _RING]
    image = bytearray(np.pad(cells, 1).astype(np.uint8).tobytes())
    left = -1
    while True:
        wrong = np.frombuffer(image, np.uint8).reshape(target.shape) != target
        columns, rows = np.nonzero(wrong.T)
        if len(rows) in (0, left):
            return np.frombuffer(image, np.uint8).reshape(target.shape)[1:-1, 1:-1] > 0
        left = len(rows)
        order = np.argsort(-sureness[rows, columns], kind="stable")
        _flip(image, (rows * width + columns)[order].tolist(), steps)


def _flip(image: bytearray, places: Sequence[int], steps: Sequence[int]) -> None:
    a, b, c, d, e, f, g, h = steps
    for at in places:
        code = (
            image[at + a]
            | image[at + b] << 1
            | image[at + c] << 2
            | image[at + d] << 3
            | image[at + e] << 4
            | image[at + f] << 5
            | image[at + g] << 6
            | image[at + h] << 7
        )
        if SIMPLE[code]:
            image[at] ^= 1


def splits_and_mergers(bent: Bool[np.ndarray, "h w"], found: Bool[np.ndarray, "h w"]) -> tuple[int, int]:
    """Pixels by which the found labels split one cell of the bent ones, and by which they merge two.

    A pixel merges if it is ground among two cells or more, corners included. It splits if it is a cell's, and another
    cell lies among its neighbours, or its own falls apart without it.
    """
    wrong = bent != found
    several = _different(_around(np.pad(connected(bent, _FOUR)[0], 1))) > 1
    split = wrong & bent & (several | _falls_apart(bent))
    return int(split.sum()), int((wrong & ~bent & several).sum())


def _around(padded: np.ndarray) -> np.ndarray:
    """(8, h, w): the neighbours of each pixel of a picture with a pixel more on each side."""
    height, width = (side - 2 for side in padded.shape)
    return np.stack([padded[1 + y : 1 + y + height, 1 + x : 1 + x + width] for y, x in _RING])


def _different(numbers: np.ndarray) -> np.ndarray:
    """How many different numbers above 0 there are among the eight."""
    ordered = np.sort(numbers, 0)
    return ((ordered[1:] != ordered[:-1]) & (ordered[1:] > 0)).sum(0) + (ordered[0] > 0)


def _falls_apart(bent: np.ndarray) -> np.ndarray:
    """Of pixels of cells: whether the cell is two without them.

    It is where one piece of ground comes up to the pixel from two sides: it runs around a part of the cell. From as
    many sides ground comes as there are parts of cells around the pixel.
    """
    ground = _around(connected(np.pad(~bent, 1, constant_values=True), _EIGHT)[0])
    code = ((ground == 0) << np.arange(8)[:, None, None]).sum(0)
    return bent & (code != 255) & (np.asarray(PARTS)[code] > _different(ground))


def warping_error(
    probability: Sequence[Float[np.ndarray, "h w"]],
    cells: Sequence[Bool[np.ndarray, "h w"]],
    thresholds: Float[np.ndarray, " t"],
) -> float:
    """Pixels of splits and mergers over all pixels, the least over thresholds ("minimum splits and mergers").

    Args:
        probability: Of a cell's inside in each section, in [0, 1].
        cells: The truth: whether a pixel is inside a cell.
        thresholds: Above which a pixel is found to be inside.
    """

    def mistakes(threshold: float) -> int:
        pairs = zip(cells, probability, strict=True)
        return sum(sum(splits_and_mergers(warped(*pair, threshold), pair[1] > threshold)) for pair in pairs)

    return min(mistakes(threshold) for threshold in thresholds) / sum(one.size for one in cells)
