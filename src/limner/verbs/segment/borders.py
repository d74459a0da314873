"""What is found by a system that knows the borders of objects: its last output is a class of their outlines.

Objects begin within their borders, so that those that touch are parted, and grow over them; what is told of a pixel is
of the object and its border together. Single pixels that seem to be within begin nothing: it is the mean over a pixel
and its eight neighbours that counts, of whole numbers, so that it does not depend on how the picture was cut.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Integer, UInt8

_LEVELS = 255  # of the probability of being within


class Told(NamedTuple):
    """What is told of some pixels.

    Attributes:
        labels: The number of the most probable class.
        probabilities: Of each class, in [0, 1].
        within: How probable it is that a pixel is within the border of an object, 255 where it is sure.
    """

    labels: Integer[np.ndarray, "h w"]
    probabilities: Float[np.ndarray, "k h w"]
    within: UInt8[np.ndarray, "h w"] | None


def told(outputs: Float[np.ndarray, "n h w"], border: int) -> Told:
    """Classes from the probabilities of a system's outputs, which are used up.

    Args:
        outputs: Of each, in [0, 1]; with a border the last two are the inside and the border of objects.
        border: Its width; 0: the outputs are the classes.

    >>> told(np.array([[[0.8, 0.4, 0.1]], [[0.1, 0.2, 0.6]], [[0.1, 0.4, 0.3]]]), border=3).within
    array([[ 26,  51, 153]], dtype=uint8)
    """
    if not border:
        return Told(outputs.argmax(0), outputs, None)
    within = np.rint(outputs[-2] * _LEVELS).astype(np.uint8)
    outputs[-2] += outputs[-1]
    return Told(outputs[:-1].argmax(0), outputs[:-1], within)


def seeds_of(labels: Integer[np.ndarray, "h w"], within: UInt8[np.ndarray, "h w"] | None) -> Integer[np.ndarray, "h w"]:
    """The number of the class where objects may begin, and 0 elsewhere.

    Args:
        labels: The numbers of the classes.
        within: As `Told` has it; beyond its edges it goes on as at them. None: objects may begin everywhere.

    >>> seeds_of(np.ones((1, 4), int), np.array([[255, 255, 0, 0]], np.uint8))
    array([[1, 1, 0, 0]])
    """
    if within is None:
        return labels
    height, width = within.shape
    wide = np.pad(within.astype(np.int32), 1, mode="edge")
    sums = sum(wide[down : down + height, across : across + width] for down in range(3) for across in range(3))
    return labels * (2 * sums > 9 * _LEVELS)


def reach_of(border: int) -> int:
    """How many pixels objects grow: twice the width of the border, for what is sure to be within may be less.

    >>> reach_of(3)
    6
    """
    return 2 * border
