"""Topology by counting parts of whole pictures, and mistakes drawn by hand."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.ndimage import label as connected

from limner.metrics.warping_error import SIMPLE, splits_and_mergers, warped, warping_error

rng = np.random.default_rng(0)
HALF = np.array([0.5])


def error(probability: np.ndarray, cells: np.ndarray, thresholds: np.ndarray) -> float:
    return warping_error(list(probability), list(cells), thresholds)


def drawn(*rows: str) -> np.ndarray:
    return np.array([[sign == "#" for sign in row] for row in rows])


def topology(picture: np.ndarray) -> tuple[int, int]:
    """Four-connected parts of the foreground and eight-connected ones of the ground, which goes on beyond."""
    ground = np.pad(~picture, 1, constant_values=True)
    return connected(picture)[1], connected(ground, np.ones((3, 3)))[1]


def flipped(picture: np.ndarray, row: int, column: int) -> np.ndarray:
    other = picture.copy()
    other[row, column] ^= True
    return other


def test_a_point_is_simple_where_flipping_it_changes_no_number_of_parts() -> None:
    """Of all 256 neighbourhoods, in a picture of nine pixels, where no parts join elsewhere."""
    ring = ((0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0))
    for code in range(256):
        picture = np.zeros((3, 3), bool)
        for place, at in enumerate(ring):
            picture[at] = code >> place & 1
        assert SIMPLE[code] == (topology(picture) == topology(flipped(picture, 1, 1))), code


def blurred(sections: int, side: int, sharpness: float) -> tuple[np.ndarray, np.ndarray]:
    """Cells with thin membranes, and probabilities with borders moved, gaps, and specks."""
    cells = gaussian_filter(rng.normal(size=(sections, side, side)), (0, 2, 2)) > -0.02
    noise = gaussian_filter(rng.normal(size=cells.shape), (0, 1, 1))
    return np.clip(gaussian_filter(cells.astype(float), (0, sharpness, sharpness)) + noise, 0, 1), cells


def test_bending_keeps_topology_and_stops_where_no_simple_point_is_wrong() -> None:
    for probability, cells in zip(*blurred(6, 40, 1), strict=True):
        bent, found = warped(cells, probability, 0.5), probability > 0.5
        assert topology(bent) == topology(cells)
        wrong = bent != found
        assert 0 < wrong.sum() < (cells != found).sum()
        padded = np.pad(bent, 1)
        for row, column in np.argwhere(wrong):
            around = padded[row : row + 3, column : column + 3]
            assert topology(around) != topology(flipped(around, 1, 1))


def slowly(bent: np.ndarray, found: np.ndarray) -> tuple[int, int]:
    """The kinds of mistakes by numbering the parts anew for each pixel."""

    def neighbours(numbers: np.ndarray, row: int, column: int) -> list[int]:
        around = [
            (y, x) for y in range(row - 1, row + 2) for x in range(column - 1, column + 2) if (y, x) != (row, column)
        ]
        return [int(numbers[y, x]) for y, x in around if 0 <= y < bent.shape[0] and 0 <= x < bent.shape[1]]

    splits = mergers = 0
    numbers = connected(bent)[0]
    for row, column in np.argwhere(bent != found):
        kinds = set(neighbours(numbers, row, column))
        if not bent[row, column]:
            mergers += len(kinds) > 2
        else:
            without = set(neighbours(connected(flipped(bent, row, column))[0], row, column))
            splits += len(kinds) > 2 or len(kinds) == 2 < len(without)
    return splits, mergers


def test_splits_and_mergers_by_numbering_parts_anew() -> None:
    seen = np.zeros(2, int)
    for probability, cells in zip(*blurred(10, 32, 1), strict=True):
        for threshold in (0.3, 0.5, 0.8):
            bent, found = warped(cells, probability, threshold), probability > threshold
            assert splits_and_mergers(bent, found) == slowly(bent, found)
            seen += splits_and_mergers(bent, found)
        noise = rng.random(cells.shape) > 0.4  # any two pictures, with all that may lie around a pixel
        assert splits_and_mergers(cells, noise) == slowly(cells, noise)
        assert splits_and_mergers(noise, cells) == slowly(noise, cells)
    assert (seen > 5).all()


def test_borders_may_move_and_cells_change_their_size() -> None:
    cells, found = np.zeros((2, 1, 30, 40), bool)
    cells[0, 2:20, 3:15] = cells[0, 5:25, 20:35] = True
    found[0, 6:28, 1:12] = found[0, 1:12, 16:39] = True
    assert error(found.astype(float), cells, HALF) == 0


def test_each_pixel_that_joins_two_cells_counts() -> None:
    cells = drawn("#########", "#########", ".........", "#########", "#########")
    found = cells.copy()
    found[2, 4] = True
    assert error(found[None].astype(float), cells[None], HALF) == 1 / 45
    found[2] = True  # the cells grow until a line of one pixel is left between them
    assert error(found[None].astype(float), cells[None], HALF) == 9 / 45


def test_each_pixel_that_parts_a_cell_counts() -> None:
    cells = np.ones((1, 5, 9), bool)
    found = cells.copy()
    found[0, :, 4] = False
    assert error(found.astype(float), cells, HALF) == 1 / 45  # four are taken from below, or from above


def test_specks_and_holes_are_no_splits_and_no_mergers() -> None:
    cells = np.zeros((1, 9, 20), bool)
    cells[0, :, :9] = True
    found = cells.copy()
    found[0, 4, 4], found[0, 4, 15] = False, True
    assert error(found.astype(float), cells, HALF) == 0


def test_each_pixel_is_judged_by_itself() -> None:
    """A ring that is cut is not parted, and though two cuts part it, neither does so alone."""
    cells = np.ones((1, 7, 7), bool)
    cells[0, 2:5, 2:5] = False
    found = cells.copy()
    found[0, 3, :2] = False
    assert error(found.astype(float), cells, HALF) == 0
    found[0, 3, 5:] = False
    assert error(found.astype(float), cells, HALF) == 0


def test_the_best_threshold_counts_and_is_that_of_all_sections() -> None:
    cells = np.repeat(drawn("###.###")[None], 2, 0)
    probability = np.where(cells, 0.9, 0.4)
    probability[1] = np.where(cells[1], 0.5, 0.6)
    assert error(probability, cells, np.array([0.3])) == 2 / 14
    assert error(probability, cells, np.array([0.3, 0.45])) == 1 / 14
    assert error(probability[:1], cells[:1], np.array([0.3, 0.45])) == 0


def test_the_surest_pixels_are_flipped_first() -> None:
    """Of a line between two cells that is not found, the pixel that is left is the least sure."""
    cells = drawn("###", "...", "...", "###")
    probability = np.array([[1, 1, 1], [0.9, 0.9, 0.9], [0.7, 0.7, 0.7], [1, 1, 1.0]])
    assert (warped(cells, probability, 0.5) == drawn("###", "###", "...", "###")).all()
    assert (warped(cells, probability[::-1], 0.5) == drawn("###", "...", "###", "###")).all()


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_all_alike_is_finite(value: float) -> None:
    cells = drawn("##.##", "##.##")[None]
    assert 0 <= error(np.full(cells.shape, value), cells, HALF) < 1
