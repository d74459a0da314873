"""The weights by which U-Net learns the thin background between objects that touch.

Ronneberger, Fischer and Brox 2015, arXiv:1505.04597, section 3 and equation 2.
"""

import numpy as np
from jaxtyping import Float, Int


def separated(objects: Int[np.ndarray, "h w"]) -> Int[np.ndarray, "h w"]:
    """Objects without the pixels where two of them touch, which become background.

    >>> separated(np.array([[1, 1, 2, 2, 0]]))
    array([[1, 0, 0, 2, 0]])
    """
    from scipy.ndimage import (  # imported here: scipy takes a while, and every command comes by this file
        grey_dilation,
        grey_erosion,
    )

    highest = grey_dilation(objects, size=(3, 3), mode="nearest")
    unseen = np.where(objects == 0, objects.max() + 1, objects)  # above all, and exact as a float
    lowest = grey_erosion(unseen, size=(3, 3), mode="nearest")
    touching = (objects > 0) & (highest != lowest)
    return np.where(touching, 0, objects)


def cores_of(objects: Int[np.ndarray, "h w"], width: float) -> Int[np.ndarray, "h w"]:
    """Objects without the pixels along their outlines: those whose middle is as near to one outside of the object.

    The border of a picture is no outline, for nobody knows how an object goes on beyond it.

    Args:
        objects: 0, or the number of an object.
        width: Of what is taken away, in pixels; at most half of the way from the outline to the middle of an object.

    >>> cores_of(np.array([[0, 1, 1, 1, 1, 1, 2, 2, 2]]), 1)
    array([[0, 0, 1, 1, 1, 0, 0, 2, 2]])
    """
    from scipy.ndimage import distance_transform_edt, find_objects  # imported here: see above

    cores = np.zeros_like(objects)
    for number, place in enumerate(find_objects(objects), 1):
        if place is None:
            continue
        wider = tuple(slice(max(0, one.start - 1), one.stop + 1) for one in place)
        own = objects[wider] == number
        if own.all():
            cores[wider] = number
            continue
        distance = distance_transform_edt(own)
        cores[wider][distance > min(width, distance.max() / 2)] = number
    return cores


def border_weights(
    objects: Int[np.ndarray, "h w"], strength: float = 10.0, deviation: float = 5.0
) -> Float[np.ndarray, "h w"]:
    """w0 exp(-(d1 + d2)^2 / 2 sigma^2) on the background, and 0 on objects.

    Args:
        objects: 0, or the number of an object.
        strength: w0.
        deviation: sigma, in pixels.
    """
    from scipy.ndimage import distance_transform_edt, find_objects  # imported here: see above

    found = [number for number, place in enumerate(find_objects(objects), 1) if place is not None]
    if len(found) < 2:
        return np.zeros(objects.shape, np.float32)
    nearest = np.full((2, *objects.shape), np.inf, np.float32)
    for number in found:
        distance = distance_transform_edt(objects != number).astype(np.float32)
        nearest[1] = np.minimum(nearest[1], np.maximum(nearest[0], distance))
        nearest[0] = np.minimum(nearest[0], distance)
    weights = strength * np.exp(-(nearest.sum(0) ** 2) / (2 * deviation**2))
    return np.where(objects == 0, weights, 0).astype(np.float32)
