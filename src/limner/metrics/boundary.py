"""How well the boundaries of classes were found: the boundary F1 of Csurka, Larlus and Perronnin, BMVC 2013.

"What is a good evaluation measure for semantic segmentation?", doi:10.5244/C.27.32, section 3.
"""

import numpy as np
from jaxtyping import Bool, Float, Int

_SHARE = 0.0075  # of the diagonal, that a boundary may be off by


def boundary_f1(
    found: Int[np.ndarray, "h w"], true: Int[np.ndarray, "h w"], num_classes: int, *, tolerance: float | None = None
) -> Float[np.ndarray, " k"]:
    """By class: the harmonic mean of how much of the found boundary is near the true one, and the other way round.

    The boundary of a class are its pixels that have another class above, below, or beside them. Classes without a
    boundary in either are nan, and take no part in means.

    Args:
        found: The class of each pixel.
        true: Likewise; pixels below 0 are not told, and none is found there.
        num_classes: k.
        tolerance: Pixels that are still near; None: 0.75 % of the diagonal.
    """
    limit = _SHARE * float(np.hypot(*true.shape)) if tolerance is None else tolerance
    seen = np.where(true < 0, -1, found)
    pairs = ((_boundary(seen, number), _boundary(true, number)) for number in range(num_classes))
    return np.array([_f1(one, other, limit) for one, other in pairs])


def _boundary(labels: np.ndarray, number: int) -> Bool[np.ndarray, "h w"]:
    own, others = labels == number, np.pad((labels != number) & (labels >= 0), 1)
    return own & (others[:-2, 1:-1] | others[2:, 1:-1] | others[1:-1, :-2] | others[1:-1, 2:])


def _f1(found: np.ndarray, true: np.ndarray, limit: float) -> float:
    if not found.any() and not true.any():
        return float("nan")
    if not found.any() or not true.any():
        return 0.0
    precision, recall = _near(found, true, limit), _near(true, found, limit)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _near(one: np.ndarray, other: np.ndarray, limit: float) -> float:
    """Share of the pixels of one boundary that are no farther than the limit from the other."""
    from scipy.ndimage import distance_transform_edt  # imported here: every command would wait for it

    return float((distance_transform_edt(~other)[one] <= limit).mean())
