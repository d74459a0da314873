"""Boundaries drawn by hand, and distances between all their pixels."""

import numpy as np
import pytest

from limner.metrics.boundary import boundary_f1

rng = np.random.default_rng(0)


def square(top: int, left: int, side: int = 4) -> np.ndarray:
    picture = np.zeros((20, 24), int)
    picture[top : top + side, left : left + side] = 1
    return picture


def test_what_is_the_same_is_perfect_and_what_is_far_is_nothing() -> None:
    assert boundary_f1(square(3, 3), square(3, 3), 2, tolerance=0).tolist() == [1, 1]
    assert boundary_f1(square(3, 3), square(13, 13), 2, tolerance=2)[1] == 0


def test_a_square_that_lies_one_to_the_right() -> None:
    """Of the 12 pixels of its boundary the 2 rows of 3 lie on the other's, and the inner ones of the columns beside."""
    shared = 6
    assert boundary_f1(square(3, 4), square(3, 3), 2, tolerance=0)[1] == pytest.approx(shared / 12)
    assert boundary_f1(square(3, 4), square(3, 3), 2, tolerance=1)[1] == 1


def test_precision_and_recall_by_the_distances_of_all_pixels() -> None:
    found, true = (np.kron(rng.integers(0, 3, (5, 6)), np.ones((4, 4), int)) for _ in range(2))
    for number, score in enumerate(boundary_f1(found, true, 3, tolerance=1.5)):
        edges = []
        for picture in (found, true):
            cells = [tuple(at) for at in np.argwhere(picture == number)]
            around = [[(y + 1, x), (y - 1, x), (y, x + 1), (y, x - 1)] for y, x in cells]
            edges.append(
                [
                    cell
                    for cell, sides in zip(cells, around, strict=True)
                    if any(0 <= y < 20 and 0 <= x < 24 and picture[y, x] != number for y, x in sides)
                ]
            )
        distances = np.array([[np.hypot(a - c, b - d) for c, d in edges[1]] for a, b in edges[0]])
        precision, recall = ((distances.min(axis) <= 1.5).mean() for axis in (1, 0))
        assert 0 < score < 1
        assert score == pytest.approx(2 * precision * recall / (precision + recall))


def test_by_default_near_is_a_share_of_the_diagonal() -> None:
    """0.75 % of 2000 pixels are 15."""

    def halves(middle: int) -> np.ndarray:
        return np.repeat((np.arange(2000) >= middle)[None].astype(int), 4, 0)

    assert boundary_f1(halves(1015), halves(1000), 2).tolist() == [1, 1]
    assert boundary_f1(halves(1016), halves(1000), 2).tolist() == [0, 0]


def test_the_edge_of_the_picture_is_no_boundary_nor_is_that_of_what_is_not_told() -> None:
    true = np.zeros((6, 6), int)
    assert np.isnan(boundary_f1(true, true, 2)).all()
    true[:, 3:] = -1
    found = np.zeros((6, 6), int)
    found[:, 4:] = 1
    assert np.isnan(boundary_f1(found, true, 2)).all()


def test_a_class_of_one_alone_has_nothing_right() -> None:
    assert boundary_f1(np.zeros((20, 24), int), square(3, 3), 2).tolist() == [0, 0]
