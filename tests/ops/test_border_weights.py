"""Equation 2 pixel by pixel, and objects that are told apart by hand."""

import numpy as np
import pytest

from limner.ops.border_weights import border_weights, cores_of, separated


def by_equation_2(objects: np.ndarray, strength: float, deviation: float) -> np.ndarray:
    """With the distance to each object from each pixel by all pairs of pixels."""
    weights = np.zeros(objects.shape)
    for y, x in np.argwhere(objects == 0):
        distances = sorted(
            np.hypot(*(np.argwhere(objects == number) - (y, x)).T).min() for number in np.unique(objects[objects > 0])
        )
        if len(distances) > 1:
            weights[y, x] = strength * np.exp(-((distances[0] + distances[1]) ** 2) / (2 * deviation**2))
    return weights


@pytest.mark.parametrize("numbers", [(1, 2, 3), (4, 9, 65_535)])
def test_the_weights_are_those_of_equation_2(numbers: tuple[int, ...]) -> None:
    objects = np.zeros((14, 17), np.int64)
    objects[1:5, 1:6], objects[1:6, 8:12], objects[9:13, 3:9] = numbers
    np.testing.assert_allclose(border_weights(objects), by_equation_2(objects, 10, 5), rtol=1e-5)
    np.testing.assert_allclose(border_weights(objects, 3, 2), by_equation_2(objects, 3, 2), rtol=1e-5)


def test_a_gap_of_one_pixel_by_hand() -> None:
    """Both objects are one pixel away: 10 exp(-4 / 50)."""
    weights = border_weights(np.array([[1, 0, 2]]))
    assert weights.tolist() == [[0, pytest.approx(10 * np.exp(-4 / 50)), 0]]


def test_one_object_has_no_other_to_be_told_from() -> None:
    assert not border_weights(np.array([[1, 0, 0]])).any()
    assert not border_weights(np.zeros((2, 2), np.int64)).any()


def test_objects_that_touch_part_by_two_pixels() -> None:
    objects = np.array([[1, 1, 1, 2, 2, 2], [1, 1, 1, 2, 2, 2]])
    assert separated(objects).tolist() == [[1, 1, 0, 0, 2, 2]] * 2


def test_objects_that_touch_at_a_corner_part_there() -> None:
    assert separated(np.array([[5, 5, 0], [5, 5, 0], [0, 0, 7]])).tolist() == [[5, 5, 0], [5, 0, 0], [0, 0, 0]]


@pytest.mark.parametrize("high", [2, 255, 65_535, 2**24 + 1, 2**40])
def test_the_rims_of_objects_stay_however_high_their_numbers(high: int) -> None:
    objects = np.zeros((5, 9), np.int64)
    objects[1:4, 1:4], objects[1:4, 5:8] = 1, high
    assert np.array_equal(separated(objects), objects)


def test_neighbours_by_all_pixels() -> None:
    objects = np.random.default_rng(0).integers(0, 4, (12, 15))
    wide = np.pad(objects, 1, mode="edge")
    expected = objects.copy()
    for y, x in np.argwhere(objects > 0):
        near = wide[y : y + 3, x : x + 3]
        if len(set(near[near > 0].tolist())) > 1:
            expected[y, x] = 0
    assert np.array_equal(separated(objects), expected)


@pytest.mark.parametrize("width", [1, 2, 3.5, 50])
def test_cores_by_all_pairs_of_pixels(width: float) -> None:
    """The distance to the nearest pixel that is of no object or of another; at most half of the largest is taken."""
    objects = np.zeros((16, 19), np.int64)
    objects[1:11, 2:9], objects[3:12, 9:17], objects[13:15, 4:6], objects[13, 10] = 4, 2, 700, 1
    expected = np.zeros_like(objects)
    for number in (4, 2, 700, 1):
        inside, outside = np.argwhere(objects == number), np.argwhere(objects != number)
        distances = np.hypot(*(inside[:, None] - outside[None]).T).min(0)
        for (y, x), distance in zip(inside, distances, strict=True):
            expected[y, x] = number * (distance > min(width, distances.max() / 2))
    found = cores_of(objects, width)
    assert np.array_equal(found, expected)
    assert set(np.unique(found)) == {0, 1, 2, 4, 700}  # none is lost
    assert width < 50 or (found > 0).sum() < (cores_of(objects, 1) > 0).sum()


def test_the_border_of_a_picture_is_no_outline() -> None:
    objects = np.array([[3, 3, 3, 3, 3, 0]] * 4)
    assert cores_of(objects, 1).tolist() == [[3, 3, 3, 3, 0, 0]] * 4
    assert np.array_equal(cores_of(np.full((3, 4), 7), 2), np.full((3, 4), 7))
    assert not cores_of(np.zeros((3, 4), np.int64), 2).any()


def test_objects_that_touch_have_cores_that_do_not() -> None:
    cores = cores_of(np.array([[1] * 6 + [2] * 6] * 6), 2)
    assert cores[0].tolist() == [1, 1, 1, 1, 0, 0, 0, 0, 2, 2, 2, 2]
