"""Near pictures are found by bands as by comparing all with all."""

import itertools

import numpy as np
from PIL import Image as PillowImage
from tests.inspection.planted import scene

from limner.inspection.likeness import NEAR_BITS, deviation, difference_hash, near_pairs, small_copy


def test_a_hash_says_which_cells_are_lighter_than_their_right_neighbour():
    falling = np.repeat(np.arange(8, -1, -1, dtype=np.uint8)[None, :, None] * 28, 8, 0).repeat(3, -1)
    image = PillowImage.fromarray(falling)
    assert difference_hash(image) == 2**64 - 1
    assert difference_hash(image.transpose(PillowImage.Transpose.FLIP_LEFT_RIGHT)) == 0


def test_the_deviation_is_that_of_numpy():
    pixels = scene(3)
    assert np.isclose(deviation(PillowImage.fromarray(pixels)), pixels.reshape(-1, 3).std(0).max())


def test_bands_find_every_pair_that_comparing_all_with_all_finds():
    rng = np.random.default_rng(0)
    base = [int(one) for one in rng.integers(0, 2**63, 30)]
    hashes = [one ^ sum(1 << int(bit) for bit in rng.choice(64, flips, False)) for one in base for flips in range(7)]
    copies = np.stack([small_copy(PillowImage.fromarray(scene(0)))] * len(hashes))  # pictures themselves do not decide
    slow = {
        (one, other)
        for one, other in itertools.combinations(range(len(hashes)), 2)
        if (hashes[one] ^ hashes[other]).bit_count() <= NEAR_BITS
    }
    assert set(near_pairs(hashes, copies)) == slow
    assert len(slow) > 30 * 4


def test_a_picture_is_near_to_itself_smaller_and_darker_and_not_to_one_with_another_corner():
    picture = PillowImage.fromarray(scene(5, 128))
    darker = picture.resize((70, 70)).point(lambda level: int(level * 0.8))
    changed = picture.copy()
    changed.paste(PillowImage.fromarray(255 - np.asarray(picture.crop((0, 0, 20, 20)))), (0, 0))
    copies = np.stack([small_copy(one) for one in (picture, darker, changed)])
    assert near_pairs([0, 0, 0], copies) == [(0, 1)]


def test_other_colours_make_another_picture():
    square = np.full((40, 40, 3), 255, np.uint8)
    orange, yellow = square.copy(), square.copy()
    orange[8:32, 8:32], yellow[8:32, 8:32] = (244, 144, 12), (253, 203, 88)
    copies = np.stack([small_copy(PillowImage.fromarray(one)) for one in (orange, yellow)])
    assert near_pairs([0, 0], copies) == []
