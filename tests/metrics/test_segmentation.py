"""Hand-made cases, slow formulas, and scikit-image."""

import itertools

import numpy as np
import pytest
import torch

from limner.data.segmented import Marked
from limner.measure.segmentation import Seen, found_in
from limner.metrics.segmentation import (
    area_under_curve,
    confusion,
    found_objects,
    objects_of,
    overlap,
    rand_error,
)

rng = np.random.default_rng(0)


def test_overlap_by_counting_sets() -> None:
    found, true = rng.integers(0, 3, (20, 30)), rng.integers(-1, 4, (20, 30))
    measures = overlap(confusion(found, true, 4))
    for number in range(4):
        one, other = (found == number) & (true >= 0), true == number
        assert measures.iou[number] == pytest.approx((one & other).sum() / (one | other).sum())
        assert measures.dice[number] == pytest.approx(2 * (one & other).sum() / (one.sum() + other.sum()))
    assert measures.pixel_error == pytest.approx((found != true)[true >= 0].mean())


def test_a_class_that_is_nowhere_has_no_overlap() -> None:
    measures = overlap(confusion(np.zeros(4, int), np.zeros(4, int), 2))
    assert measures.iou[0] == 1
    assert np.isnan(measures.iou[1])
    assert np.isnan(measures.dice[1])


def test_corners_connect_objects_unless_told_otherwise() -> None:
    diagonal = np.eye(2, dtype=bool)
    assert objects_of(diagonal).max() == 1
    assert objects_of(diagonal, corners=False).max() == 2


def noisy_cells(sections: int, side: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Sections of cells, and probabilities by which some of them merge and some fall apart."""
    cells = np.kron(rng.random((sections, side, side)) > 0.35, np.ones((1, size, size))) > 0
    return np.clip(cells + rng.normal(0, 0.4, cells.shape), 0, 1), cells


def test_the_rand_error_by_all_pairs_of_pixels() -> None:
    """Pairs of pixels of true cells, the two of a section, each with itself too: together in both, in one, in neither.

    A pixel that is found to be membrane is together with itself alone.
    """
    probability, cells = noisy_cells(2, 4, 3)
    both = in_found = in_true = 0
    for one, truth in zip(probability, cells, strict=True):
        found, true = (objects_of(each, corners=False)[truth] for each in (one > 0.5, truth))
        for i, j in itertools.product(range(len(found)), repeat=2):
            is_found, is_true = i == j or 0 < found[i] == found[j], true[i] == true[j]
            both, in_found, in_true = both + (is_found and is_true), in_found + is_found, in_true + is_true
    precision, recall = both / in_found, both / in_true
    expected = 1 - 2 * precision * recall / (precision + recall)
    assert 0.05 < expected < 0.95
    assert rand_error(list(probability), list(cells), np.array([0.5])) == pytest.approx(expected)


def test_where_no_cell_is_found_to_be_membrane_the_rand_error_is_that_of_scikit_image() -> None:
    """Which leaves out pairs of a pixel with itself, and takes what is found to be membrane for an object: none here.

    Of 8,100 pixels that is no more than the tenth of a thousandth.
    """
    metrics = pytest.importorskip("skimage.metrics")
    cells = noisy_cells(1, 9, 10)[1]
    probability = np.where(cells, 1.0, rng.random(cells.shape) > 0.2)
    found, true = objects_of(probability[0] > 0.5, corners=False), objects_of(cells[0], corners=False)
    expected = metrics.adapted_rand_error(true, found, ignore_labels=(0,))[0]
    assert expected > 0.02
    assert rand_error(list(probability), list(cells), np.array([0.5])) == pytest.approx(expected, abs=1e-4)


def test_pixels_that_are_found_to_be_membrane_are_no_object() -> None:
    """Two cells of four pixels, of each of which one is not found: of 8 found pairs and 2 alone all are right."""
    cells = np.array([[[1, 1, 1, 1, 0, 1, 1, 1, 1]]]) > 0
    found = np.array([[[0, 1, 1, 1, 0, 1, 1, 1, 0]]]).astype(float)
    both, in_found, in_true = 9 + 9 + 2, 9 + 9 + 2, 16 + 16
    assert rand_error(list(found), list(cells), np.array([0.5])) == pytest.approx(1 - 2 * both / (in_found + in_true))


def test_the_best_threshold_counts() -> None:
    cells = np.zeros((1, 8, 9), bool)
    cells[0, :, :4] = cells[0, :, 5:] = True
    probability = np.where(cells, 0.9, 0.6)  # above 0.6 the two come apart
    assert rand_error(list(probability), list(cells), np.array([0.5])) == pytest.approx(1 - 2 / 3)
    assert rand_error(list(probability), list(cells), np.array([0.5, 0.7])) == 0


def test_an_object_is_found_when_it_overlaps_by_more_than_a_half() -> None:
    true = np.zeros((4, 12), int)
    true[:, :4], true[:, 6:10] = 1, 2
    found = np.zeros_like(true)
    found[:, :3], found[:, 8:12] = 7, 3  # 3/4 of the one; 2 of 6 columns of the other
    result = found_objects(found, true)
    assert (result.hits, result.found, result.true) == (1, 2, 2)
    assert result.f1 == 0.5
    assert result.precision == pytest.approx(1 / 3)
    assert found_objects(found, true, 0.8).hits == 0


def test_exactly_a_half_is_no_hit() -> None:
    true, found = np.array([[1, 1, 0]]), np.array([[1, 0, 0]])
    assert found_objects(found, true).hits == 0


def test_nothing_there_and_nothing_found_is_perfect() -> None:
    nothing = np.zeros((3, 3), int)
    assert found_objects(nothing, nothing).f1 == 1
    assert found_objects(nothing, nothing).precision == 1
    assert found_objects(np.eye(3, dtype=int), nothing).f1 == 0


def test_the_area_under_the_curve_by_all_pairs() -> None:
    score, true = rng.integers(0, 5, 60).astype(float), rng.random(60) > 0.6
    pairs = [(one > other) + (one == other) / 2 for one in score[true] for other in score[~true]]
    assert area_under_curve(score, true) == pytest.approx(np.mean(pairs))
    assert np.isnan(area_under_curve(score, np.ones(60, bool)))


def test_objects_that_are_too_small_are_not_found() -> None:
    labels = torch.tensor([[1, 0, 1, 1], [0, 0, 0, 0], [1, 1, 1, 0]])
    probabilities = torch.nn.functional.one_hot(labels, 2).permute(2, 0, 1).float().numpy()
    seen = Seen(Marked(torch.zeros(1, 3, 4), labels[None], torch.ones(1, 3, 4)), probabilities, labels.numpy())
    assert found_in(seen).tolist() == [[1, 0, 2, 2], [0, 0, 0, 0], [3, 3, 3, 0]]
    assert found_in(seen, 2).tolist() == [[0, 0, 1, 1], [0, 0, 0, 0], [2, 2, 2, 0]]
    assert not found_in(seen, 4).any()
